/* Reports for programs: tab-separated values and JSON. */
#include "report.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/text.h"

/* --- Tab-separated values -------------------------------------------------------------------- */

static const char all[] = "(all)"; /* the slice of all records */

static const char tsv_heading[] = "file\tslice\tmetric\tn\tvalue\tlow\thigh\tguess\n";

/* A number after a tab, nothing when it is NaN. */
static int put_number_tsv(struct mien_buf *out, double v)
{
    return isnan(v) ? mien_buf_printf(out, "\t") : mien_buf_printf(out, "\t%.12g", v);
}

int report_tsv_line(struct mien_buf *out, const struct tsv_line *l, const char *fmt, ...)
{
    const char *slice = l->slice == NULL ? all : l->slice;
    char metric[80];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(metric, sizeof metric, fmt, ap);
    va_end(ap);
    int rc = text_tsv_string(out, l->file, strlen(l->file)) | mien_buf_append(out, "\t", 1);
    rc |= text_tsv_string(out, slice, l->slice == NULL ? strlen(all) : l->slice_len);
    rc |= mien_buf_printf(out, "\t%s\t", metric);
    if (l->n >= 0)
        rc |= mien_buf_printf(out, "%lld", l->n);
    rc |= put_number_tsv(out, l->value) | put_number_tsv(out, l->interval.low) |
          put_number_tsv(out, l->interval.high) | put_number_tsv(out, l->guess);
    return rc | mien_buf_append(out, "\n", 1);
}

static int put_metric_tsv(struct mien_buf *out, const char *file, const char *slice, size_t len,
                          const struct summary *s, int m)
{
    struct tsv_line l = {file,        slice,          len,        (long long)s->n[m],
                         s->value[m], s->interval[m], s->guess[m]};
    return s->n[m] == 0 ? 0 : report_tsv_line(out, &l, "%s", score_name(m));
}

/* A plain count. */
static int put_count_tsv(struct mien_buf *out, const char *file, uint64_t n, const char *metric)
{
    struct tsv_line l = {.file = file, .n = -1, .value = (double)n, {NAN, NAN}, NAN};
    return report_tsv_line(out, &l, "%s", metric);
}

static int put_confusion_tsv(const struct score_run *run, const char *file, bool bins,
                             struct mien_buf *out)
{
    char true_name[16], predicted_name[16], metric[48];
    int n = bins ? run->rule->nbins : MIEN_GENDERS, rc = 0;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
            snprintf(metric, sizeof metric, "%s:%s:%s", bins ? "bin" : "gender",
                     summary_class_name(run, bins, i, true_name),
                     summary_class_name(run, bins, j, predicted_name));
            rc |= put_count_tsv(out, file, summary_confused(run, bins, i, j), metric);
        }
    }
    return rc;
}

/* The slices of a run, then the largest gaps between them. */
static int put_slices_tsv(const struct score_report *o, const struct score_run *run,
                          const char *file, struct mien_buf *out)
{
    struct summary *s = calloc(run->nslice + 1, sizeof *s);
    int rc = s == NULL ? MIEN_ERR_MEM : 0;
    for (size_t k = 0; k < run->nslice && rc == 0; k++) {
        rc |= summary_of(o, &run->slice[k].score, &s[k]);
        for (int m = 0; m < SCORE_METRICS; m++)
            rc |= put_metric_tsv(out, file, run->slice[k].name, run->slice[k].len, &s[k], m);
    }
    for (int k = 0; k < SLICE_METRICS && rc == 0; k++) {
        struct slice_gap g;
        struct mien_buf name = {0};
        if (!summary_gap(run, s, summary_metrics[k], &g))
            continue;
        const struct score_slice *high = &run->slice[g.high], *low = &run->slice[g.low];
        rc |= mien_buf_printf(&name, "(gap) ") | mien_buf_append(&name, high->name, high->len) |
              mien_buf_printf(&name, " - ") | mien_buf_append(&name, low->name, low->len);
        struct tsv_line l = {file, (const char *)name.data, name.len, -1, g.gap, g.interval, NAN};
        rc |= report_tsv_line(out, &l, "%s", score_name(summary_metrics[k]));
        mien_buf_free(&name);
    }
    free(s);
    return rc;
}

