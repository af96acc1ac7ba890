/* Columns, and records as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/census.h"
#include "record/col.h"
#include "util/hash.h"
#include "record/pred.h"
#include "record/named.h"
#include "record/text.h"

static const char *string(struct mien_buf *b)
{
    assert_int_equal(mien_buf_append(b, "", 1), 0);
    b->len--;
    return (const char *)b->data;
}

static void expect_tsv(const struct mien_rec *r, const char *columns, const char *wanted)
{
    struct mien_buf b = {0};
    struct column *cols;
    size_t n;
    assert_int_equal(col_parse(columns, &cols, &n, NULL), 0);
    assert_int_equal(text_tsv(&b, r, cols, n), 0);
    assert_string_equal(string(&b), wanted);
    free(cols);
    mien_buf_free(&b);
}

static void expect_json(const struct mien_rec *r, bool full, const char *wanted)
{
    struct mien_buf b = {0};
    assert_int_equal(text_json(&b, r, NULL, 0, full), 0);
    assert_string_equal(string(&b), wanted);
    mien_buf_free(&b);
}

/* p_age with half of the probability at each of two ages. */
static void set_ages(struct mien_rec *r, int a, int b)
{
    float p[MIEN_AGES] = {0};
    p[a] += 0.5f;
    p[b] += 0.5f;
    assert_int_equal(mien_rec_set_f32v(r, MIEN_TAG_P_AGE, p, MIEN_AGES), 0);
}

static void test_fields(void **state)
{
    (void)state;
    struct mien_rec r = {0};
    mien_rec_set_str(&r, MIEN_TAG_ID, "00/x.jpg");
    mien_rec_set_u8(&r, MIEN_TAG_AGE, 42);
    mien_rec_set_u8(&r, MIEN_TAG_GENDER, 1);
    mien_rec_set_i32(&r, MIEN_TAG_YEAR, -7);
    mien_rec_set_f32(&r, MIEN_TAG_SCORE, 2.5f);
    memcpy(mien_rec_alloc(&r, MIEN_TAG_AGE_BAND, MIEN_U8, 1, (uint32_t[]){2}), "\x14\x1d", 2);
    mien_rec_set_f32v(&r, MIEN_TAG_BOX, (float[]){1, 2, 3.25f, 4}, 4);
    memcpy(mien_rec_alloc(&r, MIEN_TAG_LANDMARKS, MIEN_F32, 2, (uint32_t[]){2, 2}),
           (float[]){1, 2, 3, NAN}, 16);
    memset(mien_rec_alloc(&r, MIEN_TAG_PIXELS, MIEN_U8, 3, (uint32_t[]){2, 1, 3}), 'a', 6);
    memset(mien_rec_alloc(&r, 99, MIEN_U64, 0, NULL), 0xff, 8);
    memcpy(mien_rec_alloc(&r, 98, MIEN_F64, 0, NULL), &(double){0.1}, 8);

    expect_tsv(&r, "id,age,gender,year,score,age_band,subject,box,landmarks,pixels,tag99,tag98",
               "00/x.jpg\t42\tmale\t-7\t2.5000\t20-29\t\t1,2,3.25,4\t1,2,3,nan\t2x1x3\t"
               "18446744073709551615\t0.1\n");
    expect_json(&r, false,
                "{\"id\":\"00/x.jpg\",\"age\":42,\"gender\":\"male\",\"year\":-7,\"score\":2.5,"
                "\"age_band\":[20,29],\"box\":[1,2,3.25,4],\"landmarks\":[[1,2],[3,null]],"
                "\"pixels\":{\"shape\":[2,1,3]},\"tag99\":18446744073709551615,\"tag98\":0.1}\n");

    /* Scores and confidences have four decimals in text, all digits in JSON. */
    mien_rec_clear(&r);
    mien_rec_set_f32(&r, MIEN_TAG_SCORE, -3.14159274f);
    mien_rec_set_f32(&r, MIEN_TAG_SCORE2, -0.00001f);
    mien_rec_set_f32(&r, MIEN_TAG_CONF_GENDER, 0.99996f);
    mien_rec_set_f32(&r, MIEN_TAG_CONF_AGE, 0.123456f);
    expect_tsv(&r, "score,score2,conf_gender,conf_age", "-3.1416\t0.0000\t1.0000\t0.1235\n");
    expect_json(&r, false,
                "{\"score\":-3.1415927,\"score2\":-0.00001,\"conf_gender\":0.99996,"
                "\"conf_age\":0.123456}\n");
    mien_rec_set_f32(&r, MIEN_TAG_SCORE, -INFINITY);
    mien_rec_set_f32(&r, MIEN_TAG_SCORE2, 1e30f);
    expect_tsv(&r, "score,score2", "-inf\t1e30\n");

    mien_rec_clear(&r);
    memcpy(mien_rec_alloc(&r, MIEN_TAG_IMAGE, MIEN_U8, 1, (uint32_t[]){4}), "\xff\xd8\xff\xe0", 4);
    expect_json(&r, true, "{\"image\":{\"shape\":[4],\"base64\":\"/9j/4A==\"}}\n");
    mien_rec_alloc(&r, MIEN_TAG_FEATURES, MIEN_F32, 1, (uint32_t[]){0});
    mien_rec_set_u8(&r, MIEN_TAG_GENDER, 7); /* neither female nor male */
    expect_json(&r, false, "{\"image\":{\"shape\":[4]},\"features\":[],\"gender\":7}\n");
    expect_tsv(&r, "image,features,gender", "4\t\t7\n");
    mien_rec_free(&r);
}

