#include "words.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "util/num.h"

void word_trim(const char **s, size_t *n)
{
    while (*n > 0 && word_is_blank(**s)) {
        ++*s;
        --*n;
    }
    while (*n > 0 && word_is_blank((*s)[*n - 1]))
        --*n;
}

bool word_is(const char *s, size_t n, const char *word)
{
    return strlen(word) == n && !strncasecmp(s, word, n);
}

int word_which(const char *s, size_t n, const char *words)
{
    for (int i = 1;; i++, words++) {
        size_t len = strcspn(words, "|");
        if (len == n && !strncasecmp(s, words, n))
            return i;
        words += len;
        if (*words == '\0')
            return 0;
    }
}

bool word_is_one_of(const char *s, size_t n, const char *words)
{
    return word_which(s, n, words) != 0;
}

bool word_plain(const char *s, size_t n, char buf[WORD_MAX])
{
    static const char *const signs[][2] = {{"\u2013", "-"},  {"\u2014", "-"},  {"\u2212", "-"},
                                           {"\u2265", ">="}, {"\u2264", "<="}, {"\u00a0", " "}};
    size_t len = 0;
    word_trim(&s, &n);
    for (size_t i = 0; i < n;) {
        if (len >= WORD_MAX - 2)
            return false;
        if ((unsigned char)s[i] < 0x80) {
            buf[len++] = (char)tolower((unsigned char)s[i++]);
            continue;
        }
        size_t k = 0, bytes = 0;
        for (; k < sizeof signs / sizeof *signs; k++) {
            bytes = strlen(signs[k][0]);
            if (n - i >= bytes && !memcmp(s + i, signs[k][0], bytes))
                break;
        }
        if (k < sizeof signs / sizeof *signs) {
            for (const char *p = signs[k][1]; *p; p++)
                buf[len++] = *p;
            i += bytes;
        } else {
            buf[len++] = s[i++];
        }
    }
    buf[len] = '\0';
    return true;
}

bool word_accept(const char **s, const char *word)
{
    size_t n = strlen(word);
    if (strncmp(*s, word, n) != 0)
        return false;
    *s += n;
    while (word_is_blank(**s))
        ++*s;
    return true;
}

bool word_accept_one(const char **s, const char *words)
{
    for (;; words++) {
        size_t len = strcspn(words, "|");
        if (strncmp(*s, words, len) == 0) {
            *s += len;
            while (word_is_blank(**s))
                ++*s;
            return true;
        }
        words += len;
        if (*words == '\0')
            return false;
    }
}

bool word_number(const char **s, bool decimal_comma, double *out)
{
    const char *p = *s;
    double v = 0, unit = 1;
    if (!isdigit((unsigned char)*p))
        return false;
    for (; isdigit((unsigned char)*p); p++)
        if (v < 1000000)
            v = 10 * v + (*p - '0');
    /* "25..32" is no fraction; "31," is none either. */
    if ((*p == '.' && p[1] != '.') || (decimal_comma && *p == ',' && isdigit((unsigned char)p[1])))
        for (p++; isdigit((unsigned char)*p); p++)
            v += (*p - '0') * (unit /= 10);
    while (word_is_blank(*p))
        p++;
    *s = p;
    *out = v;
    return true;
}

bool word_to_number(const char *s, size_t n, double *out)
{
    char buf[32];
    word_trim(&s, &n);
    if (n == 0 || n >= sizeof buf || (!isdigit((unsigned char)*s) && !strchr("+-.", *s)))
        return false;
    memcpy(buf, s, n);
    buf[n] = '\0';
    return num_real(buf + (*buf == '+'), -1e18, 1e18, out, NULL) == 0;
}
