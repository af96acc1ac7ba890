/* Reports as tables of text. */
#include "report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/text.h"

enum { LABEL_WIDTH = REPORT_LABEL_WIDTH, CELL = 64, GUESS_WIDTH = 10 };

/* A name as it is shown, at least |width| wide; on the left of that when width is negative. */
static int put_name(struct mien_buf *out, int width, const char *name, size_t len)
{
    struct mien_buf shown = {0};
    int rc = text_tsv_string(&shown, name, len);
    if (rc == 0)
        rc = mien_buf_printf(out, "%*.*s", width, (int)shown.len, (const char *)shown.data);
    mien_buf_free(&shown);
    return rc;
}

/* Widens a column to a name as it is shown. */
static int fit_name(int *width, const char *name, size_t len)
{
    struct mien_buf shown = {0};
    int rc = put_name(&shown, 0, name, len);
    if (rc == 0 && (int)shown.len > *width)
        *width = (int)shown.len;
    mien_buf_free(&shown);
    return rc;
}

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

/* "50.31%", "17.20", or nothing where there is no guess. */
static void format_guess(const struct summary *s, int m, char cell[CELL])
{
    if (isnan(s->guess[m]))
        cell[0] = '\0';
    else
        snprintf(cell, CELL, score_is_share(m) ? "%.2f%%" : "%.2f",
                 (score_is_share(m) ? 100 : 1) * s->guess[m]);
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
    char cell[CELL], guess[CELL];
    int rc = mien_buf_printf(out, "%-*s", LABEL_WIDTH, title);
    for (size_t i = 0; i < n; i++) {
        snprintf(cell, sizeof cell, "n = %llu", (unsigned long long)s[i].n[from]);
        rc |= mien_buf_printf(out, "  %*s%*s", width, cell, GUESS_WIDTH, "guess");
    }
    rc |= mien_buf_printf(out, "\n");
    for (int m = from; m <= to; m++) {
        if (is_covered(s, n, m))
            continue;
        rc |= mien_buf_printf(out, "  %-*s", LABEL_WIDTH - 2, score_title(m));
        for (size_t i = 0; i < n; i++) {
            format_cell(&s[i], m, cell);
            format_guess(&s[i], m, guess);
            rc |= mien_buf_printf(out, "  %*s%*s", width, cell, GUESS_WIDTH, guess);
        }
        while (out->len > 0 && out->data[out->len - 1] == ' ')
            out->len--;
        rc |= mien_buf_printf(out, "\n");
    }
    return rc;
}

/* The expected calibration errors of calibration k, a section's last row. */
static int put_ece(struct mien_buf *out, const struct score_run *runs, size_t n, int width, int k,
                   const char *title)
{
    struct confidence_view c[CONFIDENCES];
    bool any = false;
    int rc = 0;
    for (size_t i = 0; i < n; i++) {
        summary_confidences(&runs[i], c);
        any |= c[k].table->n > 0;
    }
    if (!any)
        return 0;
    rc |= mien_buf_printf(out, "  %-*s", LABEL_WIDTH - 2, title);
    for (size_t i = 0; i < n; i++) {
        char cell[CELL] = "-";
        summary_confidences(&runs[i], c);
        if (c[k].table->n > 0)
            snprintf(cell, sizeof cell, "%.4f", confidence_ece(c[k].table));
        rc |= mien_buf_printf(out, "  %*s%*s", width, cell, i + 1 < n ? GUESS_WIDTH : 0, "");
    }
    return rc | mien_buf_printf(out, "\n");
}

