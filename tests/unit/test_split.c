#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util/hash.h"
#include "data/split.h"
#include "data/strata.h"

static struct split parse(const char *weights)
{
    struct split s;
    struct mien_err e;
    assert_int_equal(split_parse(&s, weights, NULL, &e), 0);
    return s;
}

static void shares_and_names_are_parsed(void **state)
{
    (void)state;
    struct split s = parse("80/10/10");
    assert_int_equal(s.n, 3);
    assert_int_equal(s.upto[0], SPLIT_ONE / 10 * 8 + 3); /* rounded */
    assert_int_equal(s.upto[2], SPLIT_ONE);
    assert_string_equal(s.name[1], "val");
    s = parse("0.5/.5");
    assert_int_equal(s.upto[0], SPLIT_ONE / 2);
    assert_string_equal(s.name[1], "test");
    s = parse("1/2/3/4");
    assert_string_equal(s.name[3], "part4");
    s = parse("7");
    assert_int_equal(s.n, 1);
    s = parse("1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1");
    assert_int_equal(s.n, SPLIT_MAX);

    struct mien_err e;
    const char *bad[] = {"",
                         "/",
                         "80/",
                         "/80",
                         "80//20",
                         "80/x",
                         "80/-1",
                         "100/0",
                         "80/20 %",
                         "nan/1",
                         "1/1e300",
                         "1e9/1e-9",
                         "1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(split_parse(&s, bad[i], NULL, &e), MIEN_ERR_ARG);
    assert_int_equal(split_parse(&s, "1/1", "a,b", &e), 0);
    assert_string_equal(s.name[1], "b");
    assert_int_equal(split_parse(&s, "1/1", "a", &e), MIEN_ERR_ARG);
    assert_int_equal(split_parse(&s, "1/1", "a,b,c", &e), MIEN_ERR_ARG);
    assert_int_equal(split_parse(&s, "1/1", "a,", &e), MIEN_ERR_ARG);
    assert_int_equal(split_parse(&s, "1/1", "a,a", &e), MIEN_ERR_ARG);
    char longest[2 * SPLIT_NAME];
    memset(longest, 'x', sizeof longest);
    memcpy(longest + SPLIT_NAME, ",b", 3);
    assert_int_equal(split_parse(&s, "1/1", longest, &e), MIEN_ERR_ARG);
    assert_int_equal(split_parse(&s, "1/1", longest + 1, &e), 0);
}

static void every_key_has_its_part(void **state)
{
    (void)state;
    struct split s = parse("80/10/10"), less = parse("80/20");
    int count[3] = {0};
    assert_int_equal(split_part(&s, 0), 0);
    assert_int_equal(split_part(&s, UINT64_MAX), 2);
    for (int i = 0; i < 100000; i++) {
        uint64_t key = hash_bytes(7, &i, sizeof i);
        int part = split_part(&s, key);
        assert_in_range(part, 0, 2);
        count[part]++;
        /* The first part stays when the others are joined. */
        assert_int_equal(part == 0, split_part(&less, key) == 0);
    }
    assert_in_range(count[0], 79500, 80500);
    assert_in_range(count[1], 9700, 10300);
    assert_in_range(count[2], 9700, 10300);
}

/* These must never change, or a split made before can't be made again. They were computed with
   another implementation of SipHash. */
static void the_split_is_that_of_every_machine(void **state)
{
    (void)state;
    struct split s = parse("80/10/10");
    struct mien_err e;
    struct mien_rec r = {0};
    char got[41] = {0}, name[16];
    for (int i = 0; i < 40; i++) {
        uint64_t key;
        snprintf(name, sizeof name, "%02d.jpg", i);
        mien_rec_set_str(&r, MIEN_TAG_ID, name);
        assert_int_equal(split_key(&r, SPLIT_BY_ID, 1, &key, &e), SPLIT_BY_ID);
        got[i] = (char)('0' + split_part(&s, key));
    }
    assert_string_equal(got, "2010000000020020000200100002000002000000");
    mien_rec_free(&r);
}

static void set_bytes(struct mien_rec *r, int tag, const char *s)
{
    const uint32_t dim[3] = {1, (uint32_t)strlen(s) / 3, 3}, len = (uint32_t)strlen(s);
    void *p = mien_rec_alloc(r, tag, MIEN_U8, tag == MIEN_TAG_PIXELS ? 3 : 1,
                             tag == MIEN_TAG_PIXELS ? dim : &len);
    assert_non_null(p);
    memcpy(p, s, len);
}

static void keys_follow_the_rule(void **state)
{
    (void)state;
    struct mien_rec r = {0};
    struct mien_err e;
    uint64_t k[4], again;
    for (int by = SPLIT_BY_SUBJECT; by <= SPLIT_BY_DEFAULT; by++) {
        assert_int_equal(split_key(&r, by, 0, &again, &e), MIEN_ERR_ARG);
        assert_non_null(strstr(e.msg, "to split by"));
    }
    mien_rec_set_str(&r, MIEN_TAG_ID, "x");
    mien_rec_set_f32v(&r, MIEN_TAG_FEATURES, (const float[2]){1, 2}, 2);
    assert_int_equal(split_key(&r, SPLIT_BY_DEFAULT, 0, &k[0], &e), SPLIT_BY_CONTENT);
    set_bytes(&r, MIEN_TAG_PIXELS, "abcdef");
    assert_int_equal(split_key(&r, SPLIT_BY_DEFAULT, 0, &k[1], &e), SPLIT_BY_CONTENT);
    set_bytes(&r, MIEN_TAG_IMAGE, "image");
    assert_int_equal(split_key(&r, SPLIT_BY_DEFAULT, 0, &k[2], &e), SPLIT_BY_CONTENT);
    mien_rec_set_str(&r, MIEN_TAG_SUBJECT, "");
    assert_int_equal(split_key(&r, SPLIT_BY_DEFAULT, 0, &again, &e), SPLIT_BY_CONTENT);
    assert_true(again == k[2]);
    assert_int_equal(split_key(&r, SPLIT_BY_SUBJECT, 0, &again, &e), MIEN_ERR_ARG);
    mien_rec_set_str(&r, MIEN_TAG_SUBJECT, "someone");
    assert_int_equal(split_key(&r, SPLIT_BY_DEFAULT, 0, &k[3], &e), SPLIT_BY_SUBJECT);
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < i; j++)
            assert_true(k[i] != k[j]);
    }
    /* The key is the content alone, whatever the id; and another under another seed. */
    mien_rec_set_str(&r, MIEN_TAG_ID, "y");
    assert_int_equal(split_key(&r, SPLIT_BY_CONTENT, 0, &again, &e), SPLIT_BY_CONTENT);
    assert_true(again == k[2]);
    assert_int_equal(split_key(&r, SPLIT_BY_CONTENT, 1, &again, &e), SPLIT_BY_CONTENT);
    assert_true(again != k[2]);
    mien_rec_fail(&r, "broken");
    assert_int_equal(split_key(&r, SPLIT_BY_DEFAULT, 0, &again, &e), MIEN_ERR_ARG);
    mien_rec_free(&r);
}

