/* What mien-score prints. mien-score(1) documents the three formats. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/col.h"
#include "record/text.h"
#include "run.h"

/* The metrics of one score, with their intervals. */
struct summary {
    double value[SCORE_METRICS];
    uint64_t n[SCORE_METRICS], most; /* most: the largest n */
    struct score_interval interval[SCORE_METRICS];
};

static int summarise(const struct score_report *o, const struct score *s, struct summary *out)
{
    out->most = 0;
    for (int m = 0; m < SCORE_METRICS; m++) {
        out->value[m] = score_value(s, m, &out->n[m]);
        out->most = out->n[m] > out->most ? out->n[m] : out->most;
    }
    return score_bootstrap(s, o->boot, o->seed, out->interval, NULL);
}

/* What was not scored, and why. */
struct tally {
    const char *name, *title;
    uint64_t n;
};

enum { TALLIES = 8 };

static void tally(const struct score_run *run, struct tally out[TALLIES])
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

/* --- Text ---------------------------------------------------------------------------------- */

enum { LABEL_WIDTH = 22, CELL = 64 };

static const char *const point_names[] = {
    [SCORE_MEAN] = "expectation", [SCORE_MEDIAN] = "median", [SCORE_MODE] = "arg max"};

/* "93.32% (92.14-94.44)", "5.03 (4.84-5.22)", or "-". */
static void format_cell(const struct summary *s, int m, char cell[CELL])
{
    double unit = score_is_share(m) ? 100 : 1;
    const char *sign = score_is_share(m) ? "%" : "";
    if (s->n[m] == 0)
        snprintf(cell, CELL, "-");
    else if (isnan(s->interval[m].low))
        snprintf(cell, CELL, "%.2f%s", unit * s->value[m], sign);
    else
        snprintf(cell, CELL, "%.2f%s (%.2f-%.2f)", unit * s->value[m], sign,
                 unit * s->interval[m].low, unit * s->interval[m].high);
}

/* Whether a metric is a coverage, and whole in all runs: not worth a line. */
static bool is_covered(const struct summary *s, size_t n, int metric)
{
    bool all = score_is_coverage(metric);
    for (size_t i = 0; i < n; i++)
        all = all && (s[i].n[metric] == 0 || s[i].value[metric] == 1);
    return all;
}

/* A row for each metric from..to that some run has, under a title with the numbers of records. */
static int put_section(struct mien_buf *out, const struct summary *s, size_t n, int width,
                       const char *title, int from, int to)
{
    bool any = false;
    for (size_t i = 0; i < n; i++)
        any |= s[i].n[from] > 0;
    if (!any)
        return 0;
    char cell[CELL];
    int rc = mien_buf_printf(out, "%-*s", LABEL_WIDTH, title);
    for (size_t i = 0; i < n; i++) {
        snprintf(cell, sizeof cell, "n = %llu", (unsigned long long)s[i].n[from]);
        rc |= mien_buf_printf(out, "  %*s", width, cell);
    }
    rc |= mien_buf_printf(out, "\n");
    for (int m = from; m <= to; m++) {
        if (is_covered(s, n, m))
            continue;
        rc |= mien_buf_printf(out, "  %-*s", LABEL_WIDTH - 2, score_title(m));
        for (size_t i = 0; i < n; i++) {
            format_cell(&s[i], m, cell);
            rc |= mien_buf_printf(out, "  %*s", width, cell);
        }
        rc |= mien_buf_printf(out, "\n");
    }
    return rc;
}

