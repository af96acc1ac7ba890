/* Descriptions of data sets, used on a small table and a few paths. */
#include "fuzz.h"

#include "labels/names.h"
#include "labels/set.h"
#include "labels/table.h"

static const char table[] =
    "file,age,gender,dob,race\na/1.jpg,34,F,1980-02-03,2\nb.png,(25,m,3/4/90,\n";

static void use(const struct rule *rule)
{
    struct mien_err e = {{0}};
    struct mien_rec r = {0};
    struct names *names = NULL;
    if (rule->names != NULL && (names = names_new(rule->names, rule, &e)) == NULL)
        fuzz_error(MIEN_ERR_ARG, &e);
    int rc, fd = fuzz_fd(table, sizeof table - 1);
    struct table *t = table_new(fd, "", 0, rule, names, NULL, &e);
    if (t == NULL)
        fuzz_error(MIEN_ERR_FORMAT, &e);
    while (t != NULL && ((rc = table_next(t, &r, &e)) > 0 || rc == MIEN_ERR_FORMAT)) {
        if (rc < 0)
            fuzz_error(rc, &e);
    }
    table_free(t);
    names_free(names);
    mien_rec_free(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mien_err e = {{0}};
    struct set s = {0};
    int rc = set_read(fuzz_file("pack", data, size), &s, &e); /* "input" is the table's */
    if (rc < 0) {
        fuzz_error(rc, &e);
        return 0;
    }
    use(&s.rule);
    set_free(&s);
    return 0;
}