static void tallies_say_what_is_known(void **state)
{
    (void)state;
    struct split_tally t = {0};
    struct mien_rec r = {0};
    struct mien_buf out = {0};
    assert_int_equal(split_tally_text(&t, 0, &out), 0);
    assert_int_equal(out.len, strlen("0 records (0.00%)"));
    split_tally_add(&t, &r);
    uint8_t *band = mien_rec_alloc(&r, MIEN_TAG_AGE_BAND, MIEN_U8, 1, (const uint32_t[1]){2});
    band[0] = 20;
    band[1] = 29;
    split_tally_add(&t, &r);
    mien_rec_set_u8(&r, MIEN_TAG_AGE, 40);
    mien_rec_set_u8(&r, MIEN_TAG_GENDER, 1);
    split_tally_add(&t, &r);
    mien_buf_clear(&out);
    assert_int_equal(split_tally_text(&t, 4, &out), 0);
    mien_buf_append(&out, "", 1);
    assert_string_equal((char *)out.data, "3 records (75.00%), mean age 32.25, 100.00% male");
    mien_buf_free(&out);
    mien_rec_free(&r);
}

/* --- Strata -------------------------------------------------------------------------------- */

enum { N = 3000 };

struct sample {
    uint64_t key[N];
    int age[N], gender[N], part[N];
};

/* Each key has one to `most` records; labels are skewed, and some unknown. */
static void draw(struct sample *x, int most)
{
    struct rng rng = {42};
    for (int i = 0; i < N;) {
        uint64_t key = rng_next(&rng);
        int n = 1 + (int)rng_below(&rng, (uint64_t)most), gender = (int)rng_below(&rng, 3);
        double age = 60 * rng_uniform(&rng) * rng_uniform(&rng);
        for (; n > 0 && i < N; n--, i++) {
            x->key[i] = key;
            x->age[i] = (int)age + (int)rng_below(&rng, 10);
            x->gender[i] = gender < 2 ? gender : -1;
        }
    }
}

/* Splits the sample, its records taken in steps, and notes the parts. */
static void stratify(struct sample *x, const struct split *parts, int steps)
{
    struct mien_err e;
    struct mien_rec r = {0};
    struct strata *s = strata_new((struct strata_by){.age = true, .gender = true}, &e);
    for (int i = 0; i < N; i++) {
        int k = (int)((int64_t)i * steps % N);
        mien_rec_clear(&r);
        mien_rec_set_u8(&r, MIEN_TAG_AGE, x->age[k]);
        if (x->gender[k] >= 0)
            mien_rec_set_u8(&r, MIEN_TAG_GENDER, x->gender[k]);
        assert_int_equal(strata_add(s, x->key[k], &r, &e), 0);
    }
    assert_int_equal(strata_part(s, 0), -1);
    assert_int_equal(strata_assign(s, parts, &e), 0);
    for (int i = 0; i < N; i++)
        x->part[(int64_t)i * steps % N] = strata_part(s, (uint64_t)i);
    assert_int_equal(strata_part(s, N), -1);
    strata_free(s);
    mien_rec_free(&r);
}