/* The runs side by side. */
static int put_table(const struct score_report *o, const struct score_run *runs,
                     const char *const *names, const struct summary *s, size_t n,
                     struct mien_buf *out)
{
    int width = o->boot > 0 ? 23 : 12, rc = 0;
    for (size_t i = 0; i < n; i++)
        width = (int)strlen(names[i]) > width ? (int)strlen(names[i]) : width;
    if (n > 1) {
        rc |= mien_buf_printf(out, "%*s", LABEL_WIDTH, "");
        for (size_t i = 0; i < n; i++)
            rc |= mien_buf_printf(out, "  %*s", width, names[i]);
        rc |= mien_buf_printf(out, "\n");
    }
    for (int t = 0; t < TALLIES; t++) {
        struct tally row[TALLIES];
        struct mien_buf line = {0};
        uint64_t any = 0;
        for (size_t i = 0; i < n; i++) {
            tally(&runs[i], row);
            any |= row[t].n;
            rc |= mien_buf_printf(&line, "  %*llu", width, (unsigned long long)row[t].n);
        }
        if (any > 0 || t == 0)
            rc |= mien_buf_printf(out, "%-*s%.*s\n", LABEL_WIDTH, row[t].title, (int)line.len,
                                  (const char *)line.data);
        mien_buf_free(&line);
    }
    rc |= put_section(out, s, n, width, "gender", SCORE_GENDER, SCORE_GENDER_COVERAGE);
    rc |= put_section(out, s, n, width, "age", SCORE_EXACT, SCORE_AGE_COVERAGE);
    rc |= put_section(out, s, n, width, "age in bins", SCORE_BIN, SCORE_ONE_OFF);
    return rc | put_section(out, s, n, width, "age in bands", SCORE_BAND, SCORE_BAND_YEARS);
}

static const char *class_name(const struct score_run *run, bool bins, int i, char buf[16])
{
    return bins ? score_bin_name(run->rule, i, buf) : col_gender_name(i);
}

static uint64_t confused(const struct score_run *run, bool bins, int label, int predicted)
{
    if (!bins)
        return run->total.gender[label][predicted];
    return run->bins == NULL ? 0 : run->bins[label * run->rule->nbins + predicted];
}

static int put_confusion(const struct score_run *run, bool bins, struct mien_buf *out)
{
    char name[16];
    int n = bins ? run->rule->nbins : MIEN_GENDERS;
    int rc = mien_buf_printf(out, "\n%-*s", LABEL_WIDTH,
                             bins ? "age: true, predicted" : "gender: true, predicted");
    for (int j = 0; j < n; j++)
        rc |= mien_buf_printf(out, " %8s", class_name(run, bins, j, name));
    rc |= mien_buf_printf(out, "\n");
    for (int i = 0; i < n; i++) {
        rc |= mien_buf_printf(out, "  %-*s", LABEL_WIDTH - 2, class_name(run, bins, i, name));
        for (int j = 0; j < n; j++)
            rc |= mien_buf_printf(out, " %8llu", (unsigned long long)confused(run, bins, i, j));
        rc |= mien_buf_printf(out, "\n");
    }
    return rc;
}

/* The metrics that a table of slices has columns for, and a running line. */
static const int main_metrics[] = {SCORE_GENDER, SCORE_EXACT, SCORE_MAE,
                                   SCORE_CS5,    SCORE_BIN,   SCORE_BAND};
enum { MAIN_METRICS = sizeof main_metrics / sizeof main_metrics[0] };

static int put_slices(const struct score_report *o, const struct score_run *run,
                      const struct summary *total, struct mien_buf *out)
{
    char cell[CELL];
    int width = o->boot > 0 ? 23 : 15, rc = 0;
    size_t longest = 5;
    for (size_t i = 0; i < run->nslice; i++)
        longest = strlen(run->slice[i].name) > longest ? strlen(run->slice[i].name) : longest;
    rc |= mien_buf_printf(out, "\n%-*s %9s", (int)longest, "slice", "n");
    for (int k = 0; k < MAIN_METRICS; k++) {
        if (total->n[main_metrics[k]] > 0)
            rc |= mien_buf_printf(out, "  %*s", width, score_name(main_metrics[k]));
    }
    rc |= mien_buf_printf(out, "\n");
    for (size_t i = 0; i < run->nslice; i++) {
        struct summary s;
        rc |= summarise(o, &run->slice[i].score, &s);
        rc |= mien_buf_printf(out, "%-*s %9llu", (int)longest, run->slice[i].name,
                              (unsigned long long)s.most);
        for (int k = 0; k < MAIN_METRICS; k++) {
            if (total->n[main_metrics[k]] == 0)
                continue;
            format_cell(&s, main_metrics[k], cell);
            rc |= mien_buf_printf(out, "  %*s", width, cell);
        }
        rc |= mien_buf_printf(out, "\n");
    }
    return rc;
}