int report_tsv(const struct score_report *o, const struct score_run *runs, const char *const *names,
               const struct summary *s, size_t n, struct mien_buf *out)
{
    int rc = o->resumed ? 0 : mien_buf_append(out, tsv_heading, sizeof tsv_heading - 1);
    for (size_t i = 0; i < n; i++) {
        struct record_count t[RECORD_COUNTS];
        summary_records(&runs[i], t);
        for (int k = 0; k < RECORD_COUNTS; k++)
            rc |= put_count_tsv(out, names[i], t[k].n, t[k].name);
        for (int m = 0; m < SCORE_METRICS; m++)
            rc |= put_metric_tsv(out, names[i], NULL, 0, &s[i], m);
        if (s[i].n[SCORE_GENDER] > 0)
            rc |= put_confusion_tsv(&runs[i], names[i], false, out);
        if (s[i].n[SCORE_BIN] > 0)
            rc |= put_confusion_tsv(&runs[i], names[i], true, out);
        rc |= report_tsv_confidence(o, &runs[i], names[i], out);
        rc |= report_tsv_check(&runs[i], names[i], out);
        rc |= put_slices_tsv(o, &runs[i], names[i], out);
    }
    return rc;
}

int report_tsv_running(const struct score_run *run, const char *name, const struct summary *s,
                       bool first, struct mien_buf *out)
{
    char slice[32];
    int rc = first ? mien_buf_append(out, tsv_heading, sizeof tsv_heading - 1) : 0;
    snprintf(slice, sizeof slice, "(first %llu)", (unsigned long long)run->records);
    for (int k = 0; k < MAIN_METRICS; k++)
        rc |= put_metric_tsv(out, name, slice, strlen(slice), s, summary_metrics[k]);
    return rc;
}

/* --- JSON ---------------------------------------------------------------------------------- */

int report_json_string(struct mien_buf *out, const char *key, const char *s, size_t len)
{
    return mien_buf_printf(out, "\"%s\":", key) | text_json_string(out, s, len);
}

static int put_metrics_json(struct mien_buf *out, const struct summary *s)
{
    int rc = mien_buf_printf(out, "\"metrics\":{");
    const char *comma = "";
    for (int m = 0; m < SCORE_METRICS; m++) {
        if (s->n[m] == 0)
            continue;
        rc |= mien_buf_printf(out, "%s\"%s\":{\"n\":%llu,\"value\":%.12g", comma, score_name(m),
                              (unsigned long long)s->n[m], s->value[m]);
        if (!isnan(s->interval[m].low))
            rc |= mien_buf_printf(out, ",\"low\":%.12g,\"high\":%.12g", s->interval[m].low,
                                  s->interval[m].high);
        if (!isnan(s->guess[m]))
            rc |= mien_buf_printf(out, ",\"guess\":%.12g", s->guess[m]);
        rc |= mien_buf_printf(out, "}");
        comma = ",";
    }
    return rc | mien_buf_printf(out, "}");
}

static int put_confusion_json(const struct score_run *run, bool bins, struct mien_buf *out)
{
    int n = bins ? run->rule->nbins : MIEN_GENDERS, rc = 0;
    char name[16];
    rc |= mien_buf_printf(out, "\"confusion_%s\":{\"classes\":[", bins ? "bin" : "gender");
    for (int i = 0; i < n; i++)
        rc |= mien_buf_printf(out, "%s\"%s\"", i > 0 ? "," : "",
                              summary_class_name(run, bins, i, name));
    rc |= mien_buf_printf(out, "],\"counts\":[");
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++)
            rc |= mien_buf_printf(out, "%s%llu",
                                  j > 0   ? ","
                                  : i > 0 ? ",["
                                          : "[",
                                  (unsigned long long)summary_confused(run, bins, i, j));
        rc |= mien_buf_printf(out, "]");
    }
    return rc | mien_buf_printf(out, "]}");
}

