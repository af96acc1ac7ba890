#include "utf8.h"

#include <stdio.h>
#include <string.h>

size_t utf8_len(const void *s, size_t n)
{
    const unsigned char *p = s;
    size_t len = n == 0 || p[0] < 0x80 ? n > 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (len < 2)
        return len;
    if (p[0] < 0xc2 || p[0] > 0xf4 || len > n)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    /* Not longer than needed, no surrogate, not beyond U+10FFFF. */
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] >= 0x90))
        return 0;
    return len;
}

bool utf8_valid(const void *s, size_t n)
{
    const unsigned char *p = s;
    for (size_t len; n > 0; p += len, n -= len) {
        len = utf8_len(p, n);
        if (len == 0)
            return false;
    }
    return true;
}

size_t utf8_mark(const void *s, size_t n)
{
    static const char mark[] = {'\xef', '\xbb', '\xbf'};
    return n >= sizeof mark && memcmp(s, mark, sizeof mark) == 0 ? sizeof mark : 0;
}

size_t utf8_fit(const void *s, size_t n, size_t max)
{
    const unsigned char *p = s;
    if (n <= max)
        return n;
    for (size_t i = max; i > 0 && max - i < 3; i--) {
        unsigned char c = p[i - 1];
        size_t len = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        if (i - 1 + len > max)
            return i - 1;
        if (c < 0x80 || c >= 0xc0)
            break;
    }
    return max;
}

size_t utf8_vprintf(char *out, size_t size, const char *fmt, va_list ap)
{
    int n = vsnprintf(out, size, fmt, ap);
    size_t len = n < 0 ? 0 : utf8_fit(out, (size_t)n, size - 1);
    out[len] = '\0';
    return len;
}

uint32_t utf8_get(const void *s, size_t len)
{
    const unsigned char *p = s;
    uint32_t c = len == 1 ? p[0] : p[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++)
        c = c << 6 | (p[i] & 0x3fu);
    return c;
}

size_t utf8_put(unsigned char *out, uint32_t c)
{
    if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        c = 0xfffd;
    if (c < 0x80) {
        out[0] = (unsigned char)c;
        return 1;
    }
    size_t len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--, c >>= 6)
        out[i] = (unsigned char)(0x80 | (c & 0x3f));
    out[0] = (unsigned char)(0xf00 >> len | c); /* len ones, a zero, the highest bits */
    return len;
}
