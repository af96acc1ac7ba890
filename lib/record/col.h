/*
 * Columns: how text output and --select name and read what a record holds.
 *
 * A column is a field, by the name that mien_tag_name gives it (a tag that this version doesn't
 * know is tag99), a value derived from fields, or a field of a name that only the stream knows
 * (named.h). Column numbers are tags, or one of enum col.
 */
#ifndef MIEN_RECORD_COL_H
#define MIEN_RECORD_COL_H

#include <stdbool.h>
#include <stddef.h>

#include "mien/err.h"
#include "mien/record.h"

/* Derived columns. They are absent where p_age or p_gender is absent or isn't a distribution,
   COL_DOUBT where there is neither with its label. */
enum col {
    COL_PRED_AGE = 0x10000, /* the three point estimates of pred.h: the expectation, */
    COL_PRED_AGE_MODE,      /* the most probable year, */
    COL_PRED_AGE_MEDIAN,    /* the median */
    COL_PRED_AGE_SD,        /* the standard deviation, in years */
    COL_PRED_AGE_LOW,       /* the central interval of PRED_INTERVAL, from */
    COL_PRED_AGE_HIGH,      /* to */
    COL_AGE_ERROR,          /* |pred_age - age|, in years */
    COL_PRED_GENDER,        /* the more probable gender, coded as gender is */
    COL_P_FEMALE,
    COL_P_MALE,
    COL_DOUBT, /* the greater of pred.h's doubts of age and gender */
    COL_DERIVED_END,
    COL_NAMED = COL_DERIVED_END /* by its name */
};

/* A column; name, len bytes of text that is borrowed, is of COL_NAMED alone. */
struct column {
    int id;
    const char *name;
    size_t len;
};

/* A column's number by the len bytes of its name, or 0 for what isn't known here. */
int col_of(const char *name, size_t len);

/* The column of a name, COL_NAMED where it isn't known here; id 0 where it can't be one. */
struct column column_of(const char *name, size_t len);

/* A column's name; buf is used where it has to be made up. Not for COL_NAMED. */
const char *col_name(int col, char buf[16]);

/* A list of names such as "id,age,camera", which is borrowed. *cols is the caller's to free.
   Returns 0, MIEN_ERR_ARG (what can't be a name) or MIEN_ERR_MEM. */
MIEN_CHECKED int col_parse(const char *list, struct column **cols, size_t *n, struct mien_err *e);

/* The columns to show of a stream that begins with r: its fields in their order, where p_gender
   gives way to pred_gender and p_male, p_age to pred_age, and landmarks and prep, which are long,
   are left out; fields gives way to those in it, whose names point into r. Returns how many, at
   most max. */
size_t col_defaults(const struct mien_rec *r, struct column *cols, size_t max);

/* The field of a column whatever its type and shape, or NULL when absent or derived. */
const struct mien_field *col_field(const struct mien_rec *r, int col);

/* The forms a value has; an array has neither. */
enum { COL_NUMBER = 1, COL_TEXT = 2 };

struct col_value {
    int forms;
    double number;
    int decimals;     /* of a derived number: how many are worth showing */
    const char *text; /* len bytes, not zero-terminated; valid as long as the record and this */
    size_t len;
    char buf[16];
};

/* Reads a column. Returns false when it is absent. A gender is both, a number and a word; an age
   band is text such as "20-29". */
bool col_get(const struct mien_rec *r, int col, struct col_value *v);

/* The same for any column. A named one is text, and a number, too, where the text is one. */
bool column_get(const struct mien_rec *r, const struct column *c, struct col_value *v);

/* Columns of names that no record has had yet: most likely misspelled. */
enum { COLUMNS_UNSEEN = 32 };
struct columns_unseen {
    struct column column[COLUMNS_UNSEEN];
    size_t n;
};

/* Adds the named ones of these columns, as far as there is room. */
void columns_expect(struct columns_unseen *u, const struct column *cols, size_t n);

/* Takes out those that the record has. */
void columns_see(struct columns_unseen *u, const struct mien_rec *r);

/* Checks that records had them all: a name that none had is most likely misspelled. Returns 0, or
   MIEN_ERR_ARG with "'x' is not a field". */
MIEN_CHECKED int columns_seen(const struct columns_unseen *u, struct mien_err *e);

/* Checks that all of these columns are fields, none derived. Returns 0 or MIEN_ERR_ARG. */
MIEN_CHECKED int columns_are_fields(const struct column *cols, size_t n, struct mien_err *e);

/* The forms that the column's values can have. */
int col_forms(int col);

/* "female", "male", or NULL for another code. */
const char *col_gender_name(int gender);

#endif
