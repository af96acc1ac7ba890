#include "font.h"

#include <string.h>

#include "mien/err.h"
#include "util/utf8.h"

#define PER_BAND 12

enum { BOX = '~' + 1 - ' ', PLUS_MINUS, ELLIPSIS, SQUARE };
_Static_assert(SQUARE + 1 == FONT_GLYPHS, "the last glyph");

/* The glyphs side by side: ASCII from the space on, then the box, plus-minus, the ellipsis and the
   black square. */
static const char *const band[][FONT_HEIGHT] = {
    /* clang-format off */
    {
        "..... ..X.. .X.X. .X.X. ..X.. XX..X .XX.. ..X.. ...X. .X... ..... .....",
        "..... ..X.. .X.X. .X.X. .XXXX XX.X. X..X. ..X.. ..X.. ..X.. ..X.. .....",
        "..... ..X.. .X.X. XXXXX X.X.. ...X. X..X. ..X.. ..X.. ..X.. X.X.X ..X..",
        "..... ..X.. ..... .X.X. .XXX. ..X.. .XX.. ..... .X... ...X. .XXX. ..X..",
        "..... ..X.. ..... .X.X. ..X.X ..X.. X.X.X ..... .X... ...X. .XXX. XXXXX",
        "..... ..... ..... XXXXX ..X.X .X... X..X. ..... .X... ...X. X.X.X ..X..",
        "..... ..... ..... .X.X. XXXX. .X.XX X..X. ..... ..X.. ..X.. ..X.. ..X..",
        "..... ..X.. ..... .X.X. ..X.. X..XX .XX.X ..... ..X.. ..X.. ..... .....",
        "..... ..... ..... ..... ..... ..... ..... ..... ...X. .X... ..... .....",
        "..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... .....",
    },
    {
        "..... ..... ..... ....X ..X.. ..X.. .XXX. .XXX. ...X. XXXXX .XXX. XXXXX",
        "..... ..... ..... ....X .X.X. .XX.. X...X X...X ..XX. X.... X...X ....X",
        "..... ..... ..... ...X. X...X X.X.. ....X ....X .X.X. X.... X.... ....X",
        "..... ..... ..... ..X.. X...X ..X.. ....X ..XX. X..X. XXXX. XXXX. ...X.",
        "..... .XXX. ..... ..X.. X...X ..X.. ..XX. ....X X..X. ....X X...X ...X.",
        "..... ..... ..... .X... X...X ..X.. .X... ....X XXXXX ....X X...X ..X..",
        ".XX.. ..... .XX.. X.... .X.X. ..X.. X.... X...X ...X. X...X X...X ..X..",
        ".XX.. ..... .XX.. X.... ..X.. XXXXX XXXXX .XXX. ...X. .XXX. .XXX. ..X..",
        "..X.. ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... .....",
        ".X... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... .....",
    },
    {
        ".XXX. .XXX. ..... ..... ..... ..... ..... .XXX. .XXX. ..X.. XXXX. .XXX.",
        "X...X X...X ..... ..... ...X. ..... .X... X...X X...X .X.X. X...X X...X",
        "X...X X...X .XX.. .XX.. ..X.. ..... ..X.. ....X X.XXX X...X X...X X....",
        ".XXX. X...X .XX.. .XX.. .X... XXXXX ...X. ...X. X.X.X X...X XXXX. X....",
        "X...X .XXXX ..... ..... X.... ..... ....X ..X.. X.X.X XXXXX X...X X....",
        "X...X ....X ..... ..... .X... XXXXX ...X. ..X.. X.XXX X...X X...X X....",
        "X...X X...X .XX.. .XX.. ..X.. ..... ..X.. ..... X.... X...X X...X X...X",
        ".XXX. .XXX. .XX.. .XX.. ...X. ..... .X... ..X.. .XXXX X...X XXXX. .XXX.",
        "..... ..... ..... ..X.. ..... ..... ..... ..... ..... ..... ..... .....",
        "..... ..... ..... .X... ..... ..... ..... ..... ..... ..... ..... .....",
    },
    {
        "XXXX. XXXXX XXXXX .XXX. X...X .XXX. ..XXX X...X X.... X...X X...X .XXX.",
        "X...X X.... X.... X...X X...X ..X.. ...X. X..X. X.... XX.XX XX..X X...X",
        "X...X X.... X.... X.... X...X ..X.. ...X. X.X.. X.... XX.XX XX..X X...X",
        "X...X XXXX. XXXX. X.... XXXXX ..X.. ...X. XX... X.... X.X.X X.X.X X...X",
        "X...X X.... X.... X.XXX X...X ..X.. ...X. XX... X.... X.X.X X.X.X X...X",
        "X...X X.... X.... X...X X...X ..X.. ...X. X.X.. X.... X...X X..XX X...X",
        "X...X X.... X.... X...X X...X ..X.. X..X. X..X. X.... X...X X..XX X...X",
        "XXXX. XXXXX X.... .XXX. X...X .XXX. .XX.. X...X XXXXX X...X X...X .XXX.",
        "..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... .....",
        "..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... .....",
    },
    {
        "XXXX. .XXX. XXXX. .XXX. XXXXX X...X X...X X...X X...X X...X XXXXX .XXX.",
        "X...X X...X X...X X...X ..X.. X...X X...X X...X X...X X...X ....X .X...",
        "X...X X...X X...X X.... ..X.. X...X X...X X...X .X.X. .X.X. ...X. .X...",
        "X...X X...X X...X .XX.. ..X.. X...X X...X X...X ..X.. .X.X. ..X.. .X...",
        "XXXX. X...X XXXX. ...X. ..X.. X...X X...X X.X.X ..X.. ..X.. ..X.. .X...",
        "X.... X.X.X X.X.. ....X ..X.. X...X .X.X. X.X.X .X.X. ..X.. .X... .X...",
        "X.... X..X. X..X. X...X ..X.. X...X .X.X. XX.XX X...X ..X.. X.... .X...",
        "X.... .XX.X X...X .XXX. ..X.. .XXX. ..X.. X...X X...X ..X.. XXXXX .X...",
        "..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... .XXX.",
        "..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... .....",
    },
    {
        "X.... .XXX. ..X.. ..... .X... ..... X.... ..... ....X ..... ..XX. .....",
        "X.... ...X. .X.X. ..... ..X.. ..... X.... ..... ....X ..... .X..X .....",
        ".X... ...X. X...X ..... ..... .XXX. X.XX. .XXX. .XX.X .XXX. .X... .XX.X",
        "..X.. ...X. ..... ..... ..... ....X XX..X X...X X..XX X...X XXX.. X..XX",
        "..X.. ...X. ..... ..... ..... .XXXX X...X X.... X...X XXXXX .X... X...X",
        "...X. ...X. ..... ..... ..... X...X X...X X.... X...X X.... .X... X...X",
        "....X ...X. ..... ..... ..... X..XX XX..X X...X X..XX X...X .X... X..XX",
        "....X ...X. ..... ..... ..... .XX.X X.XX. .XXX. .XX.X .XXX. .X... .XX.X",
        "..... .XXX. ..... XXXXX ..... ..... ..... ..... ..... ..... ..... ....X",
        "..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... .XXX.",
    },
    {
        "X.... ..X.. ...X. X.... .XX.. ..... ..... ..... ..... ..... ..... .....",
        "X.... ..... ..... X.... ..X.. ..... ..... ..... ..... ..... ..... .....",
        "X.XX. .XX.. ..XX. X..X. ..X.. XX.X. X.XX. .XXX. X.XX. .XX.X X.XX. .XXX.",
        "XX..X ..X.. ...X. X.X.. ..X.. X.X.X XX..X X...X XX..X X..XX XX..X X...X",
        "X...X ..X.. ...X. XX... ..X.. X.X.X X...X X...X X...X X...X X.... .XX..",
        "X...X ..X.. ...X. X.X.. ..X.. X.X.X X...X X...X X...X X...X X.... ...X.",
        "X...X ..X.. ...X. X..X. ..X.. X.X.X X...X X...X XX..X X..XX X.... X...X",
        "X...X .XXX. ...X. X...X .XXX. X.X.X X...X .XXX. X.XX. .XX.X X.... .XXX.",
        "..... ..... X..X. ..... ..... ..... ..... ..... X.... ....X ..... .....",
        "..... ..... .XX.. ..... ..... ..... ..... ..... X.... ....X ..... .....",
    },
    {
        ".X... ..... ..... ..... ..... ..... ..... ...XX ..X.. XX... ..... XXXXX",
        ".X... ..... ..... ..... ..... ..... ..... ..X.. ..X.. ..X.. ..... X...X",
        "XXXX. X...X X...X X...X X...X X...X XXXXX ..X.. ..X.. ..X.. ..... X...X",
        ".X... X...X X...X X...X .X.X. X...X ...X. ..X.. ..X.. ..X.. .X..X X...X",
        ".X... X...X X...X X.X.X ..X.. X...X ..X.. XX... ..X.. ...XX X.X.X X...X",
        ".X... X...X .X.X. X.X.X ..X.. X...X .X... ..X.. ..X.. ..X.. X..X. X...X",
        ".X..X X..XX .X.X. X.X.X .X.X. X..XX X.... ..X.. ..X.. ..X.. ..... X...X",
        "..XX. .XX.X ..X.. .X.X. X...X .XX.X XXXXX ..X.. ..X.. ..X.. ..... XXXXX",
        "..... ..... ..... ..... ..... ....X ..... ...XX ..X.. XX... ..... .....",
        "..... ..... ..... ..... ..... .XXX. ..... ..... ..X.. ..... ..... .....",
    },
    {
        "..... ..... .....",
        "..X.. ..... XXXXX",
        "..X.. ..... XXXXX",
        "XXXXX ..... XXXXX",
        "..X.. ..... XXXXX",
        "..X.. ..... XXXXX",
        "..... ..... XXXXX",
        "XXXXX X.X.X XXXXX",
        "..... ..... .....",
        "..... ..... .....",
    },
    /* clang-format on */
};