static void test_derived(void **state)
{
    (void)state;
    struct mien_rec r = {0};
    expect_tsv(&r, "pred_age,pred_gender,p_male,age_error", "\t\t\t\n");
    set_ages(&r, 20, 31);
    mien_rec_set_f32v(&r, MIEN_TAG_P_GENDER, (float[]){0.25f, 0.75f}, 2);
    mien_rec_set_u8(&r, MIEN_TAG_AGE, 28);
    expect_tsv(&r, "pred_age,pred_age_mode,pred_age_median,pred_age_sd,age_error",
               "25.50\t20\t20\t5.50\t2.50\n");
    expect_tsv(&r, "pred_age_low,pred_age_high", "20\t31\n");
    expect_tsv(&r, "pred_gender,p_female,p_male", "male\t0.2500\t0.7500\n");

    struct column cols[8] = {{0}};
    size_t n = col_defaults(&r, cols, 8);
    struct mien_buf b = {0};
    assert_int_equal(text_header(&b, cols, n), 0);
    assert_string_equal(string(&b), "pred_age\tpred_gender\tp_male\tage\n");
    mien_buf_free(&b);

    /* A doubt is of the label that is less likely: of the age's tail, or of the gender. */
    expect_tsv(&r, "doubt", "0.00\n");
    mien_rec_set_u8(&r, MIEN_TAG_GENDER, 0);
    expect_tsv(&r, "doubt", "0.60\n"); /* 0.25 */
    mien_rec_set_u8(&r, MIEN_TAG_AGE, 32);
    expect_tsv(&r, "doubt", "12.00\n"); /* nobody is as old as that */
    mien_rec_del(&r, MIEN_TAG_AGE);
    memcpy(mien_rec_alloc(&r, MIEN_TAG_AGE_BAND, MIEN_U8, 1, (uint32_t[]){2}), "\x05\x14", 2);
    expect_tsv(&r, "doubt", "0.60\n"); /* a band of 5 to 20 isn't out at all */
    mien_rec_del(&r, MIEN_TAG_AGE_BAND);
    mien_rec_del(&r, MIEN_TAG_GENDER);
    expect_tsv(&r, "doubt", "\n");

    /* Probabilities that are none say nothing. */
    mien_rec_set_f32v(&r, MIEN_TAG_P_GENDER, (float[]){0.25f, NAN}, 2);
    expect_tsv(&r, "pred_gender,p_male", "\t\n");
    mien_rec_set_f32v(&r, MIEN_TAG_P_GENDER, (float[]){-0.25f, 1.25f}, 2);
    expect_tsv(&r, "pred_gender,p_male", "\t\n");
    mien_rec_set_f32v(&r, MIEN_TAG_P_GENDER, (float[]){0.5f, 0.6f}, 2);
    expect_tsv(&r, "pred_gender,p_male", "\t\n");
    mien_rec_free(&r);
}

