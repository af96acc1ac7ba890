/* Reports: how far confidences can be relied on. */
#include <math.h>

#include "report.h"

int report_text_confidence(const struct score_run *run, struct mien_buf *out)
{
    struct confidence_view c[CONFIDENCES];
    int rc = 0;
    summary_confidences(run, c);
    for (int k = 0; k < CONFIDENCES; k++) {
        if (c[k].table->n == 0)
            continue;
        rc |= mien_buf_printf(out, "\nconfidence: %s\n%10s %9s %11s %9s\n", c[k].title, "claimed",
                              "n", "on average", "right");
        for (int i = 0; i < CONFIDENCE_BINS; i++) {
            const struct confidence_bin *b = &c[k].table->bin[i];
            if (b->n == 0)
                continue;
            rc |= mien_buf_printf(out, "%4d-%3d%%  %9llu %10.1f%% %8.1f%%\n",
                                  100 * i / CONFIDENCE_BINS, 100 * (i + 1) / CONFIDENCE_BINS,
                                  (unsigned long long)b->n, 100 * score_sum(b->sum) / (double)b->n,
                                  100 * (double)b->right / (double)b->n);
        }
        rc |= mien_buf_printf(out, "%10s %20s  %s\n", "records", "confidence", c[k].loss_title);
        for (int i = 0; i < COVERAGES; i++) {
            double least, share;
            double v = confidence_risk(c[k].table, summary_coverages[i], &least, &share);
            rc |= mien_buf_printf(out, "%9.1f%% %12s%7.1f%%  ", 100 * share, "from", 100 * least);
            rc |= mien_buf_printf(out, c[k].share ? "%.2f%%\n" : "%.2f\n",
                                  c[k].share ? 100 * (1 - v) : v);
        }
    }
    return rc;
}

static int put_bins_tsv(const struct confidence_view *c, struct tsv_line *l, struct mien_buf *out)
{
    int rc = 0;
    for (int i = 0; i < CONFIDENCE_BINS; i++) {
        const struct confidence_bin *b = &c->table->bin[i];
        double low = (double)i / CONFIDENCE_BINS, high = (double)(i + 1) / CONFIDENCE_BINS;
        if (b->n == 0)
            continue;
        l->n = (long long)b->n;
        l->value = score_sum(b->sum) / (double)b->n;
        rc |= report_tsv_line(out, l, "%s_confidence:%.2f-%.2f", c->name, low, high);
        l->value = (double)b->right / (double)b->n;
        rc |= report_tsv_line(out, l, "%s_right:%.2f-%.2f", c->name, low, high);
    }
    return rc;
}

static int put_risks_tsv(const struct confidence_view *c, struct tsv_line *l, struct mien_buf *out)
{
    int rc = 0;
    for (int i = 0; i < COVERAGES; i++) {
        double least, share, v = confidence_risk(c->table, summary_coverages[i], &least, &share);
        l->n = llround(share * (double)c->table->n);
        l->value = c->share ? 1 - v : v;
        rc |= report_tsv_line(out, l, "%s:%g", c->loss, summary_coverages[i]);
        l->value = least;
        rc |= report_tsv_line(out, l, "%s_least:%g", c->name, summary_coverages[i]);
    }
    return rc;
}

int report_tsv_confidence(const struct score_report *o, const struct score_run *run,
                          const char *file, struct mien_buf *out)
{
    struct confidence_view c[CONFIDENCES];
    int rc = 0;
    summary_confidences(run, c);
    for (int k = 0; k < CONFIDENCES; k++) {
        struct tsv_line l = {.file = file, .interval = {NAN, NAN}, .guess = NAN};
        if (c[k].table->n == 0)
            continue;
        l.n = (long long)c[k].table->n;
        l.value = confidence_ece(c[k].table);
        rc |= report_tsv_line(out, &l, "%s_ece", c[k].name);
        if (o->tables)
            rc |= put_bins_tsv(&c[k], &l, out) | put_risks_tsv(&c[k], &l, out);
    }
    return rc;
}

static int put_tables_json(const struct confidence_view *c, struct mien_buf *out)
{
    const char *comma = "";
    int rc = mien_buf_printf(out, ",\"bins\":[");
    for (int i = 0; i < CONFIDENCE_BINS; i++) {
        const struct confidence_bin *b = &c->table->bin[i];
        if (b->n == 0)
            continue;
        rc |= mien_buf_printf(out,
                              "%s{\"from\":%.2f,\"to\":%.2f,\"n\":%llu,\"confidence\":%.12g,"
                              "\"right\":%.12g}",
                              comma, (double)i / CONFIDENCE_BINS, (i + 1.0) / CONFIDENCE_BINS,
                              (unsigned long long)b->n, score_sum(b->sum) / (double)b->n,
                              (double)b->right / (double)b->n);
        comma = ",";
    }
    rc |= mien_buf_printf(out, "],\"coverage\":[");
    for (int i = 0; i < COVERAGES; i++) {
        double least, share, v = confidence_risk(c->table, summary_coverages[i], &least, &share);
        rc |= mien_buf_printf(out, "%s{\"least\":%g,\"share\":%g,\"confidence\":%.3f,\"%s\":%.12g}",
                              i > 0 ? "," : "", summary_coverages[i], share, least, c->loss,
                              c->share ? 1 - v : v);
    }
    return rc | mien_buf_printf(out, "]");
}

int report_json_confidence(const struct score_report *o, const struct score_run *run,
                           struct mien_buf *out)
{
    struct confidence_view c[CONFIDENCES];
    int rc = 0;
    summary_confidences(run, c);
    for (int k = 0; k < CONFIDENCES; k++) {
        if (c[k].table->n == 0)
            continue;
        rc |= mien_buf_printf(out, ",\"confidence_%s\":{\"n\":%llu,\"ece\":%.12g", c[k].name,
                              (unsigned long long)c[k].table->n, confidence_ece(c[k].table));
        if (o->tables)
            rc |= put_tables_json(&c[k], out);
        rc |= mien_buf_printf(out, "}");
    }
    return rc;
}
