/*
 * The orientation tag in an image's EXIF data, found without decoding anything. Every offset comes
 * from the file and is checked against the bytes there are before it is followed.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "img.h"

struct tiff {
    const unsigned char *p;
    size_t n;
    bool big; /* big-endian */
};

static uint32_t get(const struct tiff *t, size_t at, int bytes)
{
    uint32_t v = 0;
    for (int i = 0; i < bytes; i++)
        v = v << 8 | t->p[t->big ? at + (size_t)i : at + (size_t)(bytes - 1 - i)];
    return v;
}

/* The bytes of a whole number of each type (TIFF 6.0, section 2): the standard has orientation as a
   short, some programs write a long or a byte. */
static const unsigned char type_bytes[] = {[1] = 1, [3] = 2, [4] = 4, [6] = 1, [8] = 2, [9] = 4};

/* The orientation in the first directory, or 0. */
static int find_orientation(struct tiff t)
{
    if (t.n < 8 || (memcmp(t.p, "II*\0", 4) != 0 && memcmp(t.p, "MM\0*", 4) != 0))
        return 0;
    t.big = t.p[0] == 'M';
    size_t at = get(&t, 4, 4);
    if (at > t.n - 2)
        return 0;
    size_t entries = get(&t, at, 2);
    at += 2;
    for (size_t i = 0; i < entries && t.n - at >= 12; i++, at += 12) {
        uint32_t tag = get(&t, at, 2), type = get(&t, at + 2, 2), count = get(&t, at + 4, 4);
        if (tag == 0x0112 && count == 1 && type < sizeof type_bytes && type_bytes[type] > 0)
            return (int)get(&t, at + 8, type_bytes[type]);
    }
    return 0;
}

int img_exif_orientation_in(const void *exif, size_t n)
{
    const unsigned char *p = exif;
    size_t head = n >= 6 && memcmp(p, "Exif\0", 5) == 0 ? 6 : 0;
    int o = find_orientation((struct tiff){.p = p + head, .n = n - head});
    return o >= 1 && o <= 8 ? o : 1;
}

int img_exif_orientation(const void *jpeg, size_t n)
{
    const unsigned char *p = jpeg;
    size_t at = 2; /* behind the SOI marker */
    while (n >= 4 && at <= n - 4 && p[at] == 0xff) {
        int marker = p[at + 1];
        if (marker == 0xff) { /* fill bytes before a marker */
            at++;
            continue;
        }
        if (marker == 0xda || marker == 0xd9) /* the image data begin, or the file ends */
            break;
        size_t len = (size_t)p[at + 2] << 8 | p[at + 3];
        if (len < 2 || len > n - at - 2)
            break;
        const unsigned char *body = p + at + 4;
        if (marker == 0xe1 && len >= 8 && memcmp(body, "Exif\0", 6) == 0) {
            int o = find_orientation((struct tiff){.p = body + 6, .n = len - 8});
            if (o >= 1 && o <= 8)
                return o;
        }
        at += 2 + len;
    }
    return 1;
}
