/*
 * How a source writes its labels: the columns of a table, how values are written, the pattern of
 * names. Options of mien-meta and the lines of a set's file (set.h) fill the same struct.
 *
 * A column's role is known by its header, whatever the case, a space or '-' being as good as '_'.
 * The lists are in rule.c; of a role's several headers the first in the list that a table has
 * counts. Boxes come in one column, or in four by the usual names: x1 y1 x2 y2, xmin ymin xmax
 * ymax, left top right bottom, x y width height and so on, also with a prefix such as face_.
 */
#ifndef MIEN_LABELS_RULE_H
#define MIEN_LABELS_RULE_H

#include <stdbool.h>
#include <stddef.h>

#include "labels.h"
#include "mien/err.h"

enum role {
    ROLE_PATH,
    ROLE_AGE,
    ROLE_BAND,
    ROLE_MONTHS,
    ROLE_GENDER,
    ROLE_SUBJECT,
    ROLE_GROUP,
    ROLE_BIRTH,
    ROLE_YEAR,
    ROLE_BOX,
    ROLE_X1, /* the edges; from here to ROLE_HEIGHT in this order */
    ROLE_Y1,
    ROLE_X2,
    ROLE_Y2,
    ROLE_X, /* a corner and the size */
    ROLE_Y,
    ROLE_WIDTH,
    ROLE_HEIGHT,
    ROLE_SCORE,
    ROLE_SCORE2,
    ROLE_SPLIT,
    ROLES
};

enum { RULE_FIELDS = 32, RULE_VALUES = 128, RULE_IGNORED = 32 };

/* Zero-initialized: everything as usual. Texts are borrowed. */
struct rule {
    struct label_codes codes;
    struct label_ages ages;
    int date;        /* enum label_date_order */
    bool any_age;    /* an age outside 0-100 is left out, without an error */
    bool no_box;     /* boxes are left out: they are those of other images */
    bool no_header;  /* the first line is a row */
    bool no_repeats; /* of rows in succession with one path, the first counts */
    int separator;   /* of columns, ' ' for blanks; 0 to find it */

    /* A role's headers, separated by '|', or the column's number from 1, where the usual ones won't
       do; maybe: a table may lack it. */
    const char *header[ROLES];
    bool maybe[ROLES];
    const char *path;  /* a template of the path: text and {HEADER} */
    const char *names; /* patterns of names.h */
    const char *file;  /* the same for the names of tables */

    /* Columns that are kept as fields of their own. */
    struct rule_field {
        const char *name, *header; /* name_len and header_len bytes */
        size_t name_len, header_len;
    } field[RULE_FIELDS];
    int nfield;
    /* What a text stands for, in the roles group, split and subject. */
    struct rule_value {
        int role;
        const char *code, *meaning;
        size_t code_len;
    } value[RULE_VALUES];
    int nvalue;
    const char *ignored[RULE_IGNORED]; /* headers that nothing is read from */
    int nignored;
};

/* What an option or a line of a set's file says; dst is the struct rule. Each returns 0 or
   MIEN_ERR_ARG. They are of the type that MIEN_OPT_FUNC takes. */
int rule_column(void *dst, const char *text, struct mien_err *e);    /* ROLE=HEADER */
int rule_fields(void *dst, const char *text, struct mien_err *e);    /* [NAME=]HEADER,... */
int rule_classes(void *dst, const char *text, struct mien_err *e);   /* BAND,... */
int rule_separator(void *dst, const char *text, struct mien_err *e); /* a character, tab, blank */
int rule_value(void *dst, const char *text, struct mien_err *e);     /* ROLE CODE=MEANING */
int rule_ignore(void *dst, const char *text, struct mien_err *e);    /* HEADER */

/* Puts into r what over says. */
void rule_override(struct rule *r, const struct rule *over);

/* A role's name, and the usual headers, those likelier first, separated by '|'. */
const char *rule_role(int role);
const char *rule_headers(int role);

/* The text that a role's text stands for. */
struct label_text rule_meaning(const struct rule *r, int role, struct label_text text);

/* Whether the role has such meanings at all, and one for this text. */
bool rule_has_meanings(const struct rule *r, int role);
bool rule_has_meaning(const struct rule *r, int role, struct label_text text);

#endif
