/* Reports: who passes where ages are checked. */
#include <math.h>

#include "report.h"

/* Ages whose decisions a table in text shows: those that a check is about. */
enum { YOUNGEST = 10, OLDER = 10 };

int report_text_check(const struct score_run *run, struct mien_buf *out)
{
    const struct assurance *a = &run->assurance;
    int over = run->rule->over, challenge = run->rule->challenge;
    if (over == 0)
        return 0;
    int rc = mien_buf_printf(out, "\nover %d, challenge %d\n%8s %12s %17s %17s\n", over, challenge,
                             "true age", "n", "pass", "95% interval");
    for (int age = 0; age < MIEN_AGES; age++) {
        if (a->n[age] == 0 || age < YOUNGEST || age > challenge + OLDER)
            continue;
        struct score_interval i = assurance_interval(a->passed[age], a->n[age]);
        rc |= mien_buf_printf(
            out, "%8d %12llu %16.2f%% %9.2f-%.2f\n", age, (unsigned long long)a->n[age],
            100 * (double)a->passed[age] / (double)a->n[age], 100 * i.low, 100 * i.high);
    }
    rc |= mien_buf_printf(out, "challenge  false positives   false negatives\n");
    for (int age = over; age < MIEN_AGES && age <= challenge + OLDER; age++) {
        double fp, fn;
        assurance_rates(a, age, &fp, &fn);
        rc |= mien_buf_printf(out, "%9d %15.2f%% %16.2f%%\n", age, 100 * fp, 100 * fn);
    }
    return rc | mien_buf_printf(out, "area under the curve %.4f\n", assurance_auc(a));
}

int report_tsv_check(const struct score_run *run, const char *file, struct mien_buf *out)
{
    const struct assurance *a = &run->assurance;
    struct tsv_line l = {.file = file, .n = -1, .interval = {NAN, NAN}, .guess = NAN};
    int rc = 0;
    if (run->rule->over == 0)
        return 0;
    l.value = assurance_auc(a);
    if (!isnan(l.value))
        rc |= report_tsv_line(out, &l, "check_auc");
    for (int age = 0; age < MIEN_AGES; age++) {
        double fp, fn;
        assurance_rates(a, age, &fp, &fn);
        l.value = fp;
        rc |= report_tsv_line(out, &l, "false_positives:%d", age);
        l.value = fn;
        rc |= report_tsv_line(out, &l, "false_negatives:%d", age);
    }
    for (int age = 0; age < MIEN_AGES; age++) {
        if (a->n[age] == 0)
            continue;
        l.n = (long long)a->n[age];
        l.value = (double)a->passed[age] / (double)a->n[age];
        l.interval = assurance_interval(a->passed[age], a->n[age]);
        rc |= report_tsv_line(out, &l, "passes:%d", age);
    }
    return rc;
}

/* JSON has no NaN. */
static int put_number_json(struct mien_buf *out, const char *key, double v)
{
    return isnan(v) ? mien_buf_printf(out, "\"%s\":null", key)
                    : mien_buf_printf(out, "\"%s\":%.12g", key, v);
}

int report_json_check(const struct score_run *run, struct mien_buf *out)
{
    const struct assurance *a = &run->assurance;
    const char *comma = "";
    if (run->rule->over == 0)
        return 0;
    int rc = mien_buf_printf(out, ",\"check\":{\"over\":%d,\"challenge\":%d,", run->rule->over,
                             run->rule->challenge);
    rc |= put_number_json(out, "auc", assurance_auc(a));
    rc |= mien_buf_printf(out, ",\"ages\":[");
    for (int age = 0; age < MIEN_AGES; age++) {
        if (a->n[age] == 0)
            continue;
        struct score_interval i = assurance_interval(a->passed[age], a->n[age]);
        rc |= mien_buf_printf(out,
                              "%s{\"age\":%d,\"n\":%llu,\"passes\":%.12g,\"low\":%.12g,"
                              "\"high\":%.12g}",
                              comma, age, (unsigned long long)a->n[age],
                              (double)a->passed[age] / (double)a->n[age], i.low, i.high);
        comma = ",";
    }
    rc |= mien_buf_printf(out, "],\"challenges\":[");
    for (int age = 0; age < MIEN_AGES; age++) {
        double fp, fn;
        assurance_rates(a, age, &fp, &fn);
        rc |= mien_buf_printf(out, "%s{\"challenge\":%d,", age > 0 ? "," : "", age);
        rc |= put_number_json(out, "false_positives", fp) | mien_buf_append(out, ",", 1);
        rc |= put_number_json(out, "false_negatives", fn) | mien_buf_append(out, "}", 1);
    }
    return rc | mien_buf_printf(out, "]}");
}
