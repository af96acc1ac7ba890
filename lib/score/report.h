/* Inside reports: their formats. A report is of n runs, s being their summaries; a running one is a
   line of a stream that goes on. They append to out and return 0 or MIEN_ERR_MEM. */
#ifndef MIEN_SCORE_REPORT_H
#define MIEN_SCORE_REPORT_H

#include "summary.h"

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

/* A line of tab-separated values; n, low and high, guess: left empty when negative, NaN. The slice
   is that of all records when it is NULL. */
struct tsv_line {
    const char *file, *slice;
    size_t slice_len;
    long long n;
    double value;
    struct score_interval interval;
    double guess;
};
MIEN_CHECKED int report_tsv_line(struct mien_buf *out, const struct tsv_line *l, const char *fmt,
                                 ...) __attribute__((format(printf, 3, 4)));

/* "key":, and what follows it as a string. */
MIEN_CHECKED int report_json_string(struct mien_buf *out, const char *key, const char *s,
                                    size_t len);

/* Of confidences, and of age checks where the rule has an age: a part of each format. */
MIEN_CHECKED int report_text_confidence(const struct score_run *run, struct mien_buf *out);
MIEN_CHECKED int report_tsv_confidence(const struct score_report *o, const struct score_run *run,
                                       const char *file, struct mien_buf *out);
MIEN_CHECKED int report_json_confidence(const struct score_report *o, const struct score_run *run,
                                        struct mien_buf *out);
MIEN_CHECKED int report_text_check(const struct score_run *run, struct mien_buf *out);
MIEN_CHECKED int report_tsv_check(const struct score_run *run, const char *file,
                                  struct mien_buf *out);
MIEN_CHECKED int report_json_check(const struct score_run *run, struct mien_buf *out);

/* The width of the first column of tables in text. */
enum { REPORT_LABEL_WIDTH = 22 };

#endif