/* The largest distance, in records, of a part from its share of a cell; *all of its share of all.
 */
static double deviation(const struct sample *x, const struct split *parts, double *all)
{
    static int cell[22][3][SPLIT_MAX];
    int total[SPLIT_MAX] = {0};
    double worst = 0;
    memset(cell, 0, sizeof cell);
    for (int i = 0; i < N; i++) {
        cell[x->age[i] / 5][x->gender[i] + 1][x->part[i]]++;
        total[x->part[i]]++;
    }
    *all = 0;
    for (int p = 0; p < parts->n; p++) {
        double share =
            (double)(parts->upto[p] - (p > 0 ? parts->upto[p - 1] : 0)) / (double)SPLIT_ONE;
        double d = abs((int)(total[p] - share * N + 0.5));
        *all = d > *all ? d : *all;
        for (int c = 0; c < 22 * 3; c++) {
            int n = 0;
            for (int q = 0; q < parts->n; q++)
                n += cell[c / 3][c % 3][q];
            d = cell[c / 3][c % 3][p] - share * n;
            worst = d > worst ? d : -d > worst ? -d : worst;
        }
    }
    return worst;
}

static void single_records_are_shared_out_evenly(void **state)
{
    (void)state;
    static struct sample x;
    const char *const weights[] = {"80/10/10", "1/1", "5/3/2/2/1", "1/1/1/1/1/1/1/1/1/1"};
    for (size_t i = 0; i < sizeof weights / sizeof *weights; i++) {
        struct split parts = parse(weights[i]);
        double all;
        draw(&x, 1);
        stratify(&x, &parts, 1);
        assert_true(deviation(&x, &parts, &all) < 2);
        assert_true(all <= 2);
    }
}

static void keys_stay_whole(void **state)
{
    (void)state;
    static struct sample x;
    struct split parts = parse("80/10/10");
    double all;
    draw(&x, 40);
    stratify(&x, &parts, 1);
    for (int i = 1; i < N; i++) {
        if (x.key[i] == x.key[i - 1])
            assert_int_equal(x.part[i], x.part[i - 1]);
    }
    assert_true(deviation(&x, &parts, &all) < 20); /* the hash alone: 37, and 85 of all */
    assert_true(all <= 10);
}

static void order_changes_nothing(void **state)
{
    (void)state;
    static struct sample x, y;
    struct split parts = parse("80/10/10");
    draw(&x, 5);
    y = x;
    stratify(&x, &parts, 1);
    stratify(&y, &parts, 1999);
    assert_memory_equal(x.part, y.part, sizeof x.part);
}

static void groups_are_bounded(void **state)
{
    (void)state;
    struct mien_err e;
    struct mien_rec r = {0};
    char name[16];
    struct strata *s =
        strata_new((struct strata_by){.group = {{.id = MIEN_TAG_GROUP}}, .ngroup = 1}, &e);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 255; i++) {
            snprintf(name, sizeof name, "g%d", i);
            mien_rec_set_str(&r, MIEN_TAG_GROUP, name);
            assert_int_equal(strata_add(s, (uint64_t)i, &r, &e), 0);
        }
    }
    mien_rec_set_str(&r, MIEN_TAG_GROUP, "one more");
    assert_int_equal(strata_add(s, 0, &r, &e), MIEN_ERR_LIMIT);
    strata_free(s);
    strata_free(NULL);
    mien_rec_free(&r);
}

static void nothing_to_stratify(void **state)
{
    (void)state;
    struct mien_err e;
    struct split parts = parse("1/1");
    struct strata *s = strata_new((struct strata_by){.age = true}, &e);
    assert_int_equal(strata_assign(s, &parts, &e), 0);
    assert_int_equal(strata_part(s, 0), -1);
    strata_free(s);
}

static void labels_are_parsed(void **state)
{
    (void)state;
    struct strata_by by;
    struct mien_err e;
    assert_int_equal(strata_by_parse(&by, "gender,age", &e), 0);
    assert_true(by.age && by.gender && by.ngroup == 0);
    assert_int_equal(strata_by_parse(&by, "group", &e), 0);
    assert_true(!by.age && !by.gender && by.ngroup == 1);
    const char *bad[] = {"", "age,", ",age", "3ages", "box", "score", "age gender"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(strata_by_parse(&by, bad[i], &e), MIEN_ERR_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_and_names_are_parsed),
        cmocka_unit_test(every_key_has_its_part),
        cmocka_unit_test(the_split_is_that_of_every_machine),
        cmocka_unit_test(keys_follow_the_rule),
        cmocka_unit_test(tallies_say_what_is_known),
        cmocka_unit_test(single_records_are_shared_out_evenly),
        cmocka_unit_test(keys_stay_whole),
        cmocka_unit_test(order_changes_nothing),
        cmocka_unit_test(groups_are_bounded),
        cmocka_unit_test(nothing_to_stratify),
        cmocka_unit_test(labels_are_parsed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
