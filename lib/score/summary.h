/* Inside reports: a run summed up, which the formats share. */
#ifndef MIEN_SCORE_SUMMARY_H
#define MIEN_SCORE_SUMMARY_H

#include "run.h"

/* The metrics of one score, with their intervals. */
struct summary {
    double value[SCORE_METRICS];
    uint64_t n[SCORE_METRICS], most; /* most: the largest n */
    struct score_interval interval[SCORE_METRICS];
};
MIEN_CHECKED int summary_of(const struct score_report *o, const struct score *s,
                            struct summary *out);

/* How many records there were, and how many of them were not scored, by the cause. */
struct record_count {
    const char *name, *title;
    uint64_t n;
};
enum { RECORD_COUNTS = 8 };
void summary_records(const struct score_run *run, struct record_count out[RECORD_COUNTS]);

/* The metrics that a table of slices has columns for, and a running line. */
enum { MAIN_METRICS = 6 };
extern const int summary_metrics[MAIN_METRICS];

/* The name of the point estimate that CS, bins and bands judge. */
const char *summary_point_name(const struct score_run *run);

/* The confusion matrices, of age bins or of genders: the name of a class, and how many records of
   class label were predicted to be of class predicted. */
const char *summary_class_name(const struct score_run *run, bool bins, int i, char buf[16]);
uint64_t summary_confused(const struct score_run *run, bool bins, int label, int predicted);

#endif
