/*
 * Scoring records: a run is what mien-score knows of one stream of predictions, and what it
 * reports of it.
 */
#ifndef MIEN_SCORE_RUN_H
#define MIEN_SCORE_RUN_H

#include <stddef.h>
#include <stdint.h>

#include "mien/buf.h"
#include "mien/err.h"
#include "mien/record.h"
#include "assurance.h"
#include "baseline.h"
#include "confidence.h"
#include "record/col.h"
#include "score.h"

enum {
    SCORE_MAX_KEYS = 8,       /* what --by may combine */
    SCORE_MAX_SLICES = 65536, /* the slices of a run; the records of further ones are gathered */
    SCORE_KEY_BIN = 0x20000   /* the bin of the label: a key that isn't a column */
};

struct score_slice {
    char *name; /* the keys' values as the records have them, "White, 20-29"; a zero follows */
    size_t len;
    struct score score;
};

/* One stream of records. Zero-initialized but for rule and keys it is empty; its owner frees it. */
struct score_run {
    const struct score_rule *rule;
    const struct column *keys; /* or SCORE_KEY_BIN, by whose values slices are made */
    size_t nkeys;

    struct score total;
    struct baseline baseline;
    struct confidence conf_gender, conf_age;
    struct assurance assurance;
    uint64_t *bins; /* nbins by nbins: label, prediction */
    struct score_slice *slice;
    size_t nslice, cap;
    uint32_t *index;              /* hash table of slices, counted from 1; NULL without keys */
    struct mien_buf name;         /* scratch */
    struct columns_unseen unseen; /* keys that no record had */

    uint64_t records;
    uint64_t errors;                                   /* records with an error field */
    uint64_t bad;                                      /* records that score_run_add refused */
    uint64_t no_gender, no_p_gender, no_age, no_p_age; /* without a label, a prediction */
    uint64_t several_bins; /* with an age band that lies in several bins */
};

/* The keys of --by: "group", "gender", "bin", "subject", any other column, or several joined by
   commas, of whose combinations slices are made. keys holds SCORE_MAX_KEYS; text is borrowed.
   Returns 0 or MIEN_ERR_ARG.
 */
MIEN_CHECKED int score_keys(const char *text, struct column *keys, size_t *n, struct mien_err *e);

/* Reads a record's labels and predictions, which point into it. A confidence that it doesn't carry
   is the distribution's own. Returns 0 or MIEN_ERR_FORMAT for impossible values. */
MIEN_CHECKED int score_read(const struct mien_rec *r, struct score_label *l,
                            struct score_prediction *p, struct mien_err *e);

/* Scores a record. Returns 0; MIEN_ERR_FORMAT with a message for a record whose label or prediction
   is impossible, which is counted and not scored; or MIEN_ERR_MEM. */
MIEN_CHECKED int score_run_add(struct score_run *run, const struct mien_rec *r, struct mien_err *e);

/* Whether any of its records has both a label and a prediction. */
bool score_run_any(const struct score_run *run);

/* Whether, of the records that were added, if there are any, some had the fields of its keys.
   Returns 0, or MIEN_ERR_ARG with "'x' is not a field". */
MIEN_CHECKED int score_run_check_keys(const struct score_run *run, struct mien_err *e);

/* Orders the slices by name, numbers in names by value. */
void score_run_sort(struct score_run *run);

void score_run_free(struct score_run *run);

/* --- Saved scores ---------------------------------------------------------------------------- */

/* Appends what a run has counted, as text that score_run_load reads. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int score_run_save(struct score_run *run, struct mien_buf *out);

/* The rule of a saved run, what --point, --bins, --over and --challenge were, and the keys as
   score_keys takes them, "" for none. Returns 0 or MIEN_ERR_FORMAT. */
enum { SCORE_BY = 1024 };
MIEN_CHECKED int score_saved_rule(const void *text, size_t len, struct score_rule *rule,
                                  char by[SCORE_BY], struct mien_err *e);

/* Adds what a saved run of the same rule and keys has counted. The sum of runs is, to the byte of
   every report, the run of all their records, unless there are more than SCORE_MAX_SLICES. Returns
   0, MIEN_ERR_FORMAT or MIEN_ERR_MEM, and after a failure run is fit for score_run_free only. */
MIEN_CHECKED int score_run_load(struct score_run *run, const void *text, size_t len,
                                struct mien_err *e);

/* Writes it to a file, which appears whole or not at all. Returns 0 or a negative code. */
MIEN_CHECKED int score_run_write(struct score_run *run, const char *path, struct mien_err *e);

/* What saved runs are of. Zero-initialized it is nothing yet. */
struct score_saved {
    struct score_rule rule;
    struct column keys[SCORE_MAX_KEYS];
    char by[SCORE_BY];
};

/* Makes *run, which is empty, the sum of the saved runs in n > 0 files, "-" being standard input.
   Its rule and keys are those of the first, which *s holds: it must live as long. Returns as
   score_run_load; MIEN_ERR_SYS or MIEN_ERR_LIMIT; or MIEN_ERR_ARG if no record had a key's
   field. */
MIEN_CHECKED int score_run_merge(struct score_run *run, struct score_saved *s,
                                 const char *const *paths, size_t n, struct mien_err *e);

/* --- Reports --------------------------------------------------------------------------------- */

enum score_format { SCORE_TEXT, SCORE_TSV, SCORE_JSON };

struct score_report {
    enum score_format format;
    int boot; /* resamples for the intervals; 0: none */
    uint64_t seed;
    bool tables;  /* also those of confidences */
    bool resumed; /* running lines went before: score_report_running notes it */
};

/* Appends what is reported of n runs, side by side in text. names are those of their files.
   Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int score_report(const struct score_report *o, const struct score_run *runs,
                              const char *const *names, size_t n, struct mien_buf *out);

/* Appends one line of a stream that goes on: the metrics of all the records so far. In text and TSV
   a heading goes before the first one. */
MIEN_CHECKED int score_report_running(struct score_report *o, const struct score_run *run,
                                      const char *name, struct mien_buf *out);

#endif
