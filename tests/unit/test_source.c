/* Sources: what is a file's fault, and what isn't. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "data/source.h"

static char dir[] = "/tmp/mien-test-source-XXXXXX";
static const char *const names[] = {"a.jpg", "b.jpg", "c.jpg"};

static int set_up(void **state)
{
    char path[64];
    (void)state;
    if (mkdtemp(dir) == NULL)
        return -1;
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        FILE *f = fopen(path, "wb");
        if (f == NULL || fputs("\xff\xd8\xff\xe0", f) < 0 || fclose(f) != 0)
            return -1;
    }
    return 0;
}

static int tear_down(void **state)
{
    char path[64];
    (void)state;
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    return rmdir(dir);
}

/* A file that may not be read costs only itself; that no more may be opened ends the reading. */
static void files_that_cannot_be_opened(void **state)
{
    (void)state;
    struct mien_err e;
    struct source_file f;
    struct rlimit before, none;
    char path[64];
    const char *paths[] = {dir};
    snprintf(path, sizeof path, "%s/%s", dir, names[1]);
    unlink(path);
    assert_int_equal(symlink("nowhere", path), 0);
    struct source *s = source_new(paths, 1, 1000, &e);
    assert_int_equal(source_next(s, &f, &e), 1);
    assert_null(f.error);
    assert_int_equal(source_next(s, &f, &e), 1);
    assert_non_null(strstr(f.error, "cannot follow link"));
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    int rc = source_next(s, &f, &e);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(rc, MIEN_ERR_SYS);
    assert_non_null(strstr(e.msg, "c.jpg': Too many open files"));
    source_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(files_that_cannot_be_opened)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
