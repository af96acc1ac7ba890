/* What mien-score prints. mien-score(1) documents the three formats. */
#include "report.h"

#include <stdlib.h>
#include <string.h>

#include "record/col.h"

int report_summarise(const struct score_report *o, const struct score *s, struct summary *out)
{
    out->most = 0;
    for (int m = 0; m < SCORE_METRICS; m++) {
        out->value[m] = score_value(s, m, &out->n[m]);
        out->most = out->n[m] > out->most ? out->n[m] : out->most;
    }
    return score_bootstrap(s, o->boot, o->seed, out->interval, NULL);
}

void report_tally(const struct score_run *run, struct tally out[TALLIES])
{
    const struct tally t[TALLIES] = {
        {"records", "records", run->records},
        {"errors", "  with an error", run->errors},
        {"bad", "  impossible", run->bad},
        {"without_gender", "  without gender", run->no_gender},
        {"without_p_gender", "  without p_gender", run->no_p_gender},
        {"without_age", "  without age", run->no_age},
        {"without_p_age", "  without p_age", run->no_p_age},
        {"in_several_bins", "  in several bins", run->several_bins},
    };
    memcpy(out, t, sizeof t);
}

const int report_main_metrics[] = {SCORE_GENDER, SCORE_EXACT, SCORE_MAE,
                                   SCORE_CS5,    SCORE_BIN,   SCORE_BAND};

const char *report_point_name(const struct score_run *run)
{
    static const char *const names[] = {
        [SCORE_MEAN] = "expectation", [SCORE_MEDIAN] = "median", [SCORE_MODE] = "arg max"};
    return names[run->rule->point];
}

const char *report_class_name(const struct score_run *run, bool bins, int i, char buf[16])
{
    return bins ? score_bin_name(run->rule, i, buf) : col_gender_name(i);
}

uint64_t report_confused(const struct score_run *run, bool bins, int label, int predicted)
{
    if (!bins)
        return run->total.gender[label][predicted];
    return run->bins == NULL ? 0 : run->bins[label * run->rule->nbins + predicted];
}

int score_report(const struct score_report *o, const struct score_run *runs,
                 const char *const *names, size_t n, struct mien_buf *out)
{
    struct summary *s = calloc(n, sizeof *s);
    if (s == NULL)
        return MIEN_ERR_MEM;
    int rc = 0;
    for (size_t i = 0; i < n; i++)
        rc |= report_summarise(o, &runs[i].total, &s[i]);
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

int score_report_running(const struct score_report *o, const struct score_run *run,
                         const char *name, bool first, struct mien_buf *out)
{
    const struct score_report plain = {.format = o->format}; /* intervals would take too long */
    struct summary s;
    int rc = report_summarise(&plain, &run->total, &s);
    switch (o->format) {
    case SCORE_TEXT:
        return rc | report_text_running(run, &s, first, out);
    case SCORE_TSV:
        return rc | report_tsv_running(run, name, &s, first, out);
    default:
        return rc | report_json_running(run, name, &s, out);
    }
}
