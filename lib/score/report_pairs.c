/* Reports: two predictions of the same records. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "pairs.h"
#include "report.h"

enum { CELL = 64 };

/* "+1.20% (0.40-2.00)": a change is of percentage points, or of years. */
static void format_change(const struct pair_value *v, char cell[CELL])
{
    bool share = score_is_share(v->metric);
    double by = share ? 100 : 1;
    int n = snprintf(cell, CELL, "%+.2f", by * v->change);
    if (!isnan(v->interval.low))
        snprintf(cell + n, CELL - (size_t)n, " (%+.2f to %+.2f)", by * v->interval.low,
                 by * v->interval.high);
}

static int text(const struct score_report *o, const struct pair_value *v, int n, const char *a,
                const char *b, struct mien_buf *out, int width)
{
    int rc = mien_buf_printf(out, "%-*s %9s %*s %*s  %-26s %9s %9s %9s\n", REPORT_LABEL_WIDTH,
                             "metric", "n", width, a, width, b, "change", "better", "worse", "p");
    for (int i = 0; i < n && rc == 0; i++, v++) {
        char cell[CELL];
        bool share = score_is_share(v->metric);
        double by = share ? 100 : 1;
        const char *sign = share ? "%" : " ";
        format_change(v, cell);
        rc = mien_buf_printf(out, "%-*s %9llu %*.2f%s %*.2f%s  %-26s %9llu %9llu %9.2g\n",
                             REPORT_LABEL_WIDTH, score_name(v->metric), (unsigned long long)v->n,
                             width - 1, by * v->a, sign, width - 1, by * v->b, sign, cell,
                             (unsigned long long)v->better, (unsigned long long)v->worse, v->p);
    }
    if (rc == 0)
        rc = mien_buf_printf(out, "\np: the exact two-sided sign test.");
    if (rc == 0 && o->boot > 0)
        rc = mien_buf_printf(out, " In parentheses: 95%% intervals, %d resamples, seed %llu.",
                             o->boot, (unsigned long long)o->seed);
    return rc | mien_buf_printf(out, "\n");
}

static int tsv(const struct pair_value *v, int n, struct mien_buf *out)
{
    static const char heading[] = "metric\tn\ta\tb\tchange\tlow\thigh\tbetter\tworse\tp\n";
    int rc = mien_buf_append(out, heading, sizeof heading - 1);
    for (int i = 0; i < n && rc == 0; i++, v++) {
        rc = mien_buf_printf(out, "%s\t%llu\t%.12g\t%.12g\t%.12g\t", score_name(v->metric),
                             (unsigned long long)v->n, v->a, v->b, v->change);
        rc |= isnan(v->interval.low)
                  ? mien_buf_printf(out, "\t\t")
                  : mien_buf_printf(out, "%.12g\t%.12g\t", v->interval.low, v->interval.high);
        rc |= mien_buf_printf(out, "%llu\t%llu\t%.12g\n", (unsigned long long)v->better,
                              (unsigned long long)v->worse, v->p);
    }
    return rc;
}

static int json(const struct score_report *o, uint64_t records, const struct pair_value *v, int n,
                const char *a, const char *b, struct mien_buf *out)
{
    const char *comma = "";
    int rc = mien_buf_printf(out, "{") | report_json_string(out, "a", a, strlen(a));
    rc |= mien_buf_printf(out, ",") | report_json_string(out, "b", b, strlen(b));
    rc |= mien_buf_printf(out, ",\"records\":%llu,\"boot\":%d,\"seed\":%llu,\"metrics\":{",
                          (unsigned long long)records, o->boot, (unsigned long long)o->seed);
    for (int i = 0; i < n && rc == 0; i++, v++) {
        rc = mien_buf_printf(out, "%s\"%s\":{\"n\":%llu,\"a\":%.12g,\"b\":%.12g,\"change\":%.12g,",
                             comma, score_name(v->metric), (unsigned long long)v->n, v->a, v->b,
                             v->change);
        if (!isnan(v->interval.low))
            rc |= mien_buf_printf(out, "\"low\":%.12g,\"high\":%.12g,", v->interval.low,
                                  v->interval.high);
        rc |= mien_buf_printf(out, "\"better\":%llu,\"worse\":%llu,\"p\":%.12g}",
                              (unsigned long long)v->better, (unsigned long long)v->worse, v->p);
        comma = ",";
    }
    return rc | mien_buf_printf(out, "}}\n");
}

int pairs_report(const struct score_report *o, const struct pairs *p, const char *a, const char *b,
                 struct mien_buf *out)
{
    size_t width = strlen(a) > strlen(b) ? strlen(a) : strlen(b);
    struct pair_value v[PAIR_METRICS];
    int n = pairs_values(p, o->boot, o->seed, v, NULL);
    if (n < 0)
        return n;
    switch (o->format) {
    case SCORE_TEXT:
        return text(o, v, n, a, b, out, width < 9 ? 9 : (int)width);
    case SCORE_TSV:
        return tsv(v, n, out);
    default:
        return json(o, p->records, v, n, a, b, out);
    }
}