static void test_strings(void **state)
{
    (void)state;
    static const struct {
        const char *text, *tsv, *json;
    } cases[] = {
        {"plain", "plain", "\"plain\""},
        {"", "", "\"\""},
        {"a\tb\nc\rd\\e\"f", "a\\tb\\nc\\rd\\\\e\"f", "\"a\\tb\\nc\\rd\\\\e\\\"f\""},
        {"\x1b[31m\x7f", "\\x1b[31m\\x7f", "\"\\u001b[31m\\u007f\""},
        {"Zo\xc3\xab \xe2\x82\xac \xf0\x9f\x98\x80", "Zo\xc3\xab \xe2\x82\xac \xf0\x9f\x98\x80",
         "\"Zo\xc3\xab \xe2\x82\xac \xf0\x9f\x98\x80\""},
        {"\xc2\x85", "\\xc2\\x85", "\"\\u0085\""},        /* a C1 control character */
        {"\u202ex", "\\xe2\\x80\\xaex", "\"\\u202ex\""},  /* text that runs the other way */
        {"caf\xe9", "caf\\xe9", "\"caf\\ufffd\""},        /* Latin-1 */
        {"\xc0\xaf", "\\xc0\\xaf", "\"\\ufffd\\ufffd\""}, /* overlong */
        {"\xed\xa0\x80", "\\xed\\xa0\\x80", "\"\\ufffd\\ufffd\\ufffd\""}, /* a surrogate */
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80",
         "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},             /* beyond U+10FFFF */
        {"\xe2\x82", "\\xe2\\x82", "\"\\ufffd\\ufffd\""}, /* cut short */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mien_buf b = {0};
        assert_int_equal(text_tsv_string(&b, cases[i].text, strlen(cases[i].text)), 0);
        assert_string_equal(string(&b), cases[i].tsv);
        mien_buf_clear(&b);
        assert_int_equal(text_json_string(&b, cases[i].text, strlen(cases[i].text)), 0);
        assert_string_equal(string(&b), cases[i].json);
        mien_buf_free(&b);
    }
}

enum { TAG_FLOAT = 97 }; /* a tag without a meaning, so that all digits are shown */

static void expect_float(float v, const char *wanted)
{
    struct mien_rec r = {0};
    char line[64];
    mien_rec_set_f32(&r, TAG_FLOAT, v);
    snprintf(line, sizeof line, "%s\n", wanted);
    expect_tsv(&r, "tag97", line);
    mien_rec_free(&r);
}

static void test_floats(void **state)
{
    (void)state;
    expect_float(0, "0");
    expect_float(0.1f, "0.1");
    expect_float(-2.5f, "-2.5");
    expect_float(100, "100");
    expect_float(16777216, "16777216");
    expect_float(0.00001f, "0.00001");
    expect_float(1e-6f, "1e-6");
    expect_float(-1.5e-8f, "-1.5e-8");
    expect_float(1.5e15f, "1500000000000000");
    expect_float(1e16f, "1e16");
    expect_float(FLT_MAX, "3.4028235e38");
    expect_float(INFINITY, "inf");
    expect_float(-INFINITY, "-inf");
    expect_float(NAN, "nan");

    /* Whatever the bits, the digits read back as the same float, in as few digits as printf
       finds, but for numbers that have fewer than six, and those so large that a shorter one lies
       just halfway to the next float. */
    struct rng rng = {1};
    struct mien_buf b = {0};
    struct mien_rec r = {0};
    for (int i = 0; i < 200000; i++) {
        uint32_t bits = i < 1000 ? (uint32_t)i : (uint32_t)rng_next(&rng);
        float v;
        memcpy(&v, &bits, sizeof v);
        if (!isfinite(v))
            continue;
        mien_rec_clear(&r);
        mien_rec_set_f32(&r, TAG_FLOAT, v);
        mien_buf_clear(&b);
        assert_int_equal(text_tsv(&b, &r, (struct column[]){{.id = TAG_FLOAT}}, 1), 0);
        assert_true(strtof(string(&b), NULL) == v);
        if (i % 16 != 0 || fabsf(v) < FLT_MIN || fabsf(v) > 1e7f)
            continue;
        char s[32];
        int digits = 0, zeros = 0, shortest = 0;
        do
            snprintf(s, sizeof s, "%.*g", ++shortest, v);
        while (strtof(s, NULL) != v);
        for (const char *p = string(&b); *p != '\0' && *p != 'e'; p++) {
            if (*p < '0' || *p > '9' || (digits == 0 && *p == '0'))
                continue;
            digits++;
            zeros = *p == '0' ? zeros + 1 : 0;
        }
        assert_true(digits - zeros <= shortest);
    }
    mien_rec_free(&r);
    mien_buf_free(&b);
}

