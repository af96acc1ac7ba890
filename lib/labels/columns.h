/* Which column of a table has which role: rule.h says how that is known. */
#ifndef MIEN_LABELS_COLUMNS_H
#define MIEN_LABELS_COLUMNS_H

#include "csv.h"
#include "mien/buf.h"
#include "rule.h"

#define NO_COLUMN ((size_t)-1)

enum { PATH_PARTS = 32 };

struct columns {
    size_t count;
    size_t least;     /* of these a row must have: those behind have neither name nor role */
    size_t at[ROLES]; /* NO_COLUMN where there is none */
    /* The path's template: each part is text and then a column, or none. */
    struct path_part {
        const char *text;
        size_t len, column;
    } part[PATH_PARTS];
    int nparts;
    size_t field[RULE_FIELDS]; /* of the rule's fields */
    struct mien_buf ignored;   /* the other headers, joined by ", " and terminated */
};

/* Finds the columns by their headers. first is a table's first row; has_header tells whether it is
   a header, otherwise columns have numbers only. names: paths alone are enough, as their names are
   looked at. Returns 0, MIEN_ERR_FORMAT when there is no path or no label, or MIEN_ERR_MEM. */
MIEN_CHECKED int columns_find(struct columns *c, const struct rule *rule,
                              const struct csv_cell *first, size_t n, bool has_header, bool names,
                              struct mien_err *e);
void columns_free(struct columns *c);

/* Whether a cell is the path of an image, by its extension. */
bool columns_is_image(struct csv_cell c);

/* The cell without blanks around it. */
struct csv_cell columns_trim(struct csv_cell c);

#endif
