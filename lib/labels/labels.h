/*
 * What is known about an image before anyone looks at it: its labels, as people write them.
 *
 * A struct labels is filled from one source (a .mat entry, a table's row, a file's name) and turned
 * into a record's fields in one place.
 */
#ifndef MIEN_LABELS_LABELS_H
#define MIEN_LABELS_LABELS_H

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
    int year;                /* in which the photograph was taken */
    struct label_date taken; /* the day, where more than the year is known */
    bool has_box;
    float box[4];        /* x1 y1 x2 y2, 0-based, half-open */
    float score, score2; /* of the face and of the second face; NaN when unknown */
};

/* How a source writes gender: lists, separated by commas, of words, of numbers, or of ranges of
   numbers such as 0-7380. A NULL means that only words count. */
struct label_codes {
    const char *female, *male;
};

/* How a source writes ages. Zero-initialized: in years, fractions cut off. */
enum { LABEL_CLASSES = 128 };
struct label_ages {
    int offset;         /* added to a number that stands alone */
    bool round;         /* fractions are rounded */
    bool decimal_comma; /* "31,5" is a number */
    int nclass;         /* where it is above 0, a number counts these bands from 0 */
    int class[LABEL_CLASSES][2];
};

/* Takes a list of bands, "0-2,4-6,60+", as the classes. Returns 0 or MIEN_ERR_ARG. */
MIEN_CHECKED int labels_classes(struct label_ages *how, const char *list, struct mien_err *e);

/* The order of a date's parts where its text doesn't tell: 03/04/1990. */
enum label_date_order { DATE_UNSAID, DATE_YMD, DATE_DMY, DATE_MDY, DATE_DATENUM, DATE_EXCEL };

/* Everything unknown. */
void labels_init(struct labels *l);

/* Whether text says that a value is missing: nothing, NA, NaN, none, null, unknown, u, ? and the
   like. */
bool labels_missing(const char *s, size_t n);

/* The same, or -1, which many sets write. */
bool labels_unknown(const char *s, size_t n);

/* An age into l->age or a band of ages into l->band, leaving the other: "35", "35.0", "18 months",
   "20-29", "(25, 32)", "[20, 30)" (without 30), "20 to 29", "20s", "60+", "70 or older", "more than
   70" (FairFace's name for 70 and above, as its band below ends at 69), "over 70", "under 3", "up
   to 3". Bands are cut off at MIEN_AGE_MAX; an age is taken as it is, to be judged by
   labels_age_known. Unknown text changes nothing. Returns 0 or MIEN_ERR_FORMAT. */
MIEN_CHECKED int labels_age(struct labels *l, const char *s, size_t n, const struct label_ages *how,
                            struct mien_err *e);

/* An age in months, into l->age. */
MIEN_CHECKED int labels_months(struct labels *l, const char *s, size_t n,
                               const struct label_ages *how, struct mien_err *e);

/* A gender, into l->gender: the given codes, or the usual words ("female", "F", "woman", ...),
   without regard to case; numbers by their value, so that 1.0 is 1. A bare number that isn't a
   given code is refused, as data sets disagree on its meaning. Unknown text changes nothing.
   Returns 0 or MIEN_ERR_FORMAT. */
MIEN_CHECKED int labels_gender(struct labels *l, const char *s, size_t n,
                               const struct label_codes *codes, struct mien_err *e);

/* A date: 1990-03-04, 1990/3/4, 19900304, 4.3.1990, 4 March 1990, March 4, 1990, also with a time
   behind it; 3/4/1990, 3-4-90 and the like by the order, or where only one order is possible; a
   day number of MATLAB or Excel by the order alone. Two digits of a year are 1930 to 2029. Unknown
   text gives an unknown date. Returns 0 or MIEN_ERR_FORMAT. */
MIEN_CHECKED int labels_date(struct label_date *d, const char *s, size_t n,
                             enum label_date_order order, struct mien_err *e);

/* When the photograph was taken, a year or a date, into l->year and l->taken. Unknown text changes
   nothing. Returns 0 or MIEN_ERR_FORMAT. */
MIEN_CHECKED int labels_taken(struct labels *l, const char *s, size_t n,
                              enum label_date_order order, struct mien_err *e);

/* The date of a MATLAB datenum: days in the proleptic Gregorian calendar, 1 being 1 January of the
   year 0. Days before that or after the year 9999, or no number, give an unknown date. */
struct label_date labels_datenum(double days);

/* Sets the age from birth and the day it was taken, when it and the band are unknown. Where only
   the year is known: completed years on 1 July of it, the best guess; born in July or later counts
   as not yet having had the birthday. IMDB-WIKI knows no more. */
void labels_derive_age(struct labels *l);

/* Whether the age is known and within 0..MIEN_AGE_MAX; and whether it is known and is not. */
bool labels_age_known(const struct labels *l);
bool labels_age_outside(const struct labels *l);

/* Sets the fields of what is known, and touches no other. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int labels_to_rec(const struct labels *l, struct mien_rec *r);

#endif
