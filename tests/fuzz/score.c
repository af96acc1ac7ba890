/* Saved scores: what is read is saved again, to the same text, added to itself, and reported on. */
#include "fuzz.h"

#include "score/run.h"

static int load(struct score_run *run, const void *text, size_t n, struct mien_err *e)
{
    int rc = score_run_load(run, text, n, e);
    if (rc < 0)
        fuzz_error(rc, e);
    return rc;
}

static void report(struct score_run *run)
{
    const char *name = "-";
    score_run_sort(run);
    for (int format = SCORE_TEXT; format <= SCORE_JSON; format++) {
        struct mien_buf text = {0};
        struct score_report o = {.format = (enum score_format)format, .tables = true};
        FUZZ_CHECK(score_report(&o, run, &name, 1, &text) == 0 && text.len > 0);
        mien_buf_free(&text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mien_err e = {{0}};
    struct score_rule rule = {0};
    struct column keys[SCORE_MAX_KEYS];
    struct mien_buf a = {0}, b = {0};
    char by[SCORE_BY];
    struct score_run one = {.rule = &rule, .keys = keys}, again = one;
    int rc = score_saved_rule(data, size, &rule, by, &e);
    if (rc == 0 && *by != '\0')
        rc = score_keys(by, keys, &one.nkeys, &e);
    if (rc < 0) {
        fuzz_error(rc, &e);
        return 0;
    }
    again.nkeys = one.nkeys;
    if (load(&one, data, size, &e) == 0) {
        FUZZ_CHECK(score_run_save(&one, &a) == 0);
        if (load(&again, a.data, a.len, &e) ==
            0) { /* sums of slices of one name may be too large */
            FUZZ_CHECK(score_run_save(&again, &b) == 0);
            FUZZ_CHECK(a.len == b.len && memcmp(a.data, b.data, a.len) == 0);
            FUZZ_CHECK(load(&again, a.data, a.len, &e) == 0);
            report(&again);
        }
        report(&one);
    }
    score_run_free(&one);
    score_run_free(&again);
    mien_buf_free(&a);
    mien_buf_free(&b);
    return 0;
}
