/* What mien-score prints. mien-score(1) documents the three formats. */
#include "report.h"

#include <stdlib.h>

int score_report(const struct score_report *o, const struct score_run *runs,
                 const char *const *names, size_t n, struct mien_buf *out)
{
    struct summary *s = calloc(n, sizeof *s);
    if (s == NULL)
        return MIEN_ERR_MEM;
    int rc = 0;
    for (size_t i = 0; i < n; i++)
        rc |= summary_of_run(o, &runs[i], &s[i]);
    switch (o->format) {
    case SCORE_TEXT:
        rc |= report_text(o, runs, names, s, n, out);
        break;
    case SCORE_TSV:
        rc |= report_tsv(o, runs, names, s, n, out);
        break;
    case SCORE_JSON:
        rc |= report_json(o, runs, names, s, n, out);
        break;
    }
    free(s);
    return rc;
}

int score_report_running(struct score_report *o, const struct score_run *run, const char *name,
                         struct mien_buf *out)
{
    const struct score_report plain = {.format = o->format}; /* intervals would take too long */
    struct summary s;
    int rc = summary_of(&plain, &run->total, &s);
    bool first = !o->resumed;
    o->resumed = true;
    switch (o->format) {
    case SCORE_TEXT:
        return rc | report_text_running(run, &s, first, out);
    case SCORE_TSV:
        return rc | report_tsv_running(run, name, &s, first, out);
    default:
        return rc | report_json_running(run, name, &s, out);
    }
}
