/* Inside reports: a run summed up, which the formats share. */
#ifndef MIEN_SCORE_SUMMARY_H
#define MIEN_SCORE_SUMMARY_H

#include "run.h"

/* The metrics of one score, with their intervals. */
struct summary {
    double value[SCORE_METRICS];
    uint64_t n[SCORE_METRICS], most; /* most: the largest n */
    struct score_interval interval[SCORE_METRICS];
    double guess[SCORE_METRICS]; /* by the best constant guess; NaN: none, as in slices */
};
MIEN_CHECKED int summary_of(const struct score_report *o, const struct score *s,
                            struct summary *out);

/* The same of a run, with its guesses. */
MIEN_CHECKED int summary_of_run(const struct score_report *o, const struct score_run *run,
                                struct summary *out);

/* How many records there were, and how many of them were not scored, by the cause. */
struct record_count {
    const char *name, *title;
    uint64_t n;
};
enum { RECORD_COUNTS = 8 };
void summary_records(const struct score_run *run, struct record_count out[RECORD_COUNTS]);

/* The metrics that a table of slices has columns for; a running line has the first MAIN_METRICS. */
enum { MAIN_METRICS = 6, SLICE_METRICS = 9 };
extern const int summary_metrics[SLICE_METRICS];

/* The largest gap of a metric between two slices of at least GAP_RECORDS records each. */
enum { GAP_RECORDS = 30 };
struct slice_gap {
    size_t low, high; /* slices: that of the lower value, and of the higher one */
    double gap;
    struct score_interval interval; /* of the two's difference; NaN without resamples */
};

/* slices are the summaries of the run's. False when there are no two such slices. */
bool summary_gap(const struct score_run *run, const struct summary *slices, int metric,
                 struct slice_gap *out);

/* How well confidences can be relied on: of genders, and of ages. */
struct confidence_view {
    const char *name, *title;
    const struct confidence *table;
    const char *loss, *loss_title; /* the metric that the confident ones are better at */
    bool share; /* the loss is a share that is wrong, shown as one that's right */
};
enum { CONFIDENCES = 2 };
void summary_confidences(const struct score_run *run, struct confidence_view out[CONFIDENCES]);

/* The shares of records for which tables show what is gained by leaving out the others. */
enum { COVERAGES = 10 };
extern const double summary_coverages[COVERAGES];

/* The name of the point estimate that CS, bins and bands judge. */
const char *summary_point_name(const struct score_run *run);

/* The confusion matrices, of age bins or of genders: the name of a class, and how many records of
   class label were predicted to be of class predicted. */
const char *summary_class_name(const struct score_run *run, bool bins, int i, char buf[16]);
uint64_t summary_confused(const struct score_run *run, bool bins, int label, int predicted);

#endif
