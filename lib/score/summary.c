/* What the formats of a report have in common. */
#include "summary.h"

#include <string.h>

#include "record/col.h"

int summary_of(const struct score_report *o, const struct score *s, struct summary *out)
{
    out->most = 0;
    for (int m = 0; m < SCORE_METRICS; m++) {
        out->value[m] = score_value(s, m, &out->n[m]);
        out->most = out->n[m] > out->most ? out->n[m] : out->most;
    }
    return score_bootstrap(s, o->boot, o->seed, out->interval, NULL);
}

void summary_records(const struct score_run *run, struct record_count out[RECORD_COUNTS])
{
    const struct record_count t[RECORD_COUNTS] = {
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

const int summary_metrics[] = {SCORE_GENDER, SCORE_EXACT, SCORE_MAE,
                               SCORE_CS5,    SCORE_BIN,   SCORE_BAND};

const char *summary_point_name(const struct score_run *run)
{
    static const char *const names[] = {
        [SCORE_MEAN] = "expectation", [SCORE_MEDIAN] = "median", [SCORE_MODE] = "arg max"};
    return names[run->rule->point];
}

const char *summary_class_name(const struct score_run *run, bool bins, int i, char buf[16])
{
    return bins ? score_bin_name(run->rule, i, buf) : col_gender_name(i);
}

uint64_t summary_confused(const struct score_run *run, bool bins, int label, int predicted)
{
    if (!bins)
        return run->total.gender[label][predicted];
    return run->bins == NULL ? 0 : run->bins[label * run->rule->nbins + predicted];
}
