/* Tables of labels, CSV and tab-separated: every row as a record. */
#include "fuzz.h"

#include "labels/mat.h"
#include "labels/table.h"
#include "util/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mien_err e = {{0}};
    struct mien_rec r = {0};
    unsigned how = fuzz_last(data, &size);
    struct rule rule = {.any_age = how & 1};
    char head[MAT_HEAD];
    if (how & 2)
        rule.codes = (struct label_codes){"1", "0"};
    if (how & 4)
        FUZZ_CHECK(rule_column(&rule, "age=x", &e) == 0);
    int fd = fuzz_fd(data, size), rc;
    ssize_t n = file_read(fd, head, sizeof head);
    struct table *t = table_new(fd, head, (size_t)n, &rule, NULL, NULL, &e);
    if (t == NULL) {
        fuzz_error(MIEN_ERR_FORMAT, &e);
        return 0;
    }
    FUZZ_CHECK(table_ignored(t) != NULL);
    while ((rc = table_next(t, &r, &e)) > 0 || rc == MIEN_ERR_FORMAT) {
        if (rc < 0)
            fuzz_error(rc, &e);
        FUZZ_CHECK(rc < 0 || mien_rec_has(&r, MIEN_TAG_ID));
    }
    if (rc < 0)
        fuzz_error(rc, &e);
    table_free(t);
    mien_rec_free(&r);
    return 0;
}