/* The runs side by side. */
static int put_table(const struct score_report *o, const struct score_run *runs,
                     const char *const *names, const struct summary *s, size_t n,
                     struct mien_buf *out)
{
    int width = o->boot > 0 ? 23 : 12, rc = 0;
    for (size_t i = 0; i < n; i++)
        rc |= fit_name(&width, names[i], strlen(names[i]));
    if (n > 1) {
        rc |= mien_buf_printf(out, "%*s", LABEL_WIDTH, "");
        for (size_t i = 0; i < n; i++)
            rc |= mien_buf_printf(out, "%*s", i > 0 ? GUESS_WIDTH + 2 : 2, "") |
                  put_name(out, width, names[i], strlen(names[i]));
        rc |= mien_buf_printf(out, "\n");
    }
    for (int t = 0; t < RECORD_COUNTS; t++) {
        struct record_count row[RECORD_COUNTS] = {{0}};
        struct mien_buf line = {0};
        uint64_t any = 0;
        for (size_t i = 0; i < n; i++) {
            summary_records(&runs[i], row);
            any |= row[t].n;
            rc |= mien_buf_printf(&line, "%*s%*llu", i > 0 ? GUESS_WIDTH + 2 : 2, "", width,
                                  (unsigned long long)row[t].n);
        }
        if (any > 0 || t == 0)
            rc |= mien_buf_printf(out, "%-*s%.*s\n", LABEL_WIDTH, row[t].title, (int)line.len,
                                  (const char *)line.data);
        mien_buf_free(&line);
    }
    rc |= put_section(out, s, n, width, "gender", SCORE_GENDER, SCORE_GENDER_COVERAGE);
    rc |= put_ece(out, runs, n, width, 0, "calibration error");
    rc |= put_section(out, s, n, width, "age", SCORE_EXACT, SCORE_AGE_COVERAGE);
    rc |= put_ece(out, runs, n, width, 1, "calibration error");
    rc |= put_section(out, s, n, width, "age in bins", SCORE_BIN, SCORE_ONE_OFF);
    rc |= put_section(out, s, n, width, "age in bands", SCORE_BAND, SCORE_BAND_YEARS);
    int over = runs[0].rule->over;
    char below[32], above[32];
    snprintf(below, sizeof below, "under %d", over);
    snprintf(above, sizeof above, "%d and over", over);
    rc |= put_section(out, s, n, width, below, SCORE_FALSE_POSITIVE, SCORE_FALSE_POSITIVE);
    return rc | put_section(out, s, n, width, above, SCORE_FALSE_NEGATIVE, SCORE_FALSE_NEGATIVE);
}

static int put_confusion(const struct score_run *run, bool bins, struct mien_buf *out)
{
    char name[16];
    int n = bins ? run->rule->nbins : MIEN_GENDERS;
    int rc = mien_buf_printf(out, "\n%-*s", LABEL_WIDTH,
                             bins ? "age: true, predicted" : "gender: true, predicted");
    for (int j = 0; j < n; j++)
        rc |= mien_buf_printf(out, " %8s", summary_class_name(run, bins, j, name));
    rc |= mien_buf_printf(out, "\n");
    for (int i = 0; i < n; i++) {
        rc |=
            mien_buf_printf(out, "  %-*s", LABEL_WIDTH - 2, summary_class_name(run, bins, i, name));
        for (int j = 0; j < n; j++)
            rc |= mien_buf_printf(out, " %8llu",
                                  (unsigned long long)summary_confused(run, bins, i, j));
        rc |= mien_buf_printf(out, "\n");
    }
    return rc;
}

/* The largest gaps between slices, a line a metric. */
static int put_gaps(const struct score_run *run, const struct summary *slices, struct mien_buf *out)
{
    int rc = 0;
    for (int k = 0, any = 0; k < SLICE_METRICS; k++) {
        int m = summary_metrics[k];
        struct slice_gap g;
        char cell[CELL];
        if (!summary_gap(run, slices, m, &g))
            continue;
        if (!any++)
            rc |= mien_buf_printf(out, "\nlargest gap between slices of %d records or more\n",
                                  GAP_RECORDS);
        struct summary s;
        s.n[m] = 1;
        s.value[m] = g.gap;
        s.interval[m] = g.interval;
        format_cell(&s, m, cell);
        rc |= mien_buf_printf(out, "  %-*s  %23s  ", LABEL_WIDTH - 2, score_name(m), cell);
        rc |= put_name(out, 0, run->slice[g.high].name, run->slice[g.high].len) |
              mien_buf_printf(out, " - ") |
              put_name(out, 0, run->slice[g.low].name, run->slice[g.low].len) |
              mien_buf_printf(out, "\n");
    }
    return rc;
}

