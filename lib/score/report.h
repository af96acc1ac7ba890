/* Inside reports: what the formats have in common. */
#ifndef MIEN_SCORE_REPORT_H
#define MIEN_SCORE_REPORT_H

#include "run.h"

/* The metrics of one score, with their intervals. */
struct summary {
    double value[SCORE_METRICS];
    uint64_t n[SCORE_METRICS], most; /* most: the largest n */
    struct score_interval interval[SCORE_METRICS];
};
MIEN_CHECKED int report_summarise(const struct score_report *o, const struct score *s,
                                  struct summary *out);

/* What was not scored, and why. */
struct tally {
    const char *name, *title;
    uint64_t n;
};
enum { TALLIES = 8 };
void report_tally(const struct score_run *run, struct tally out[TALLIES]);

/* The metrics that a table of slices has columns for, and a running line. */
enum { MAIN_METRICS = 6 };
extern const int report_main_metrics[MAIN_METRICS];

/* The name of the point estimate that CS, bins and bands judge. */
const char *report_point_name(const struct score_run *run);

/* The confusion matrices, of age bins or of genders: the name of a class, and how many records of
   class label were predicted to be of class predicted. */
const char *report_class_name(const struct score_run *run, bool bins, int i, char buf[16]);
uint64_t report_confused(const struct score_run *run, bool bins, int label, int predicted);

/* The formats: a report of n runs, s being their summaries, and a line of a stream that goes on.
   They append to out and return 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int report_text(const struct score_report *o, const struct score_run *runs,
                             const char *const *names, const struct summary *s, size_t n,
                             struct mien_buf *out);
MIEN_CHECKED int report_text_running(const struct score_run *run, const struct summary *s,
                                     bool first, struct mien_buf *out);
MIEN_CHECKED int report_tsv(const struct score_report *o, const struct score_run *runs,
                            const char *const *names, const struct summary *s, size_t n,
                            struct mien_buf *out);
MIEN_CHECKED int report_tsv_running(const struct score_run *run, const char *name,
                                    const struct summary *s, bool first, struct mien_buf *out);
MIEN_CHECKED int report_json(const struct score_report *o, const struct score_run *runs,
                             const char *const *names, const struct summary *s, size_t n,
                             struct mien_buf *out);
MIEN_CHECKED int report_json_running(const struct score_run *run, const char *name,
                                     const struct summary *s, struct mien_buf *out);

#endif
