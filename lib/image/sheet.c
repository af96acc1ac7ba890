#include "sheet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "font.h"
#include "util/array.h"

enum {
    DOUBLE_SIZE = 224, /* of pictures whose text is twice as large: "31 (25-38) F >99%" fits */
    TEXT_SIZE = 192,   /* pixels of a larger picture for each step of its text's size */
    PAGE_MIN = 2048,   /* height up to which pages of any width are filled */
    GAP = 16,
    CAPTION_GAP = 6, /* less than GAP, so that a caption visibly belongs to its picture */
    FRAME = 3
};

static const struct draw_color paper = {255, 255, 255}, gray = {232, 232, 232};

struct draw_color sheet_color(enum sheet_ink ink)
{
    static const struct draw_color color[] = {[SHEET_FAINT] = {96, 96, 96},
                                              [SHEET_PLAIN] = {0, 0, 0},
                                              [SHEET_WRONG] = {208, 0, 0},
                                              [SHEET_BOX] = {255, 214, 0}};
    return color[ink];
}

/* --- Captions ------------------------------------------------------------------------------ */

int sheet_say(struct sheet_text *t, enum sheet_ink ink, bool line, const char *s, size_t len)
{
    struct sheet_word *word = array_grow(t->word, t->n, &t->cap, sizeof *word);
    if (word == NULL)
        return MIEN_ERR_MEM;
    t->word = word;
    t->word[t->n++] = (struct sheet_word){t->chars.len, 0, ink, line};
    return sheet_lengthen(t, s, len);
}

int sheet_lengthen(struct sheet_text *t, const char *s, size_t len)
{
    t->word[t->n - 1].len += len;
    return mien_buf_append(&t->chars, s, len);
}

void sheet_text_clear(struct sheet_text *t)
{
    mien_buf_clear(&t->chars);
    t->n = 0;
}

void sheet_text_free(struct sheet_text *t)
{
    mien_buf_free(&t->chars);
    free(t->word);
    *t = (struct sheet_text){0};
}

static int line_height(const struct sheet *s)
{
    return FONT_LINE * s->scale;
}

/* Draws a text into the row, from x, y downwards, in lines of this width. Returns how many there are, at
   most max_lines, or MIEN_ERR_MEM. */
static int draw_lines(struct sheet *s, int x, int y, int width, int max_lines,
                      const struct sheet_text *t)
{
    /* The last character's empty column may lie beyond the line. */
    int chars = (width + s->scale) / (FONT_WIDTH * s->scale), column = 0, line = 0;
    for (size_t i = 0; i < t->n; i++) {
        const struct sheet_word *w = &t->word[i];
        mien_buf_clear(&s->scratch);
        if (font_shorten(&s->scratch, (const char *)t->chars.data + w->at, w->len, (size_t)chars) <
            0)
            return MIEN_ERR_MEM;
        int len = (int)font_chars((const char *)s->scratch.data, s->scratch.len);
        if (column > 0 && (w->line || column + 1 + len > chars)) {
            line++;
            column = 0;
        } else if (column > 0) {
            column++;
        }
        bool more = line == max_lines - 1;
        draw_text(&s->row, x + column * FONT_WIDTH * s->scale, y + line * line_height(s), s->scale,
                  sheet_color(w->ink), more ? "\u2026" : (const char *)s->scratch.data,
                  more ? 3 : s->scratch.len);
        if (more)
            break;
        column += len;
    }
    return t->n == 0 ? 0 : line + 1;
}

/* --- Pages --------------------------------------------------------------------------------- */

static int width_of(const struct sheet *s, int columns)
{
    return s->gap + columns * (s->size + s->gap);
}

static int max_row_height(const struct sheet *s)
{
    return s->gap + s->size + CAPTION_GAP * s->scale + SHEET_MAX_LINES * line_height(s);
}

static void clear_row(struct sheet *s)
{
    draw_fill(&s->row, (struct img_rect){0, 0, s->row.w, s->row.h}, paper);
    s->row_height = 0;
}

