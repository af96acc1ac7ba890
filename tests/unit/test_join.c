#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "data/join.h"

/* A join of n paths; each record's age is its place among them. */
static struct join *make_how(enum join_how how, const char *const *path, size_t n)
{
    struct mien_err e;
    struct mien_rec r = {0};
    struct join *j = join_new(how, &e);
    assert_non_null(j);
    for (size_t i = 0; i < n; i++) {
        mien_rec_clear(&r);
        assert_int_equal(mien_rec_set_u8(&r, MIEN_TAG_AGE, (int)i), 0);
        assert_int_equal(mien_rec_set_str(&r, MIEN_TAG_ID, path[i]), 0);
        assert_int_equal(join_add(j, &r, &e), 0);
    }
    mien_rec_free(&r);
    assert_int_equal(join_sort(j, &e), 0);
    return j;
}

static struct join *make(const char *const *path, size_t n)
{
    return make_how(JOIN_SUFFIX, path, n);
}

/* The ages of what the path finds, as text; "none" or "error". */
static const char *find(struct join *j, const char *path)
{
    static char out[200], why[500];
    struct join_match m;
    struct mien_err e;
    int rc = join_find(j, path, &m, &e);
    if (rc < 0) {
        snprintf(why, sizeof why, "error: %s", e.msg);
        return why;
    }
    if (rc == 0)
        return "none";
    struct mien_rec r = {0};
    out[0] = '\0';
    for (size_t i = m.first; i < m.first + m.n; i++) {
        int age = -1;
        assert_int_equal(join_get(j, i, &r, &e), 0);
        assert_true(mien_rec_int(&r, MIEN_TAG_AGE, &age));
        snprintf(out + strlen(out), sizeof out - strlen(out), "%s%d", i > m.first ? " " : "", age);
    }
    mien_rec_free(&r);
    return out;
}