int font_glyph(const char *s, size_t n, size_t *len)
{
    *len = utf8_len(s, n);
    if (*len == 0) {
        *len = 1;
        return BOX;
    }
    if (*len == 1 && *s >= ' ' && *s <= '~')
        return *s - ' ';
    if (*len == 2 && memcmp(s, "\u00b1", 2) == 0)
        return PLUS_MINUS;
    if (*len == 3 && memcmp(s, "\u2026", 3) == 0)
        return ELLIPSIS;
    if (*len == 3 && memcmp(s, "\u25a0", 3) == 0)
        return SQUARE;
    return BOX;
}

bool font_pixel(int glyph, int x, int y)
{
    const char *row = band[glyph / PER_BAND][y];
    return x < FONT_WIDTH - 1 && row[glyph % PER_BAND * FONT_WIDTH + x] == 'X';
}

/* The bytes of the first characters of a text, as many as there are if fewer. */
static size_t bytes_of(const char *s, size_t n, size_t chars)
{
    size_t at = 0, len;
    for (; at < n && chars > 0; chars--) {
        font_glyph(s + at, n - at, &len);
        at += len;
    }
    return at;
}

size_t font_chars(const char *s, size_t n)
{
    size_t chars = 0;
    for (size_t at = 0; at < n; chars++)
        at += bytes_of(s + at, n - at, 1);
    return chars;
}

int font_shorten(struct mien_buf *out, const char *s, size_t n, size_t chars)
{
    size_t have = font_chars(s, n);
    if (have <= chars)
        return mien_buf_append(out, s, n);
    size_t tail = (chars - 1) / 2, head = chars - 1 - tail;
    size_t from = bytes_of(s, n, have - tail);
    if (mien_buf_append(out, s, bytes_of(s, n, head)) < 0 || mien_buf_append(out, "\u2026", 3) < 0)
        return MIEN_ERR_MEM;
    return mien_buf_append(out, s + from, n - from);
}