static void test_columns(void **state)
{
    (void)state;
    struct mien_err e;
    struct column *cols;
    size_t n;
    char name[16];
    for (int t = 1; t <= MIEN_TAG_FIELDS; t++)
        assert_int_equal(col_of(col_name(t, name), strlen(col_name(t, name))), t);
    for (int c = COL_PRED_AGE; c < COL_DERIVED_END; c++)
        assert_int_equal(col_of(col_name(c, name), strlen(col_name(c, name))), c);
    assert_string_equal(col_name(65535, name), "tag65535");
    assert_int_equal(col_of("tag65535", 8), 65535);
    assert_int_equal(col_of("tag65536", 8), 0);
    assert_int_equal(col_of("a name that is longer than any column's name is", 46), 0);
    assert_int_equal(col_parse("id,,age", &cols, &n, &e), MIEN_ERR_ARG);
    assert_int_equal(col_parse("", &cols, &n, &e), MIEN_ERR_ARG);
    assert_int_equal(col_parse("id,3rd", &cols, &n, &e), MIEN_ERR_ARG);
    assert_string_equal(e.msg, "'3rd' is not a field");
}

/* Fields of names that only the stream knows. */
static void test_named(void **state)
{
    (void)state;
    struct mien_rec r = {0};
    struct mien_buf text = {0}, b = {0};
    struct column *cols, defaults[8] = {{0}};
    struct columns_unseen unseen = {.n = 0};
    size_t n;
    assert_int_equal(named_add(&text, "camera model", 12, "E=M\t5", 5), 0);
    assert_int_equal(named_add(&text, "1st", 3, "", 0), 0);
    assert_int_equal(named_add(&text, "iso", 3, "0800", 4), 0);
    assert_string_equal(string(&text), "camera_model=E=M 5\n_1st=\niso=0800\n");
    mien_rec_set_str(&r, MIEN_TAG_ID, "a");
    mien_rec_set_text(&r, MIEN_TAG_FIELDS, (char *)text.data, text.len);
    expect_tsv(&r, "iso,id,_1st,camera_model,other", "0800\ta\t\tE=M 5\t\n");
    expect_json(&r, false, "{\"id\":\"a\",\"camera_model\":\"E=M 5\",\"iso\":\"0800\"}\n");
    n = col_defaults(&r, defaults, 8);
    assert_int_equal(text_header(&b, defaults, n), 0);
    assert_string_equal(string(&b), "id\tcamera_model\t_1st\tiso\n");
    struct col_value v;
    assert_true(column_get(&r, &defaults[3], &v));
    assert_true(v.forms == (COL_NUMBER | COL_TEXT) && v.number == 800);
    assert_false(column_get(&r, &defaults[2], &v));
    assert_int_equal(col_parse("id,iso,other,_1st", &cols, &n, NULL), 0);
    columns_expect(&unseen, cols, n);
    columns_see(&unseen, &r);
    assert_int_equal(unseen.n, 1);
    assert_memory_equal(unseen.column[0].name, "other", unseen.column[0].len);
    free(cols);
    mien_buf_free(&b);
    mien_buf_free(&text);
    mien_rec_free(&r);
}

static void test_census(void **state)
{
    (void)state;
    struct census c = {0};
    struct mien_rec r = {0};
    struct mien_err e;
    struct mien_buf b = {0};
    mien_rec_set_str(&r, MIEN_TAG_ID, "a");
    mien_rec_set_f32v(&r, MIEN_TAG_FEATURES, (float[]){1, 2}, 2);
    assert_int_equal(census_add(&c, &r, &e), 0);
    mien_rec_set_f32v(&r, MIEN_TAG_FEATURES, (float[]){1, 2, 3}, 3);
    mien_rec_set_str(&r, MIEN_TAG_ERROR, "no");
    assert_int_equal(census_add(&c, &r, &e), 0);
    mien_rec_set_i32(&r, MIEN_TAG_AGE, 3); /* of the wrong type */
    assert_int_equal(census_add(&c, &r, &e), MIEN_ERR_FORMAT);
    assert_string_equal(e.msg, "field age has the wrong type or shape");
    assert_int_equal(c.records, 3);
    assert_int_equal(c.errors, 2);
    assert_int_equal(census_table(&c, &b), 0);
    assert_non_null(strstr(string(&b), "\nid                        3  text\n"));
    assert_non_null(strstr(string(&b), "\nfeatures                  3  f32 *\n"));
    assert_non_null(strstr(string(&b), "\nage                       1  i32\n"));
    census_free(&c);
    mien_rec_free(&r);
    mien_buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),  cmocka_unit_test(test_derived),
        cmocka_unit_test(test_strings), cmocka_unit_test(test_floats),
        cmocka_unit_test(test_named),   cmocka_unit_test(test_columns),
        cmocka_unit_test(test_census),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
