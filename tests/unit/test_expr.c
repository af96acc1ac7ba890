/* The conditions of --select. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "record/expr.h"

static struct mien_rec r;

static int make_record(void **state)
{
    (void)state;
    mien_rec_set_str(&r, MIEN_TAG_ID, "00/x.jpg");
    mien_rec_set_u8(&r, MIEN_TAG_AGE, 42);
    mien_rec_set_u8(&r, MIEN_TAG_GENDER, 1);
    mien_rec_set_str(&r, MIEN_TAG_GROUP, "East Asian");
    mien_rec_set_str(&r, MIEN_TAG_BIRTH, "1970-02-01");
    mien_rec_set_f32(&r, MIEN_TAG_SCORE, 2.5f);
    mien_rec_set_f32(&r, MIEN_TAG_SCORE2, NAN);
    mien_rec_set_f32v(&r, MIEN_TAG_P_GENDER, (float[]){0.75f, 0.25f}, 2);
    memcpy(mien_rec_alloc(&r, MIEN_TAG_AGE_BAND, MIEN_U8, 1, (uint32_t[]){2}), "\x28\x31", 2);
    return mien_rec_set_i32(&r, MIEN_TAG_YEAR, 2012);
}

static int free_record(void **state)
{
    (void)state;
    mien_rec_free(&r);
    return 0;
}

static void expect(const char *text, bool wanted)
{
    struct mien_err e = {{0}};
    struct expr *x = expr_parse(text, &e);
    if (x == NULL)
        fail_msg("%s: %s", text, e.msg);
    if (expr_match(x, &r) != wanted)
        fail_msg("%s is not %d", text, wanted);
    expr_free(x);
}

static void refuse(const char *text, const char *message)
{
    struct mien_err e = {{0}};
    assert_null(expr_parse(text, &e));
    assert_string_equal(e.msg, message);
}

static void test_comparisons(void **state)
{
    (void)state;
    expect("age == 42", true);
    expect("age==42", true);
    expect("age != 42", false);
    expect("age < 42", false);
    expect("age <= 42", true);
    expect("age > 41.5", true);
    expect("age >= 43", false);
    expect("42 == age", true);
    expect("50 > age", true);
    expect("year > age", true);
    expect("score == 2.5", true);
    expect("score > -1e9", true);
    expect("gender == male", true);
    expect("gender == 'male'", true);
    expect("gender == 1", true);
    expect("gender == female", false);
    expect("pred_gender == female", true);
    expect("gender != pred_gender", true);
    expect("p_male < 0.3", true);
    expect("group == \"East Asian\"", true);
    expect("group == East", false);
    expect("group > East", true);
    expect("birth >= 1970-01-01 && birth < 1970-03", true);
    expect("id == 00/x.jpg", true);
    expect("age_band == 40-49", true);
    expect("score2 == score2", false); /* NaN */
    expect("score2 != 1", true);
}

static void test_presence(void **state)
{
    (void)state;
    expect("age", true);
    expect("error", false);
    expect("!error", true);
    expect("p_gender", true);
    expect("pixels", false);
    expect("pred_age", false);
    expect("tag99", false);
    /* A comparison with what is absent is false. */
    expect("subject == x", false);
    expect("subject != x", false);
    expect("!(subject == x)", true);
    expect("age_error > 1", false);
    expect("split == subject", false);
}

static void test_logic(void **state)
{
    (void)state;
    expect("age && error", false);
    expect("age || error", true);
    expect("age || age && error", true); /* && binds closer */
    expect("(age || age) && error", false);
    expect("!age || age", true);
    expect("!(age || error)", false);
    expect("!!age", true);
    expect("  ( ( age==42 ) )\t&&!error ", true);
    expect("age > 1 && age > 2 && age > 50 || gender == male && !split", true);
}

static void test_refused(void **state)
{
    (void)state;
    refuse("", "the condition ends where a field or a value is expected");
    refuse("age >", "the condition ends where a field or a value is expected");
    refuse("age > 3 &&", "the condition ends where a field or a value is expected");
    refuse("3rd > 3", "'3rd' is not a field");
    refuse("3 == 3", "'3' is not a field");
    refuse("\"age\" == 3", "'age' is not a field");
    refuse("age = 3", "'= 3': use == to test for equality");
    refuse("age == old", "'age' and 'old' can't be compared");
    refuse("age == \"42\"", "'age' and '42' can't be compared");
    refuse("age == group", "'age' and 'group' can't be compared");
    refuse("box == 3", "'box' and '3' can't be compared");
    refuse("group == \"a", "unterminated quote at '\"a'");
    refuse("age > 3 gender", "expected an operator at 'gender'");
    refuse("(age > 3", "the condition ends where ')', an operator or a comparison is expected");
    refuse("age)", "expected an operator at ')'");
    refuse("age & gender", "expected an operator at '& gender'");
    refuse("&& age", "expected a field or a value at '&& age'");
}

static void test_size(void **state)
{
    (void)state;
    /* Neither depth nor length can exhaust the stack. */
    size_t n = 100000;
    char *text = malloc(n + 4);
    memset(text, '(', n);
    strcpy(text + n, "age");
    refuse(text, "the condition is nested too deeply");
    memset(text, '!', n);
    refuse(text, "the condition is nested too deeply");
    for (size_t i = 0; i < n; i += 5)
        memcpy(text + i, "age||", 5);
    refuse(text, "the condition has more than 2000 parts");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comparisons), cmocka_unit_test(test_presence),
        cmocka_unit_test(test_logic),       cmocka_unit_test(test_refused),
        cmocka_unit_test(test_size),
    };
    return cmocka_run_group_tests(tests, make_record, free_record);
}