/* A row a slice, with the metrics that the run has. */
static int put_slice_rows(const struct score_report *o, const struct score_run *run,
                          const struct summary *total, const struct summary *slices,
                          struct mien_buf *out)
{
    char cell[CELL];
    int width = o->boot > 0 ? 23 : 15, rc = 0;
    int longest = (int)strlen("slice");
    for (size_t i = 0; i < run->nslice; i++)
        rc |= fit_name(&longest, run->slice[i].name, run->slice[i].len);
    rc |= mien_buf_printf(out, "\n%-*s %9s", longest, "slice", "n");
    for (int k = 0; k < SLICE_METRICS; k++) {
        if (total->n[summary_metrics[k]] > 0)
            rc |= mien_buf_printf(out, "  %*s", width, score_name(summary_metrics[k]));
    }
    rc |= mien_buf_printf(out, "\n");
    for (size_t i = 0; i < run->nslice; i++) {
        rc |= put_name(out, -longest, run->slice[i].name, run->slice[i].len);
        rc |= mien_buf_printf(out, " %9llu", (unsigned long long)slices[i].most);
        for (int k = 0; k < SLICE_METRICS; k++) {
            if (total->n[summary_metrics[k]] == 0)
                continue;
            format_cell(&slices[i], summary_metrics[k], cell);
            rc |= mien_buf_printf(out, "  %*s", width, cell);
        }
        rc |= mien_buf_printf(out, "\n");
    }
    return rc;
}

static int put_slices(const struct score_report *o, const struct score_run *run,
                      const struct summary *total, struct mien_buf *out)
{
    struct summary *slices = calloc(run->nslice + 1, sizeof *slices);
    int rc = slices == NULL ? MIEN_ERR_MEM : 0;
    for (size_t i = 0; i < run->nslice && rc == 0; i++)
        rc = summary_of(o, &run->slice[i].score, &slices[i]);
    if (rc == 0)
        rc = put_slice_rows(o, run, total, slices, out) | put_gaps(run, slices, out);
    free(slices);
    return rc;
}

int report_text(const struct score_report *o, const struct score_run *runs,
                const char *const *names, const struct summary *s, size_t n, struct mien_buf *out)
{
    int rc = o->resumed ? mien_buf_printf(out, "\n") : 0;
    rc |= put_table(o, runs, names, s, n, out);
    rc |= mien_buf_printf(out, "\nCS, bins and bands use the %s. guess: the best constant guess.",
                          summary_point_name(&runs[0]));
    if (o->boot > 0)
        rc |= mien_buf_printf(out, "\nIn parentheses: 95%% intervals, %d resamples, seed %llu.",
                              o->boot, (unsigned long long)o->seed);
    rc |= mien_buf_printf(out, "\n");
    for (size_t i = 0; i < n; i++) {
        if (n > 1)
            rc |= mien_buf_printf(out, "\n") | put_name(out, 0, names[i], strlen(names[i])) |
                  mien_buf_printf(out, ":\n");
        if (s[i].n[SCORE_GENDER] > 0)
            rc |= put_confusion(&runs[i], false, out);
        if (s[i].n[SCORE_BIN] > 0)
            rc |= put_confusion(&runs[i], true, out);
        if (o->tables)
            rc |= report_text_confidence(&runs[i], out);
        rc |= report_text_check(&runs[i], out);
        if (runs[i].nslice > 0)
            rc |= put_slices(o, &runs[i], &s[i], out);
    }
    return rc;
}

/* A line of text: the main metrics, under a heading before the first one. */
int report_text_running(const struct score_run *run, const struct summary *s, bool first,
                        struct mien_buf *out)
{
    char cell[CELL];
    int rc = first ? mien_buf_printf(out, "%12s", "records") : 0;
    for (int k = 0; first && k < MAIN_METRICS; k++)
        rc |= mien_buf_printf(out, "  %15s", score_name(summary_metrics[k]));
    rc |= mien_buf_printf(out, "%s%12llu", first ? "\n" : "", (unsigned long long)run->records);
    for (int k = 0; k < MAIN_METRICS; k++) {
        format_cell(s, summary_metrics[k], cell);
        rc |= mien_buf_printf(out, "  %15s", cell);
    }
    return rc | mien_buf_printf(out, "\n");
}
