/* Reports for programs: tab-separated values and JSON. */
#include "report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "record/text.h"

/* --- Tab-separated values -------------------------------------------------------------------- */

static const char all[] = "(all)"; /* the slice of all records */

static const char tsv_heading[] = "file\tslice\tmetric\tn\tvalue\tlow\thigh\n";

/* The first two columns. */
static int put_place_tsv(struct mien_buf *out, const char *file, const char *slice, size_t len)
{
    int rc = text_tsv_string(out, file, strlen(file));
    rc |= mien_buf_append(out, "\t", 1);
    rc |= text_tsv_string(out, slice, len);
    return rc | mien_buf_append(out, "\t", 1);
}

static int put_metric_tsv(struct mien_buf *out, const char *file, const char *slice, size_t len,
                          const struct summary *s, int m)
{
    if (s->n[m] == 0)
        return 0;
    int rc = put_place_tsv(out, file, slice, len);
    rc |= mien_buf_printf(out, "%s\t%llu\t%.6g", score_name(m), (unsigned long long)s->n[m],
                          s->value[m]);
    if (isnan(s->interval[m].low))
        return rc | mien_buf_printf(out, "\t\t\n");
    return rc | mien_buf_printf(out, "\t%.6g\t%.6g\n", s->interval[m].low, s->interval[m].high);
}

static int put_confusion_tsv(const struct score_run *run, const char *file, bool bins,
                             struct mien_buf *out)
{
    char true_name[16], predicted_name[16];
    int n = bins ? run->rule->nbins : MIEN_GENDERS, rc = 0;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
            rc |= put_place_tsv(out, file, all, strlen(all));
            rc |= mien_buf_printf(out, "%s:%s:%s\t\t%llu\t\t\n", bins ? "bin" : "gender",
                                  summary_class_name(run, bins, i, true_name),
                                  summary_class_name(run, bins, j, predicted_name),
                                  (unsigned long long)summary_confused(run, bins, i, j));
        }
    }
    return rc;
}

int report_tsv(const struct score_report *o, const struct score_run *runs, const char *const *names,
               const struct summary *s, size_t n, struct mien_buf *out)
{
    int rc = o->resumed ? 0 : mien_buf_append(out, tsv_heading, sizeof tsv_heading - 1);
    for (size_t i = 0; i < n; i++) {
        struct record_count t[RECORD_COUNTS];
        summary_records(&runs[i], t);
        for (int k = 0; k < RECORD_COUNTS; k++) {
            rc |= put_place_tsv(out, names[i], all, strlen(all));
            rc |= mien_buf_printf(out, "%s\t\t%llu\t\t\n", t[k].name, (unsigned long long)t[k].n);
        }
        for (int m = 0; m < SCORE_METRICS; m++)
            rc |= put_metric_tsv(out, names[i], all, strlen(all), &s[i], m);
        if (s[i].n[SCORE_GENDER] > 0)
            rc |= put_confusion_tsv(&runs[i], names[i], false, out);
        if (s[i].n[SCORE_BIN] > 0)
            rc |= put_confusion_tsv(&runs[i], names[i], true, out);
        for (size_t k = 0; k < runs[i].nslice; k++) {
            struct summary slice;
            rc |= summary_of(o, &runs[i].slice[k].score, &slice);
            for (int m = 0; m < SCORE_METRICS; m++)
                rc |= put_metric_tsv(out, names[i], runs[i].slice[k].name, runs[i].slice[k].len,
                                     &slice, m);
        }
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

static int put_string_json(struct mien_buf *out, const char *key, const char *s, size_t len)
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
        rc |= mien_buf_printf(out, "%s\"%s\":{\"n\":%llu,\"value\":%.6g", comma, score_name(m),
                              (unsigned long long)s->n[m], s->value[m]);
        if (!isnan(s->interval[m].low))
            rc |= mien_buf_printf(out, ",\"low\":%.6g,\"high\":%.6g", s->interval[m].low,
                                  s->interval[m].high);
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

static int put_run_json(const struct score_report *o, const struct score_run *run, const char *name,
                        const struct summary *s, struct mien_buf *out)
{
    const char *point = summary_point_name(run);
    struct record_count t[RECORD_COUNTS];
    summary_records(run, t);
    int rc = mien_buf_printf(out, "{") | put_string_json(out, "file", name, strlen(name));
    for (int k = 0; k < RECORD_COUNTS; k++)
        rc |= mien_buf_printf(out, ",\"%s\":%llu", t[k].name, (unsigned long long)t[k].n);
    rc |= mien_buf_printf(out, ",") | put_string_json(out, "point", point, strlen(point));
    rc |= mien_buf_printf(out, ",\"boot\":%d,\"seed\":%llu,", o->boot, (unsigned long long)o->seed);
    rc |= put_metrics_json(out, s);
    rc |= mien_buf_printf(out, ",") | put_confusion_json(run, false, out);
    rc |= mien_buf_printf(out, ",") | put_confusion_json(run, true, out);
    if (run->nkeys > 0)
        rc |= mien_buf_printf(out, ",\"slices\":[");
    for (size_t k = 0; k < run->nslice; k++) {
        struct summary slice;
        rc |= summary_of(o, &run->slice[k].score, &slice);
        rc |= mien_buf_printf(out, "%s{", k > 0 ? "," : "");
        rc |= put_string_json(out, "slice", run->slice[k].name, run->slice[k].len) |
              mien_buf_printf(out, ",");
        rc |= put_metrics_json(out, &slice) | mien_buf_printf(out, "}");
    }
    return rc | mien_buf_printf(out, run->nkeys > 0 ? "]}\n" : "}\n");
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
    int rc = mien_buf_printf(out, "{") | put_string_json(out, "file", name, strlen(name));
    rc |= mien_buf_printf(out, ",\"first\":%llu,", (unsigned long long)run->records);
    return rc | put_metrics_json(out, s) | mien_buf_printf(out, "}\n");
}
