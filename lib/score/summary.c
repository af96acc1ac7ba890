/* What the formats of a report have in common. */
#include "summary.h"

#include <math.h>
#include <string.h>

#include "record/col.h"

int summary_of(const struct score_report *o, const struct score *s, struct summary *out)
{
    out->most = 0;
    for (int m = 0; m < SCORE_METRICS; m++) {
        out->value[m] = score_value(s, m, &out->n[m]);
        out->most = out->n[m] > out->most ? out->n[m] : out->most;
        out->guess[m] = NAN;
    }
    return score_bootstrap(s, o->boot, o->seed, out->interval, NULL);
}

int summary_of_run(const struct score_report *o, const struct score_run *run, struct summary *out)
{
    int rc = summary_of(o, &run->total, out);
    for (int m = 0; m < SCORE_METRICS; m++)
        out->guess[m] = baseline_value(&run->baseline, m);
    return rc;
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

const int summary_metrics[] = {
    SCORE_GENDER,
    SCORE_EXACT,
    SCORE_MAE,
    SCORE_CS5,
    SCORE_BIN,
    SCORE_BAND,
    SCORE_BIAS,
    SCORE_FALSE_POSITIVE,
    SCORE_FALSE_NEGATIVE,
};

/* Slices that aren't a group of their own. */
static bool is_rest(const struct score_slice *s)
{
    return strstr(s->name, "(none)") != NULL || strcmp(s->name, "(others)") == 0;
}

bool summary_gap(const struct score_run *run, const struct summary *slices, int metric,
                 struct slice_gap *out)
{
    size_t n = 0;
    for (size_t i = 0; i < run->nslice; i++) {
        double v = slices[i].value[metric];
        if (slices[i].n[metric] < GAP_RECORDS || is_rest(&run->slice[i]))
            continue;
        if (n == 0 || v < slices[out->low].value[metric])
            out->low = i;
        if (n == 0 || v > slices[out->high].value[metric])
            out->high = i;
        n++;
    }
    if (n < 2)
        return false;
    const struct summary *a = &slices[out->high], *b = &slices[out->low];
    double va = a->value[metric], vb = b->value[metric];
    const struct score_interval *ia = &a->interval[metric], *ib = &b->interval[metric];
    out->gap = va - vb;
    /* The interval of a difference of two independent values from theirs (Newcombe 1998). */
    out->interval.low = out->gap - hypot(va - ia->low, ib->high - vb);
    out->interval.high = out->gap + hypot(ia->high - va, vb - ib->low);
    return true;
}

const double summary_coverages[] = {1, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.3, 0.2, 0.1};

void summary_confidences(const struct score_run *run, struct confidence_view out[CONFIDENCES])
{
    out[0] = (struct confidence_view){"gender",          "gender",   &run->conf_gender,
                                      "gender_accuracy", "accuracy", true};
    out[1] = (struct confidence_view){"age",     "age within 5 years", &run->conf_age,
                                      "age_mae", "MAE of expectation", false};
}

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
