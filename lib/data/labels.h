/*
 * What is known about an image before anyone looks at it: its labels, as people write them.
 *
 * A struct labels is filled from one source (a .mat entry, a table's row, a file's name) and turned
 * into a record's fields in one place.
 */
#ifndef MIEN_DATA_LABELS_H
#define MIEN_DATA_LABELS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "mien/err.h"
#include "mien/record.h"

#define LABEL_UNKNOWN INT_MIN

enum { FEMALE = 0, MALE = 1 };

struct label_text {
    const char *s; /* borrowed, not terminated; NULL when unknown */
    size_t len;
};

struct label_date {
    int year, month, day; /* year LABEL_UNKNOWN when unknown */
};

struct labels {
    struct label_text id, subject, group, split;
    int age;     /* in years; may lie outside 0..MIEN_AGE_MAX, and is then no label */
    int band[2]; /* youngest and oldest, inclusive; band[0] LABEL_UNKNOWN when unknown */
    int gender;  /* FEMALE, MALE or LABEL_UNKNOWN */
    struct label_date birth;
    int year; /* in which the photograph was taken */
    bool has_box;
    float box[4];        /* x1 y1 x2 y2, 0-based, half-open */
    float score, score2; /* of the face and of the second face; NaN when unknown */
};

/* How a source writes gender. A NULL means that only words count. */
struct label_codes {
    const char *female, *male;
};

/* Everything unknown. */
void labels_init(struct labels *l);

/* Whether text says that a value is missing: nothing, NA, NaN, none, null, unknown, u or ?. */
bool labels_missing(const char *s, size_t n);

/* An age into l->age or a band of ages into l->band, leaving the other: "35", "35.0" (the fraction
   is cut), "20-29", "(25, 32)", "20 to 29", "60+", "more than 70" (FairFace's name for 70 and
   above, as its band below ends at 69), "over 70", "under 3". Bands are cut off at MIEN_AGE_MAX; an
   age is taken as it is, to be judged by labels_age_known. Missing text changes nothing. Returns 0
   or MIEN_ERR_FORMAT. */
MIEN_CHECKED int labels_age(struct labels *l, const char *s, size_t n, struct mien_err *e);

/* A gender, into l->gender: the given codes, or the usual words ("female", "F", "woman", ...),
   without regard to case. A bare number that isn't a given code is refused, as data sets disagree
   on its meaning. Missing text changes nothing. Returns 0 or MIEN_ERR_FORMAT. */
MIEN_CHECKED int labels_gender(struct labels *l, const char *s, size_t n,
                               const struct label_codes *codes, struct mien_err *e);

/* A date of birth, YYYY-M-D. Missing text changes nothing. Returns 0 or MIEN_ERR_FORMAT. */
MIEN_CHECKED int labels_birth(struct labels *l, const char *s, size_t n, struct mien_err *e);

/* The year of the photograph. Missing text changes nothing. Returns 0 or MIEN_ERR_FORMAT. */
MIEN_CHECKED int labels_year(struct labels *l, const char *s, size_t n, struct mien_err *e);

/* The date of a MATLAB datenum: days in the proleptic Gregorian calendar, 1 being 1 January of the
   year 0. Days before that or after the year 9999, or no number, give an unknown date. */
struct label_date labels_datenum(double days);

/* Sets the age from birth and year when it and the band are unknown: completed years on 1 July of
   the year in which the photograph was taken. IMDB-WIKI knows no more than that year, so the
   middle of it is the best guess; born in July or later counts as not yet having had the
   birthday. */
void labels_derive_age(struct labels *l);

/* Whether the age is known and within 0..MIEN_AGE_MAX; and whether it is known and is not. */
bool labels_age_known(const struct labels *l);
bool labels_age_outside(const struct labels *l);

/* Sets the fields of what is known, and touches no other. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int labels_to_rec(const struct labels *l, struct mien_rec *r);

#endif