static int report_text(const struct score_report *o, const struct score_run *runs,
                       const char *const *names, const struct summary *s, size_t n,
                       struct mien_buf *out)
{
    int rc = o->resumed ? mien_buf_printf(out, "\n") : 0;
    rc |= put_table(o, runs, names, s, n, out);
    rc |= mien_buf_printf(out, "\nCS, bins and bands judge the %s.",
                          point_names[runs[0].rule->point]);
    if (o->boot > 0)
        rc |= mien_buf_printf(out, " In brackets: 95%% intervals, %d resamples, seed %llu.",
                              o->boot, (unsigned long long)o->seed);
    rc |= mien_buf_printf(out, "\n");
    for (size_t i = 0; i < n; i++) {
        if (n > 1)
            rc |= mien_buf_printf(out, "\n%s:\n", names[i]);
        if (s[i].n[SCORE_GENDER] > 0)
            rc |= put_confusion(&runs[i], false, out);
        if (s[i].n[SCORE_BIN] > 0)
            rc |= put_confusion(&runs[i], true, out);
        if (runs[i].nslice > 0)
            rc |= put_slices(o, &runs[i], &s[i], out);
    }
    return rc;
}

/* --- Tab-separated values -------------------------------------------------------------------- */

static const char tsv_heading[] = "file\tslice\tmetric\tn\tvalue\tlow\thigh\n";

/* The first two columns. */
static int put_place_tsv(struct mien_buf *out, const char *file, const char *slice)
{
    int rc = text_tsv_string(out, file, strlen(file));
    rc |= mien_buf_append(out, "\t", 1);
    rc |= text_tsv_string(out, slice, strlen(slice));
    return rc | mien_buf_append(out, "\t", 1);
}

static int put_metric_tsv(struct mien_buf *out, const char *file, const char *slice,
                          const struct summary *s, int m)
{
    if (s->n[m] == 0)
        return 0;
    int rc = put_place_tsv(out, file, slice);
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
            rc |= put_place_tsv(out, file, "(all)");
            rc |= mien_buf_printf(out, "%s:%s:%s\t\t%llu\t\t\n", bins ? "bin" : "gender",
                                  class_name(run, bins, i, true_name),
                                  class_name(run, bins, j, predicted_name),
                                  (unsigned long long)confused(run, bins, i, j));
        }
    }
    return rc;
}

static int report_tsv(const struct score_report *o, const struct score_run *runs,
                      const char *const *names, const struct summary *s, size_t n,
                      struct mien_buf *out)
{
    int rc = o->resumed ? 0 : mien_buf_append(out, tsv_heading, sizeof tsv_heading - 1);
    for (size_t i = 0; i < n; i++) {
        struct tally t[TALLIES];
        tally(&runs[i], t);
        for (int k = 0; k < TALLIES; k++) {
            rc |= put_place_tsv(out, names[i], "(all)");
            rc |= mien_buf_printf(out, "%s\t\t%llu\t\t\n", t[k].name, (unsigned long long)t[k].n);
        }
        for (int m = 0; m < SCORE_METRICS; m++)
            rc |= put_metric_tsv(out, names[i], "(all)", &s[i], m);
        if (s[i].n[SCORE_GENDER] > 0)
            rc |= put_confusion_tsv(&runs[i], names[i], false, out);
        if (s[i].n[SCORE_BIN] > 0)
            rc |= put_confusion_tsv(&runs[i], names[i], true, out);
        for (size_t k = 0; k < runs[i].nslice; k++) {
            struct summary slice;
            rc |= summarise(o, &runs[i].slice[k].score, &slice);
            for (int m = 0; m < SCORE_METRICS; m++)
                rc |= put_metric_tsv(out, names[i], runs[i].slice[k].name, &slice, m);
        }
    }
    return rc;
}

/* --- JSON ---------------------------------------------------------------------------------- */

static int put_string_json(struct mien_buf *out, const char *key, const char *s)
{
    return mien_buf_printf(out, "\"%s\":", key) | text_json_string(out, s, strlen(s));
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
        rc |= mien_buf_printf(out, "%s\"%s\"", i > 0 ? "," : "", class_name(run, bins, i, name));
    rc |= mien_buf_printf(out, "],\"counts\":[");
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++)
            rc |= mien_buf_printf(out, "%s%llu",
                                  j > 0   ? ","
                                  : i > 0 ? ",["
                                          : "[",
                                  (unsigned long long)confused(run, bins, i, j));
        rc |= mien_buf_printf(out, "]");
    }
    return rc | mien_buf_printf(out, "]}");
}

