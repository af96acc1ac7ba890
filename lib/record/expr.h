/*
 * The language of --select: conditions on a record's columns (col.h).
 *
 *   age >= 18 && gender == male && group != "White" || error
 *
 * condition: conditions joined by && and ||, ! before one, parentheses; && binds closer than ||
 * test:      a column compared (== != < <= > >=) with a number, a word, a "quoted" or 'quoted'
 *            text or another column; or a column's name alone, true when the record has it
 *
 * Numbers are compared as numbers, texts byte by byte. A comparison with a column that the record
 * lacks is false, != included; with a column that is not a number (NaN) it is false but for !=.
 */
#ifndef MIEN_RECORD_EXPR_H
#define MIEN_RECORD_EXPR_H

#include <stdbool.h>

#include "col.h"
#include "mien/err.h"
#include "mien/record.h"

struct expr;

/* Parses a condition, which may be freed afterwards. Returns NULL, with a message, when it isn't
   a condition, names what can't be a field, or compares what can't be compared. */
struct expr *expr_parse(const char *text, struct mien_err *e);

/* Adds the fields that the condition names and that aren't known here, see col.h; their names are
   x's. */
void expr_expect(const struct expr *x, struct columns_unseen *u);

/* Whether the record meets the condition. */
bool expr_match(const struct expr *x, const struct mien_rec *r);

void expr_free(struct expr *x); /* NULL is harmless */

#endif
