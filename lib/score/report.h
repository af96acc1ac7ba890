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

#endif