static int report_json(const struct score_report *o, const struct score_run *run, const char *name,
                       const struct summary *s, struct mien_buf *out)
{
    struct tally t[TALLIES];
    tally(run, t);
    int rc = mien_buf_printf(out, "{") | put_string_json(out, "file", name);
    for (int k = 0; k < TALLIES; k++)
        rc |= mien_buf_printf(out, ",\"%s\":%llu", t[k].name, (unsigned long long)t[k].n);
    rc |= mien_buf_printf(out, ",") | put_string_json(out, "point", point_names[run->rule->point]);
    rc |= mien_buf_printf(out, ",\"boot\":%d,\"seed\":%llu,", o->boot, (unsigned long long)o->seed);
    rc |= put_metrics_json(out, s);
    rc |= mien_buf_printf(out, ",") | put_confusion_json(run, false, out);
    rc |= mien_buf_printf(out, ",") | put_confusion_json(run, true, out);
    if (run->nkeys > 0)
        rc |= mien_buf_printf(out, ",\"slices\":[");
    for (size_t k = 0; k < run->nslice; k++) {
        struct summary slice;
        rc |= summarise(o, &run->slice[k].score, &slice);
        rc |= mien_buf_printf(out, "%s{", k > 0 ? "," : "");
        rc |= put_string_json(out, "slice", run->slice[k].name) | mien_buf_printf(out, ",");
        rc |= put_metrics_json(out, &slice) | mien_buf_printf(out, "}");
    }
    return rc | mien_buf_printf(out, run->nkeys > 0 ? "]}\n" : "}\n");
}

/* --- Reports ------------------------------------------------------------------------------- */

int score_report(const struct score_report *o, const struct score_run *runs,
                 const char *const *names, size_t n, struct mien_buf *out)
{
    struct summary *s = calloc(n, sizeof *s);
    if (s == NULL)
        return MIEN_ERR_MEM;
    int rc = 0;
    for (size_t i = 0; i < n; i++)
        rc |= summarise(o, &runs[i].total, &s[i]);
    if (o->format == SCORE_TEXT)
        rc |= report_text(o, runs, names, s, n, out);
    if (o->format == SCORE_TSV)
        rc |= report_tsv(o, runs, names, s, n, out);
    for (size_t i = 0; i < n && o->format == SCORE_JSON; i++)
        rc |= report_json(o, &runs[i], names[i], &s[i], out);
    free(s);
    return rc;
}

/* A line of text: the main metrics, under a heading before the first one. */
static int running_text(const struct score_run *run, const struct summary *s, bool first,
                        struct mien_buf *out)
{
    char cell[CELL];
    int rc = first ? mien_buf_printf(out, "%12s", "records") : 0;
    for (int k = 0; first && k < MAIN_METRICS; k++)
        rc |= mien_buf_printf(out, "  %15s", score_name(main_metrics[k]));
    rc |= mien_buf_printf(out, "%s%12llu", first ? "\n" : "", (unsigned long long)run->records);
    for (int k = 0; k < MAIN_METRICS; k++) {
        format_cell(s, main_metrics[k], cell);
        rc |= mien_buf_printf(out, "  %15s", cell);
    }
    return rc | mien_buf_printf(out, "\n");
}

int score_report_running(const struct score_report *o, const struct score_run *run,
                         const char *name, bool first, struct mien_buf *out)
{
    const struct score_report plain = {.format = o->format}; /* intervals would take too long */
    struct summary s;
    char slice[32];
    int rc = summarise(&plain, &run->total, &s);
    switch (o->format) {
    case SCORE_TEXT:
        return rc | running_text(run, &s, first, out);
    case SCORE_TSV:
        rc |= first ? mien_buf_append(out, tsv_heading, sizeof tsv_heading - 1) : 0;
        snprintf(slice, sizeof slice, "(first %llu)", (unsigned long long)run->records);
        for (int k = 0; k < MAIN_METRICS; k++)
            rc |= put_metric_tsv(out, name, slice, &s, main_metrics[k]);
        return rc;
    default:
        rc |= mien_buf_printf(out, "{") | put_string_json(out, "file", name);
        rc |= mien_buf_printf(out, ",\"first\":%llu,", (unsigned long long)run->records);
        return rc | put_metrics_json(out, &s) | mien_buf_printf(out, "}\n");
    }
}