int sheet_start(struct sheet *s, struct mien_err *e)
{
    s->scale = s->size < DOUBLE_SIZE ? 1 : s->size < 3 * TEXT_SIZE ? 2 : s->size / TEXT_SIZE;
    s->gap = GAP * s->scale;
    if (width_of(s, s->columns) > MIEN_MAX_SIDE)
        return mien_err_set(e, MIEN_ERR_LIMIT,
                            "%d pictures of %d pixels across make a page wider than %d pixels",
                            s->columns, s->size, MIEN_MAX_SIDE);
    if (img_alloc(&s->row, max_row_height(s), width_of(s, s->columns), e) < 0)
        return MIEN_ERR_MEM;
    sheet_next(s);
    return 0;
}

/* Moves the row that is being filled, if any, onto the page. */
static int end_row(struct sheet *s, struct mien_err *e)
{
    size_t n = (size_t)s->row_height * (size_t)s->row.w * 3;
    if (mien_buf_append(&s->page, s->row.px, n) < 0)
        return mien_err_mem(e, s->page.len + n, "a page");
    s->page_height += s->row_height;
    clear_row(s);
    return 0;
}

static int legend_height(const struct sheet *s, int lines)
{
    return s->gap + lines * line_height(s);
}

bool sheet_full(const struct sheet *s)
{
    if (s->cells % s->columns != 0 || s->cells == 0) /* a row is not full yet */
        return false;
    int height = s->page_height + s->row_height;
    int high = (int)fmax(s->row.w * sqrt(2), PAGE_MIN);
    /* The next row is taken to be as high as the last one. */
    if (s->rows > 0 ? s->cells == s->columns * s->rows : height + s->row_height > high)
        return true;
    return height + max_row_height(s) + legend_height(s, SHEET_MAX_LEGEND) + s->gap > MIEN_MAX_SIDE;
}

int sheet_add(struct sheet *s, const struct img *picture, const struct sheet_text *caption,
              bool wrong, struct mien_err *e)
{
    int column = s->cells % s->columns;
    int rc = column == 0 ? end_row(s, e) : 0;
    if (rc < 0)
        return rc;
    struct img_rect r = {width_of(s, column), s->gap, s->size, s->size};
    if (picture != NULL) {
        r.w = picture->w;
        r.h = picture->h;
        draw_image(&s->row, r.x, r.y, picture);
    } else {
        draw_fill(&s->row, r, gray);
    }
    if (wrong)
        draw_frame(&s->row, r, FRAME * s->scale, sheet_color(SHEET_WRONG));
    else
        draw_frame(&s->row, r, s->scale, gray); /* the outline of what is white itself */
    int below = r.y + r.h + CAPTION_GAP * s->scale;
    int lines = draw_lines(s, r.x, below, s->size, SHEET_MAX_LINES, caption);
    if (lines < 0)
        return mien_err_mem(e, caption->chars.len, "a caption");
    int height = below + lines * line_height(s);
    if (height > s->row_height)
        s->row_height = height;
    s->cells++;
    return 0;
}

int sheet_page(struct sheet *s, const struct sheet_text *legend, const unsigned char **px,
               struct mien_size *size, struct mien_err *e)
{
    if (end_row(s, e) < 0)
        return MIEN_ERR_MEM;
    int width = width_of(s, s->cells < s->columns ? s->cells : s->columns);
    int lines = draw_lines(s, s->gap, s->gap, width - 2 * s->gap, SHEET_MAX_LEGEND, legend);
    if (lines < 0)
        return mien_err_mem(e, legend->chars.len, "a legend");
    s->row_height = s->gap + (lines > 0 ? legend_height(s, lines) : 0); /* the page's last gap */
    if (end_row(s, e) < 0)
        return MIEN_ERR_MEM;
    size_t wide = (size_t)s->row.w * 3;
    *size = (struct mien_size){s->page_height, width};
    if (width < s->row.w) {
        for (size_t y = 1; y < (size_t)size->h; y++)
            memmove(s->page.data + y * (size_t)size->w * 3, s->page.data + y * wide,
                    (size_t)size->w * 3);
    }
    *px = s->page.data;
    return 0;
}

void sheet_next(struct sheet *s)
{
    mien_buf_clear(&s->page);
    s->page_height = 0;
    s->cells = 0;
    clear_row(s);
}

void sheet_free(struct sheet *s)
{
    img_free(&s->row);
    mien_buf_free(&s->page);
    mien_buf_free(&s->scratch);
}
