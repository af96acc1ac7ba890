#include "printable.h"

#include <string.h>

#include "utf8.h"

bool drives_terminal(const void *s, size_t n)
{
    uint32_t c = utf8_get(s, n);
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069);
}

size_t printable(char *out, size_t size, const char *s, size_t n)
{
    size_t len = 0;
    for (size_t i = 0; i < n;) {
        size_t k = utf8_len(s + i, n - i);
        bool shown = k > 0 && !drives_terminal(s + i, k);
        if (len + (shown ? k : 1) >= size)
            break;
        if (shown)
            memmove(out + len, s + i, k); /* never beyond s + i: no character grows */
        else
            out[len] = '?';
        len += shown ? k : 1;
        i += k > 0 ? k : 1;
    }
    out[len] = '\0';
    return len;
}
