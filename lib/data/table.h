/*
 * Tables of labels: a CSV or tab-separated file (csv.h) with a header, one image a row.
 *
 * A column's role is known by its header, whatever the case, a space being as good as '_':
 *
 *   path     path, file, filename, file_name, image, image_path, img, id
 *   age      age; a year or a band, see labels_age()
 *   band     age_band, band, age_group; the same, with an age or alone
 *   gender   gender, sex
 *   subject  subject, person, identity, user_id, name
 *   group    group, race, ethnicity
 *   birth    birth, dob, date_of_birth
 *   year     year, photo_taken
 *   box      box, face_box; four numbers x1 y1 x2 y2, 0-based, half-open, in any brackets
 *   x1 y1 x2 y2   the same, in a column each
 *   score, score2, split
 *
 * Only a path and one more are needed. Columns of no known role are left out.
 */
#ifndef MIEN_DATA_TABLE_H
#define MIEN_DATA_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mien/err.h"
#include "labels.h"
#include "mien/record.h"

enum table_role {
    ROLE_PATH,
    ROLE_AGE,
    ROLE_BAND,
    ROLE_GENDER,
    ROLE_SUBJECT,
    ROLE_GROUP,
    ROLE_BIRTH,
    ROLE_YEAR,
    ROLE_BOX,
    ROLE_X1,
    ROLE_Y1,
    ROLE_X2,
    ROLE_Y2,
    ROLE_SCORE,
    ROLE_SCORE2,
    ROLE_SPLIT,
    ROLES
};

/* How to read a table. */
struct table_rule {
    struct label_codes codes;
    const char *header[ROLES]; /* the header of a role's column, where it isn't one of the above */
    bool any_age;              /* an age outside 0-100 is left out, without an error */
};

/* Sets a role's header from "ROLE=HEADER". text is borrowed. Returns 0 or MIEN_ERR_ARG. */
MIEN_CHECKED int table_column(struct table_rule *rule, const char *text, struct mien_err *e);

struct table;

/* Reads the header from fd; head holds the n bytes already read, at most 4096. rule is borrowed.
   Returns NULL when the header can't be used or can't be read. */
struct table *table_new(int fd, const void *head, size_t n, const struct table_rule *rule,
                        struct mien_err *e);
void table_free(struct table *t); /* NULL is harmless */

/* The headers of the columns that are left out, joined by ", "; "" for none. */
const char *table_ignored(const struct table *t);

/* The next row as a record, which is cleared first. Returns 1; 0 at the end; MIEN_ERR_FORMAT for a
   bad row, with the line in the message: r then has the row's path, if it could be told, and
   nothing else. MIEN_ERR_LIMIT, MIEN_ERR_SYS and MIEN_ERR_MEM end the reading. */
MIEN_CHECKED int table_next(struct table *t, struct mien_rec *r, struct mien_err *e);

#endif
