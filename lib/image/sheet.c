#include "sheet.h"

#include <stdlib.h>
#include <string.h>

#include "font.h"
#include "util/array.h"

enum {
    TEXT_SIZE = 320, /* pixels of a picture for each step of its text's size */
    GAP = 16,
    CAPTION_GAP = 6, /* less than GAP, so that a caption visibly belongs to its picture */
    FRAME = 3
};

static const struct draw_color paper = {255, 255, 255}, square = {232, 232, 232};

struct draw_color sheet_color(enum sheet_ink ink)
{
    static const struct draw_color color[] = {
        [SHEET_FAINT] = {96, 96, 96}, [SHEET_PLAIN] = {0, 0, 0}, [SHEET_WRONG] = {208, 0, 0}};
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

/* How many characters a line holds; the last one's empty column may lie beyond it. */
static int line_chars(const struct sheet *s)
{
    return (s->size + s->scale) / (FONT_WIDTH * s->scale);
}

/* Draws a caption from x, y downwards. Returns its lines, or MIEN_ERR_MEM. */
static int draw_caption(struct sheet *s, int x, int y, const struct sheet_text *t)
{
    int chars = line_chars(s), column = 0, line = 0;
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
        bool more = line == SHEET_MAX_LINES - 1;
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
    s->scale = s->size < 2 * TEXT_SIZE ? 1 : s->size / TEXT_SIZE;
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

bool sheet_full(const struct sheet *s)
{
    if (s->cells % s->columns != 0) /* a row is not full yet */
        return false;
    return s->cells == s->columns * s->rows ||
           s->page_height + s->row_height + max_row_height(s) + s->gap > MIEN_MAX_SIDE;
}

int sheet_add(struct sheet *s, const struct img *picture, const struct sheet_text *caption,
              bool wrong, struct mien_err *e)
{
    int column = s->cells % s->columns;
    int rc = column == 0 ? end_row(s, e) : 0;
    if (rc < 0)
        return rc;
    struct img_rect r = {width_of(s, column), s->gap, s->size, s->size};
    draw_fill(&s->row, r, square);
    if (picture != NULL)
        draw_image(&s->row, r.x + (r.w - picture->w) / 2, r.y + (r.h - picture->h) / 2, picture);
    if (wrong)
        draw_frame(&s->row, r, FRAME * s->scale, sheet_color(SHEET_WRONG));
    else
        draw_frame(&s->row, r, s->scale, square); /* the outline of what is white itself */
    int below = r.y + r.h + CAPTION_GAP * s->scale;
    int lines = draw_caption(s, r.x, below, caption);
    if (lines < 0)
        return mien_err_mem(e, caption->chars.len, "a caption");
    int height = below + lines * line_height(s);
    if (height > s->row_height)
        s->row_height = height;
    s->cells++;
    return 0;
}

int sheet_page(struct sheet *s, const unsigned char **px, struct mien_size *size,
               struct mien_err *e)
{
    if (end_row(s, e) < 0)
        return MIEN_ERR_MEM;
    s->row_height = s->gap; /* of paper, below the last row */
    if (end_row(s, e) < 0)
        return MIEN_ERR_MEM;
    size_t wide = (size_t)s->row.w * 3;
    *size = (struct mien_size){s->page_height, s->row.w};
    if (s->cells < s->columns) {
        size->w = width_of(s, s->cells);
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
