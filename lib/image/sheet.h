/*
 * A contact sheet's page: rows of cells, each a picture with a caption below, and a legend.
 *
 * A page grows row by row, each as high as its highest cell, so nothing is cut off.
 */
#ifndef MIEN_IMAGE_SHEET_H
#define MIEN_IMAGE_SHEET_H

#include <stdbool.h>
#include <stddef.h>

#include "mien/buf.h"
#include "draw.h"
#include "img.h"

/* The colors of the page and of what is drawn on its pictures. */
enum sheet_ink { SHEET_FAINT, SHEET_PLAIN, SHEET_WRONG, SHEET_BOX };
struct draw_color sheet_color(enum sheet_ink ink);

/* Words, each with its ink. Lines break between words only; a word that is longer than a line is
   shortened in its middle. Zero-initialized it is empty; its owner frees it. */
struct sheet_word {
    size_t at, len; /* in chars */
    enum sheet_ink ink;
    bool line; /* begins a new line */
};
struct sheet_text {
    struct mien_buf chars;
    struct sheet_word *word;
    size_t n, cap;
};

/* Appends a word of len bytes. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int sheet_say(struct sheet_text *t, enum sheet_ink ink, bool line, const char *s,
                           size_t len);
/* Appends to the last word. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int sheet_lengthen(struct sheet_text *t, const char *s, size_t len);
void sheet_text_clear(struct sheet_text *t);
void sheet_text_free(struct sheet_text *t);

enum {
    SHEET_MIN_SIZE = 64, /* as wide as "31 (25-38)" */
    SHEET_MAX_SIZE = 2048,
    SHEET_MAX_LINES = 64,  /* of a caption; an ellipsis replaces further ones */
    SHEET_MAX_LEGEND = 16, /* lines; likewise */
    SHEET_MAX_CELLS = 1000 /* columns, and rows */
};

struct sheet {
    /* Set by the caller before sheet_start. */
    int columns;
    int rows; /* 0: as many as make a page about half as high again as it is wide */
    int size; /* a picture's largest side, in pixels: SHEET_MIN_SIZE to SHEET_MAX_SIZE */

    /* The rest is the sheet's own. */
    int scale;            /* of the text */
    int gap;              /* between cells, and around the page */
    int cells;            /* on the page */
    struct img row;       /* the row that is being filled */
    int row_height;       /* what is used of it */
    struct mien_buf page; /* the rows before it */
    int page_height;
    struct mien_buf scratch;
};

/* Begins the first page. Returns 0; MIEN_ERR_LIMIT when the columns are wider than MIEN_MAX_SIDE;
   or MIEN_ERR_MEM. */
MIEN_CHECKED int sheet_start(struct sheet *s, struct mien_err *e);

/* Whether the page has no room for another cell: all its rows are filled, or another row might
   make it higher than MIEN_MAX_SIDE. A page has room for one row at least. */
bool sheet_full(const struct sheet *s);

/* Puts a cell onto the page, which isn't full. The picture is at most size x size; NULL leaves
   a gray square. A wrong cell has a red frame. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int sheet_add(struct sheet *s, const struct img *picture,
                           const struct sheet_text *caption, bool wrong, struct mien_err *e);

/* Finishes the page, which has cells, with a legend at its end, unless that is empty. Gives its pixels
   and its size: rows that are no wider than the cells on it need. They live until sheet_next.
   Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int sheet_page(struct sheet *s, const struct sheet_text *legend,
                            const unsigned char **px, struct mien_size *size, struct mien_err *e);

/* Begins the next page. */
void sheet_next(struct sheet *s);

void sheet_free(struct sheet *s);

#endif