/* The largest gaps between slices. */
static int put_gaps_json(const struct score_run *run, const struct summary *s, struct mien_buf *out)
{
    const char *comma = "";
    int rc = mien_buf_printf(out, ",\"gaps\":{");
    for (int k = 0; k < SLICE_METRICS; k++) {
        struct slice_gap g;
        if (!summary_gap(run, s, summary_metrics[k], &g))
            continue;
        const struct score_slice *high = &run->slice[g.high], *low = &run->slice[g.low];
        rc |= mien_buf_printf(out, "%s\"%s\":{\"value\":%.12g,", comma,
                              score_name(summary_metrics[k]), g.gap);
        if (!isnan(g.interval.low))
            rc |= mien_buf_printf(out, "\"low\":%.12g,\"high\":%.12g,", g.interval.low,
                                  g.interval.high);
        rc |= report_json_string(out, "highest", high->name, high->len) |
              mien_buf_append(out, ",", 1) |
              report_json_string(out, "lowest", low->name, low->len) | mien_buf_append(out, "}", 1);
        comma = ",";
    }
    return rc | mien_buf_printf(out, "}");
}

static int put_slices_json(const struct score_report *o, const struct score_run *run,
                           struct mien_buf *out)
{
    struct summary *s = calloc(run->nslice + 1, sizeof *s);
    int rc = s == NULL ? MIEN_ERR_MEM : mien_buf_printf(out, ",\"slices\":[");
    for (size_t k = 0; k < run->nslice && rc == 0; k++) {
        rc |= summary_of(o, &run->slice[k].score, &s[k]);
        rc |= mien_buf_printf(out, "%s{", k > 0 ? "," : "");
        rc |= report_json_string(out, "slice", run->slice[k].name, run->slice[k].len) |
              mien_buf_printf(out, ",");
        rc |= put_metrics_json(out, &s[k]) | mien_buf_printf(out, "}");
    }
    if (rc == 0)
        rc = mien_buf_printf(out, "]") | put_gaps_json(run, s, out);
    free(s);
    return rc;
}

static int put_run_json(const struct score_report *o, const struct score_run *run, const char *name,
                        const struct summary *s, struct mien_buf *out)
{
    const char *point = summary_point_name(run);
    struct record_count t[RECORD_COUNTS];
    summary_records(run, t);
    int rc = mien_buf_printf(out, "{") | report_json_string(out, "file", name, strlen(name));
    for (int k = 0; k < RECORD_COUNTS; k++)
        rc |= mien_buf_printf(out, ",\"%s\":%llu", t[k].name, (unsigned long long)t[k].n);
    rc |= mien_buf_printf(out, ",") | report_json_string(out, "point", point, strlen(point));
    rc |= mien_buf_printf(out, ",\"boot\":%d,\"seed\":%llu,", o->boot, (unsigned long long)o->seed);
    rc |= put_metrics_json(out, s);
    rc |= mien_buf_printf(out, ",") | put_confusion_json(run, false, out);
    rc |= mien_buf_printf(out, ",") | put_confusion_json(run, true, out);
    rc |= report_json_confidence(o, run, out) | report_json_check(run, out);
    if (run->nkeys > 0)
        rc |= put_slices_json(o, run, out);
    return rc | mien_buf_printf(out, "}\n");
}

int report_json(const struct score_report *o, const struct score_run *runs,
                const char *const *names, const struct summary *s, size_t n, struct mien_buf *out)
{
    int rc = 0;
    for (size_t i = 0; i < n; i++)
        rc |= put_run_json(o, &runs[i], names[i], &s[i], out);
    return rc;
}

int report_json_running(const struct score_run *run, const char *name, const struct summary *s,
                        struct mien_buf *out)
{
    int rc = mien_buf_printf(out, "{") | report_json_string(out, "file", name, strlen(name));
    rc |= mien_buf_printf(out, ",\"first\":%llu,", (unsigned long long)run->records);
    return rc | put_metrics_json(out, s) | mien_buf_printf(out, "}\n");
}
