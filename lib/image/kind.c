/* The kinds of image files, by the magic numbers of their formats' specifications. */
#include <string.h>
#include <strings.h>

#include "img.h"

static const struct {
    const char *kind;
    size_t at, len;
    const char *magic;
} magics[] = {
    {"jpeg", 0, 3, "\xff\xd8\xff"},
    {"png", 0, 8, "\x89PNG\r\n\x1a\n"},
    {"gif", 0, 6, "GIF87a"},
    {"gif", 0, 6, "GIF89a"},
    {"webp", 8, 4, "WEBP"},
    {"tiff", 0, 4, "II*\0"},
    {"tiff", 0, 4, "MM\0*"},
    {"avif", 4, 8, "ftypavif"},
    {"avif", 4, 8, "ftypavis"},
    {"heic", 4, 7, "ftyphei"}, /* heic, heix, heim, heis */
    {"heic", 4, 7, "ftyphev"},
    {"heic", 4, 8, "ftypmif1"},
    {"heic", 4, 8, "ftypmsf1"},
    {"jp2", 0, 12, "\0\0\0\x0cjP  \r\n\x87\n"},
    {"jp2", 0, 4, "\xff\x4f\xff\x51"},
    {"jxl", 0, 2, "\xff\x0a"},
    {"jxl", 0, 12, "\0\0\0\x0cJXL \r\n\x87\n"},
    {"psd", 0, 4, "8BPS"},
    {"pdf", 0, 5, "%PDF-"},
    {"bmp", 0, 2, "BM"},
};

/* Text that a web server sends in an image's place, or a vector graphic. */
static const char *text_kind(const char *s, size_t n)
{
    while (n > 0 && (*s == ' ' || *s == '\t' || *s == '\r' || *s == '\n')) {
        s++;
        n--;
    }
    if (n >= 4 && strncasecmp(s, "<svg", 4) == 0)
        return "svg";
    if ((n >= 5 && strncasecmp(s, "<html", 5) == 0) ||
        (n >= 9 && strncasecmp(s, "<!doctype", 9) == 0))
        return "html";
    return NULL;
}

const char *img_kind(const void *bytes, size_t n)
{
    const char *p = bytes;
    for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++) {
        if (n >= magics[i].at + magics[i].len &&
            memcmp(p + magics[i].at, magics[i].magic, magics[i].len) == 0)
            return magics[i].kind;
    }
    return text_kind(p, n);
}
