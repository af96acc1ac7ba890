#include "text_in.h"

#include <stdint.h>
#include <string.h>

#include "util/file.h"
#include "util/utf8.h"

enum { LOOK = 4 }; /* bytes that tell the form */

static int form_of(const unsigned char *s, size_t n)
{
    if (n >= 2 && s[0] == 0xff && s[1] == 0xfe)
        return TEXT_UTF16_LE;
    if (n >= 2 && s[0] == 0xfe && s[1] == 0xff)
        return TEXT_UTF16_BE;
    /* Without a mark: two characters of ASCII. */
    if (n >= LOOK && s[0] && !s[1] && s[2] && !s[3])
        return TEXT_UTF16_LE;
    if (n >= LOOK && !s[0] && s[1] && !s[2] && s[3])
        return TEXT_UTF16_BE;
    return TEXT_BYTES;
}

bool text_in_is_utf16(const void *head, size_t n)
{
    return form_of(head, n) != TEXT_BYTES;
}

void text_in_start(struct text_in *t, int fd, const void *head, size_t n)
{
    t->fd = fd;
    t->form = TEXT_UNKNOWN;
    t->len = n;
    memcpy(t->raw, head, n);
}

/* Appends to raw[]. Returns how many bytes came, 0 at the end, or MIEN_ERR_SYS. */
static ssize_t more(struct text_in *t, struct mien_err *e)
{
    ssize_t n = file_read_some(t->fd, t->raw + t->len, sizeof t->raw - t->len);
    if (n < 0)
        return mien_err_sys(e, "cannot read");
    t->len += (size_t)n;
    return n;
}

static void drop(struct text_in *t, size_t n)
{
    memmove(t->raw, t->raw + n, t->len - n);
    t->len -= n;
}

/* Looks at the first bytes, and drops a byte order mark. */
static int begin(struct text_in *t, struct mien_err *e)
{
    while (t->len < LOOK) {
        ssize_t n = more(t, e);
        if (n < 0)
            return (int)n;
        if (n == 0)
            break;
    }
    t->form = form_of(t->raw, t->len);
    if (t->form == TEXT_BYTES)
        drop(t, utf8_mark(t->raw, t->len));
    else if (t->raw[0] >= 0xfe || t->raw[1] >= 0xfe)
        drop(t, 2);
    return 0;
}

static uint32_t unit(const struct text_in *t, size_t at)
{
    const unsigned char *p = t->raw + at;
    return t->form == TEXT_UTF16_LE ? (uint32_t)(p[0] | p[1] << 8) : (uint32_t)(p[0] << 8 | p[1]);
}

/* Converts what waits. Returns the bytes made; half a character is left for later, unless last. */
static size_t convert(struct text_in *t, unsigned char *out, size_t room, bool last)
{
    size_t at = 0, n = 0;
    while (t->len - at >= 2 && room - n >= 4) {
        uint32_t c = unit(t, at);
        size_t used = 2;
        if (c >= 0xd800 && c < 0xdc00) {
            if (t->len - at < 4 && !last)
                break;
            uint32_t low = t->len - at >= 4 ? unit(t, at + 2) : 0;
            if (low >= 0xdc00 && low < 0xe000) {
                c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
                used = 4;
            }
        }
        n += utf8_put(out + n, c);
        at += used;
    }
    drop(t, at);
    return n;
}

ssize_t text_in_read(struct text_in *t, void *out, size_t room, struct mien_err *e)
{
    int rc = t->form == TEXT_UNKNOWN ? begin(t, e) : 0;
    if (rc < 0)
        return rc;
    if (t->form == TEXT_BYTES && t->len > 0) {
        size_t n = t->len < room ? t->len : room;
        memcpy(out, t->raw, n);
        drop(t, n);
        return (ssize_t)n;
    }
    if (t->form == TEXT_BYTES) {
        ssize_t n = file_read_some(t->fd, out, room);
        return n < 0 ? mien_err_sys(e, "cannot read") : n;
    }
    for (;;) {
        size_t n = convert(t, out, room, false);
        if (n > 0)
            return (ssize_t)n;
        ssize_t got = more(t, e);
        if (got < 0)
            return got;
        if (got == 0) /* a half of a pair at the very end becomes U+FFFD */
            return (ssize_t)convert(t, out, room, true);
    }
}