#define MAKE(...)                                                                                  \
    make((const char *const[]){__VA_ARGS__},                                                       \
         sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

#define MAKE_HOW(how, ...)                                                                         \
    make_how(how, (const char *const[]){__VA_ARGS__},                                              \
             sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void backslashes_separate(void **state)
{
    (void)state;
    struct join *j = MAKE("imdb_crop\\01\\x.jpg", "C:\\data\\imdb_crop\\02\\y.jpg", "a/b\\z.jpg");
    assert_string_equal(find(j, "imdb_crop/01/x.jpg"), "0");
    assert_string_equal(find(j, "02\\y.jpg"), "1");
    assert_string_equal(find(j, "z.jpg"), "none"); /* with a '/', a backslash is a letter */
    join_free(j);
}

static void accents_have_two_forms(void **state)
{
    (void)state;
    struct join *j = MAKE("a/Zo\u00eb.jpg", "a/Ca\u0302\u0301.jpg", "b/\uac01.jpg");
    assert_string_equal(find(j, "Zoe\u0308.jpg"), "0");
    assert_string_equal(find(j, "C\u1ea7.jpg"), "none"); /* another letter */
    assert_string_equal(find(j, "C\u1ea5.jpg"), "1");
    assert_string_equal(find(j, "\u1100\u1161\u11a8.jpg"), "2");
    join_free(j);
    j = MAKE("\u1ea5.jpg");
    assert_string_equal(find(j, "a\u0302\u0301.jpg"), "0");
    join_free(j);
    j = MAKE_HOW(JOIN_EXACT, "a/Zo\u00eb.jpg");
    assert_string_equal(find(j, "a/Zoe\u0308.jpg"), "none");
    assert_string_equal(find(j, "x/a/Zo\u00eb.jpg"), "none");
    assert_string_equal(find(j, "Zo\u00eb.jpg"), "none");
    assert_string_equal(find(j, "a/Zo\u00eb.jpg"), "0");
    join_free(j);
}

static void other_ways_to_fit(void **state)
{
    (void)state;
    struct join *j = MAKE_HOW(JOIN_NAME, "a/x.jpg", "b/y.jpg", "b/y.jpg", "c/z.jpg", "d/z.jpg");
    assert_string_equal(find(j, "q/x.jpg"), "0");
    assert_string_equal(find(j, "q/y.jpg"), "1 2");
    assert_string_equal(find(j, "q/z.jpg"),
                        "error: the metadata of 'c/z.jpg' and 'd/z.jpg' fit equally well");
    assert_string_equal(find(j, "d/z.jpg"), "4");
    join_free(j);
    j = MAKE_HOW(JOIN_NOCASE, "A/X.JPG", "a/y.jpg", "A/Y.jpg");
    assert_string_equal(find(j, "q/a/x.jpg"), "0");
    assert_string_equal(find(j, "A/Y.jpg"), "2");
    assert_string_equal(find(j, "a/Y.JPG"),
                        "error: the metadata of 'A/Y.jpg' and 'a/y.jpg' fit equally well");
    join_free(j);
    j = MAKE_HOW(JOIN_STEM, "a/x", "b/y.png", ".jpg", "c/z.tar.gz");
    assert_string_equal(find(j, "a/x.jpg"), "0");
    assert_string_equal(find(j, "y.jpg"), "1");
    assert_string_equal(find(j, ".jpg"), "2");
    assert_string_equal(find(j, "z.tar"), "none");
    assert_string_equal(find(j, "z.tar.jpg"), "3");
    join_free(j);
}

static void advise(enum join_how how, const char *have, const char *image, const char *advice)
{
    char want[200];
    struct join *j = MAKE_HOW(how, have);
    struct mien_buf out = {0};
    struct mien_err e;
    assert_string_equal(find(j, image), "none");
    join_missed(j, image);
    join_missed(j, "other.png");
    assert_int_equal(join_failed(j, &out, &e), 1);
    assert_int_equal(mien_buf_append(&out, "", 1), 0);
    snprintf(want, sizeof want, "nothing joined: 1 metadata records and 2 images; %s", advice);
    assert_string_equal((char *)out.data, want);
    mien_buf_free(&out);
    join_free(j);
}

static void advice_names_the_cause(void **state)
{
    (void)state;
    advise(JOIN_SUFFIX, "a/x.JPG", "a/x.jpg",
           "--match nocase would join 1 (upper and lower case differ)");
    advise(JOIN_SUFFIX, "a/x", "a/x.jpg",
           "--match stem would join 1 (extensions differ or are missing)");
    advise(JOIN_SUFFIX, "a/x.jpg", "b/x.jpg", "--match name would join 1 (folders differ)");
    advise(JOIN_EXACT, "a/x.jpg", "b/a/x.jpg",
           "--match suffix would join 1 (prefixes, backslashes or the form of accents differ)");
    advise(JOIN_SUFFIX, "a/x.jpg", "y.jpg", "no other --match would join any");
}

static void exact_path_wins(void **state)
{
    (void)state;
    struct join *j = MAKE("x.jpg", "a/x.jpg", "b/a/x.jpg", "c/b/a/x.jpg");
    assert_string_equal(find(j, "a/x.jpg"), "1");
    assert_string_equal(find(j, "c/b/a/x.jpg"), "3");
    assert_string_equal(find(j, "b/a/x.jpg"), "2");
    assert_string_equal(find(j, "x.jpg"), "0");
    join_free(j);
}

static void longest_tail_wins(void **state)
{
    (void)state;
    struct join *j = MAKE("x.jpg", "01/x.jpg", "y.jpg");
    assert_string_equal(find(j, "imdb_crop/01/x.jpg"), "1");
    assert_string_equal(find(j, "imdb_crop/02/x.jpg"), "0");
    assert_string_equal(find(j, "./imdb_crop//02/./y.jpg"), "2");
    join_free(j);

    /* The metadata's path may also be the longer one, and then more of it fits. */
    j = MAKE("x.jpg", "/data/imdb_crop/01/x.jpg");
    assert_string_equal(find(j, "01/x.jpg"), "1");
    join_free(j);
}

static void only_whole_components_fit(void **state)
{
    (void)state;
    struct join *j = MAKE("x.jpg", "b/yy.jpg", "1/z.jpg", "x.jpg.png");
    assert_string_equal(find(j, "a/xx.jpg"), "none");
    assert_string_equal(find(j, "y.jpg"), "none");
    assert_string_equal(find(j, "11/z.jpg"), "none");
    assert_string_equal(find(j, "c/yy.jpg"), "none");
    assert_string_equal(find(j, ""), "none");
    assert_string_equal(find(j, "/."), "none");
    join_free(j);
}

static void one_path_many_records(void **state)
{
    (void)state;
    struct join *j = MAKE("b.jpg", "a.jpg", "./a.jpg", "c.jpg", "a.jpg");
    assert_string_equal(find(j, "d/a.jpg"), "1 2 4");
    join_free(j);
}

static void ambiguity_is_an_error(void **state)
{
    (void)state;
    struct join *j = MAKE("imdb/01/x.jpg", "wiki/01/x.jpg", "y.jpg");
    assert_string_equal(
        find(j, "01/x.jpg"),
        "error: the metadata of 'imdb/01/x.jpg' and 'wiki/01/x.jpg' fit equally well");
    assert_string_equal(find(j, "wiki/01/x.jpg"), "1");
    assert_string_equal(find(j, "a/y.jpg"), "2");
    assert_string_equal(find(j, "b/y.jpg"),
                        "error: an earlier image already used the metadata of 'y.jpg'");
    join_free(j);
}

static void unmatched_are_counted(void **state)
{
    (void)state;
    size_t first = 99;
    struct join *j = MAKE("c.jpg", "b.jpg", "a.jpg", "b.jpg");
    assert_int_equal(join_unmatched(j, &first), 4);
    assert_int_equal(first, 0);
    find(j, "a.jpg");
    find(j, "b.jpg");
    assert_int_equal(join_unmatched(j, &first), 1);
    assert_int_equal(first, 3);
    find(j, "c.jpg");
    assert_int_equal(join_unmatched(j, &first), 0);
    join_free(j);

    j = make(NULL, 0);
    assert_string_equal(find(j, "a.jpg"), "none");
    assert_int_equal(join_unmatched(j, &first), 0);
    join_free(j);
    join_free(NULL);
}

static void ids_are_checked(void **state)
{
    (void)state;
    struct mien_err e;
    struct mien_rec r = {0};
    struct join *j = join_new(JOIN_SUFFIX, &e);
    char *longest = calloc(1, JOIN_PATH_MAX + 2);
    memset(longest, 'x', JOIN_PATH_MAX + 1);
    assert_int_equal(join_add(j, &r, &e), MIEN_ERR_ARG);
    mien_rec_set_str(&r, MIEN_TAG_ID, "./");
    assert_int_equal(join_add(j, &r, &e), MIEN_ERR_ARG);
    mien_rec_set_str(&r, MIEN_TAG_ID, longest);
    assert_int_equal(join_add(j, &r, &e), MIEN_ERR_LIMIT);
    mien_rec_set_text(&r, MIEN_TAG_ID, longest, JOIN_PATH_MAX);
    assert_int_equal(join_add(j, &r, &e), 0);
    assert_int_equal(join_sort(j, &e), 0);
    struct join_match m;
    assert_int_equal(join_find(j, longest, &m, &e), MIEN_ERR_LIMIT);
    assert_int_equal(join_find(j, longest + 1, &m, &e), 1);
    free(longest);
    mien_rec_free(&r);
    join_free(j);
}

/* Against the definition, applied to every pair: random paths of few letters. */
static int naive_overlap(const char *a, const char *b)
{
    size_t na = strlen(a), nb = strlen(b);
    const char *longer = na > nb ? a : b, *shorter = na > nb ? b : a;
    size_t d = strlen(longer) - strlen(shorter);
    if (strcmp(longer + d, shorter) != 0 || (d > 0 && longer[d - 1] != '/'))
        return 0;
    int n = 1;
    for (; *shorter; shorter++)
        n += *shorter == '/';
    return n;
}

static void agrees_with_the_definition(void **state)
{
    (void)state;
    uint32_t seed = 1;
    for (int round = 0; round < 2000; round++) {
        char text[9][16];
        const char *path[8];
        for (int i = 0; i < 9; i++) {
            char *p = text[i];
            seed = seed * 1664525 + 1013904223;
            for (uint32_t k = 0, n = 1 + (seed >> 28) % 4; k < n; k++) {
                seed = seed * 1664525 + 1013904223;
                p += sprintf(p, "%s%c", k > 0 ? "/" : "", 'a' + (int)(seed >> 30) % 3);
            }
            if (i < 8)
                path[i] = text[i];
        }
        int best = 0, exact = 0, ways = 0;
        for (int i = 0; i < 8; i++) {
            int o = naive_overlap(path[i], text[8]), dup = 0;
            for (int k = 0; k < i; k++)
                dup |= strcmp(path[k], path[i]) == 0;
            exact |= strcmp(path[i], text[8]) == 0;
            ways = o > best ? 1 : ways + (o == best && !dup);
            best = o > best ? o : best;
        }
        struct join *j = make(path, 8);
        const char *got = find(j, text[8]);
        if (best == 0)
            assert_string_equal(got, "none");
        else if (!exact && ways > 1)
            assert_memory_equal(got, "error", 5);
        else {
            int i = atoi(got);
            assert_true(got[0] >= '0' && got[0] <= '9');
            assert_int_equal(naive_overlap(path[i], text[8]), best);
            assert_true(!exact || strcmp(path[i], text[8]) == 0);
        }
        join_free(j);
    }
}

/* As many records as IMDB-WIKI has. */
static void half_a_million_fit_in_memory(void **state)
{
    (void)state;
    enum { N = 523051 };
    struct mien_err e;
    struct mien_rec r = {0};
    struct rusage use;
    struct join_match m;
    struct join *j = join_new(JOIN_SUFFIX, &e);
    char path[80];
    for (int i = 0; i < N; i++) {
        int k = (int)(i * 7919LL % N); /* in no order */
        mien_rec_clear(&r);
        snprintf(path, sizeof path, "%02d/nm%07d_rm124825600_1899-5-10_1968.jpg", k % 100, k);
        mien_rec_set_str(&r, MIEN_TAG_ID, path);
        mien_rec_set_str(&r, MIEN_TAG_SUBJECT, "Sir Somebody Or Other");
        mien_rec_set_u8(&r, MIEN_TAG_AGE, i % 101);
        mien_rec_set_u8(&r, MIEN_TAG_GENDER, i % 2);
        mien_rec_set_str(&r, MIEN_TAG_BIRTH, "1899-05-10");
        mien_rec_set_i32(&r, MIEN_TAG_YEAR, 1968);
        mien_rec_set_f32v(&r, MIEN_TAG_BOX, (const float[4]){1, 2, 3, 4}, 4);
        mien_rec_set_f32(&r, MIEN_TAG_SCORE, 1.5f);
        if (join_add(j, &r, &e) < 0)
            fail_msg("%s", e.msg);
    }
    mien_rec_free(&r);
    assert_int_equal(join_sort(j, &e), 0);
    for (int k = 0; k < N; k += 1000) {
        snprintf(path, sizeof path, "imdb_crop/%02d/nm%07d_rm124825600_1899-5-10_1968.jpg", k % 100,
                 k);
        assert_int_equal(join_find(j, path, &m, &e), 1);
        assert_int_equal(m.n, 1);
    }
    join_free(j);
    getrusage(RUSAGE_SELF, &use);
#ifndef __SANITIZE_ADDRESS__
    assert_true(use.ru_maxrss < 200 * 1000);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backslashes_separate),
        cmocka_unit_test(accents_have_two_forms),
        cmocka_unit_test(other_ways_to_fit),
        cmocka_unit_test(advice_names_the_cause),
        cmocka_unit_test(exact_path_wins),
        cmocka_unit_test(longest_tail_wins),
        cmocka_unit_test(only_whole_components_fit),
        cmocka_unit_test(one_path_many_records),
        cmocka_unit_test(ambiguity_is_an_error),
        cmocka_unit_test(unmatched_are_counted),
        cmocka_unit_test(ids_are_checked),
        cmocka_unit_test(agrees_with_the_definition),
        cmocka_unit_test(half_a_million_fit_in_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
