#include "mien/prep.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "mien/record.h"

int mien_prep_parse(struct mien_prep *p, const char *s, size_t len, struct mien_err *e)
{
    if (len >= MIEN_PREP_MAX)
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "the preprocessing is described in %zu bytes, more than %d", len,
                            MIEN_PREP_MAX - 1);
    bool word = false, equals = false; /* in a word; has it had its '=' */
    for (size_t i = 0; i <= len; i++) {
        char c = i < len ? s[i] : ' ';
        if (c != ' ' && !isgraph((unsigned char)c))
            return mien_err_set(e, MIEN_ERR_FORMAT, "the preprocessing is not key=value words");
        if (c == ' ' && word && !equals)
            return mien_err_set(e, MIEN_ERR_FORMAT,
                                "the preprocessing '%.*s' is not key=value words", (int)len, s);
        if (c == '=' && !word)
            return mien_err_set(e, MIEN_ERR_FORMAT,
                                "the preprocessing '%.*s' has a word without a key", (int)len, s);
        word = c != ' ';
        equals = word && (equals || c == '=');
    }
    memcpy(p->text, s, len);
    p->text[len] = '\0';
    return 0;
}

/* The word that starts with "key=", or NULL. */
static char *find(char *text, const char *key)
{
    size_t n = strlen(key);
    for (char *s = text; *s != '\0'; s += strcspn(s, " "), s += strspn(s, " ")) {
        if (strncmp(s, key, n) == 0 && s[n] == '=')
            return s;
    }
    return NULL;
}

const char *mien_prep_get(const struct mien_prep *p, const char *key, char *buf, size_t n)
{
    const char *s = find((char *)p->text, key);
    if (s == NULL)
        return NULL;
    s += strlen(key) + 1;
    snprintf(buf, n, "%.*s", (int)strcspn(s, " "), s);
    return buf;
}

int mien_prep_set(struct mien_prep *p, const char *key, const char *fmt, ...)
{
    char value[MIEN_PREP_MAX], text[MIEN_PREP_MAX];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(value, sizeof value, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof value)
        return MIEN_ERR_LIMIT;
    char *old = find(p->text, key);
    const char *head = p->text, *tail = "";
    size_t keep = strlen(p->text);
    if (old != NULL) {
        keep = (size_t)(old - p->text);
        tail = old + strcspn(old, " ");
    }
    const char *sep = old == NULL && keep > 0 ? " " : "";
    n = snprintf(text, sizeof text, "%.*s%s%s=%s%s", (int)keep, head, sep, key, value, tail);
    if (n < 0 || (size_t)n >= sizeof text)
        return MIEN_ERR_LIMIT;
    memcpy(p->text, text, (size_t)n + 1);
    return 0;
}

void mien_prep_del(struct mien_prep *p, const char *key)
{
    char *word = find(p->text, key);
    if (word == NULL)
        return;
    char *rest = word + strcspn(word, " ");
    if (*rest == ' ')
        rest++;
    else if (word > p->text)
        word--; /* the last word goes with the space before it */
    memmove(word, rest, strlen(rest) + 1);
}

int mien_rec_get_prep(const struct mien_rec *r, struct mien_prep *p, struct mien_err *e)
{
    size_t len = 0;
    const char *text = mien_rec_text(r, MIEN_TAG_PREP, &len);
    return mien_prep_parse(p, text != NULL ? text : "", len, e);
}

int mien_rec_set_prep(struct mien_rec *r, const struct mien_prep *p)
{
    return mien_rec_set_str(r, MIEN_TAG_PREP, p->text);
}

/* The first key in which they differ, or NULL; a and b are their values. */
static const char *compare(const struct mien_prep *stream, const struct mien_prep *model,
                           char a[MIEN_PREP_MAX], char b[MIEN_PREP_MAX])
{
    static const char *const keys[] = {"size", "features", "margin", "inner", "filter"};
    char crop[16];
    bool known = mien_prep_get(stream, "crop", crop, sizeof crop) != NULL;
    bool whole = known && strcmp(crop, "whole") == 0, cropped = known && !whole;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (whole && strcmp(keys[i], "margin") == 0)
            continue;
        bool in_stream = mien_prep_get(stream, keys[i], a, MIEN_PREP_MAX) != NULL;
        bool in_model = mien_prep_get(model, keys[i], b, MIEN_PREP_MAX) != NULL;
        if (strcmp(keys[i], "inner") == 0 && cropped && in_stream != in_model) {
            strcpy(in_stream ? b : a, "1"); /* the whole crop, which isn't noted */
            in_stream = in_model = true;
        }
        if (in_stream && in_model && strcmp(a, b) != 0)
            return keys[i];
    }
    return NULL;
}

const char *mien_prep_differs(const struct mien_prep *stream, const struct mien_prep *model)
{
    char a[MIEN_PREP_MAX], b[MIEN_PREP_MAX];
    return compare(stream, model, a, b);
}

int mien_prep_check(const struct mien_prep *stream, const struct mien_prep *model,
                    struct mien_err *e)
{
    char a[MIEN_PREP_MAX], b[MIEN_PREP_MAX];
    const char *key = compare(stream, model, a, b);
    if (key == NULL)
        return 0;
    return mien_err_set(e, MIEN_ERR_FORMAT, "made with %s=%s, the model expects %s=%s", key, a, key,
                        b);
}
