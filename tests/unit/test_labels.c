/* Labels as people write them: values, names of files, rows of tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/file.h"
#include "labels/labels.h"
#include "labels/names.h"
#include "labels/table.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct label_codes none;
static const struct rule usual;
static const struct label_ages years;

/* "35", "20-29", "" for nothing known, or "!" for an error. */
static const char *age_of(const char *s, char out[64])
{
    struct labels l;
    struct mien_err e;

    labels_init(&l);
    *out = '\0';
    if (labels_age(&l, s, strlen(s), &years, &e) < 0)
        strcpy(out, "!");
    else if (l.age != LABEL_UNKNOWN)
        snprintf(out, 64, "%d", l.age);
    else if (l.band[0] != LABEL_UNKNOWN)
        snprintf(out, 64, "%d-%d", l.band[0], l.band[1]);
    return out;
}

static void test_ages(void **state)
{
    static const char *const cases[][2] = {
        {"0", "0"},
        {" 35 ", "35"},
        {"35.0", "35"},
        {"35.9", "35"},
        {"116", "116"},
        {"-1", ""},
        {"-1.0", ""},
        {"-2", "-2"},
        {"-0.9", "-1"},
        {"20-29", "20-29"},
        {"20 - 29", "20-29"},
        {"20–29", "20-29"},
        {"(25, 32)", "25-32"},
        {"[0,2]", "0-2"},
        {"20 to 29", "20-29"},
        {"60+", "60-100"},
        {"(60, 110)", "60-100"},
        {">70", "70-100"},
        {"under 3", "0-2"},
        {"more than 70", "70-100"},
        {"Over 65", "65-100"},
        {"<3", "0-2"},
        {"", ""},
        {"None", ""},
        {"n/a", ""},
        {"?", ""},
        {"abc", "!"},
        {"29-20", "!"},
        {"(25, 32", "!"},
        {"25, 32)", "!"},
        {"[20, 30)", "20-29"},
        {"(20, 30]", "21-30"},
        {"25;32", "25-32"},
        {"70 or older", "70-100"},
        {"70 years and over", "70-100"},
        {"65 plus", "65-100"},
        {"20s", "20-29"},
        {"25s", "!"},
        {"up to 3", "0-3"},
        {"3 or younger", "0-3"},
        {"<=3", "0-3"},
        {"between 20 and 29", "20-29"},
        {"20..29", "20-29"},
        {"20_29", "20-29"},
        {"20—29 years", "20-29"},
        {"≥ 60", "60-100"},
        {"42 years old", "42"},
        {"18 months", "1"},
        {"24 months", "2"},
        {"2y3m", "2"},
        {"1 year 11 months", "1"},
        {"11 mo", "0"},
        {"6 weeks", "0"},
        {"3e1", "!"},
        {"20-", "!"},
        {"3x", "!"},
        {"()", "!"},
        {"(", "!"},
        {"120+", "!"},
        {"more than", "!"},
        {"- ", "!"},
        {"under 0", "!"},
        {"99999999999999999999", "9999999"},
        {"1111111111111111111111111111111111111111111111111111111111111111111111111", "!"}};
    char got[64];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_string_equal(age_of(cases[i][0], got), cases[i][1]);
}

static int gender_of(const char *s, const struct label_codes *codes)
{
    struct labels l;

    labels_init(&l);
    return labels_gender(&l, s, strlen(s), codes, NULL) < 0 ? -9 : l.gender;
}

static void test_genders(void **state)
{
    const struct label_codes ones = {"1", "0"}, odd = {"M", "U"}; /* madame, un monsieur */

    (void)state;
    assert_int_equal(gender_of("Female", &none), FEMALE);
    assert_int_equal(gender_of(" m ", &none), MALE);
    assert_int_equal(gender_of("WOMAN", &none), FEMALE);
    assert_int_equal(gender_of("u", &none), LABEL_UNKNOWN);
    assert_int_equal(gender_of("", &none), LABEL_UNKNOWN);
    assert_int_equal(gender_of("1", &none), -9);
    assert_int_equal(gender_of("1", &ones), FEMALE);
    assert_int_equal(gender_of("0", &ones), MALE);
    assert_int_equal(gender_of("2", &ones), -9);
    assert_int_equal(gender_of("male", &ones), MALE);
    assert_int_equal(gender_of("m", &odd), FEMALE);
    assert_int_equal(gender_of("U", &odd), MALE);
}

/* A datenum counts the days from 1 January of the year 0; every day has its date, in order. */
static void test_datenums(void **state)
{
    static const int days_in[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    struct label_date d;
    int y = 0, m = 1, day = 1;

    (void)state;
    for (int n = 1; n < 800000; n++) {
        bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

        d = labels_datenum(n);
        assert_true(d.year == y && d.month == m && d.day == day);
        if (++day > days_in[m - 1] + (m == 2 && leap)) {
            day = 1;
            if (++m > 12) {
                m = 1;
                y++;
            }
        }
    }
    d = labels_datenum(730486.75); /* MATLAB's own example: 1 January 2000 */
    assert_true(d.year == 2000 && d.month == 1 && d.day == 1);
    d = labels_datenum(3652425);
    assert_true(d.year == 9999 && d.month == 12 && d.day == 31);
    assert_int_equal(labels_datenum(3652426).year, LABEL_UNKNOWN);
    assert_int_equal(labels_datenum(0).year, LABEL_UNKNOWN);
    assert_int_equal(labels_datenum(-1e300).year, LABEL_UNKNOWN);
    assert_int_equal(labels_datenum(NAN).year, LABEL_UNKNOWN);
}

static void test_derived_age(void **state)
{
    struct labels l;

    (void)state;
    labels_init(&l);
    assert_int_equal(labels_date(&l.birth, "1950-6-30", 9, DATE_UNSAID, NULL), 0);
    assert_int_equal(labels_taken(&l, "2000", 4, DATE_UNSAID, NULL), 0);
    labels_derive_age(&l);
    assert_int_equal(l.age, 50);
    l.age = LABEL_UNKNOWN;
    assert_int_equal(labels_date(&l.birth, "1950-07-01", 10, DATE_UNSAID, NULL), 0);
    labels_derive_age(&l);
    assert_int_equal(l.age, 49);
    l.year = 1900;
    labels_derive_age(&l); /* a known age stays */
    assert_int_equal(l.age, 49);
    assert_int_equal(labels_date(&l.birth, "1950-13-01", 10, DATE_UNSAID, NULL), MIEN_ERR_FORMAT);
    assert_int_equal(labels_date(&l.birth, "1950-1", 6, DATE_UNSAID, NULL), MIEN_ERR_FORMAT);
    assert_int_equal(labels_date(&l.birth, "1980-02-29", 10, DATE_UNSAID, NULL), 0);
    assert_int_equal(labels_date(&l.birth, "1980-02-30", 10, DATE_UNSAID, NULL), MIEN_ERR_FORMAT);
    assert_int_equal(labels_date(&l.birth, "1900-02-29", 10, DATE_UNSAID, NULL), MIEN_ERR_FORMAT);
    assert_int_equal(labels_date(&l.birth, "1999-04-31", 10, DATE_UNSAID, NULL), MIEN_ERR_FORMAT);
    assert_int_equal(labels_taken(&l, "19x0", 4, DATE_UNSAID, NULL), MIEN_ERR_FORMAT);
}

/* What a pattern tells of a path: "age gender group subject", "!" for no match. */
static void check_name(const char *pattern, const struct rule *rule, const char *path,
                       const char *want)
{
    struct mien_err e;
    struct names *p = names_new(pattern, rule, &e);
    struct labels l;
    char got[256] = "!";

    assert_non_null(p);
    labels_init(&l);
    if (names_match(p, path, strlen(path), &l, &e) == 0)
        snprintf(got, sizeof got, "%d %d %.*s %.*s", l.age == LABEL_UNKNOWN ? -1 : l.age,
                 l.gender == LABEL_UNKNOWN ? -1 : l.gender, (int)l.group.len,
                 l.group.s ? l.group.s : "", (int)l.subject.len, l.subject.s ? l.subject.s : "");
    assert_string_equal(got, want);
    names_free(p);
}

static void test_names(void **state)
{
    const struct rule ones = {.codes = {"1", "0"}};
    struct rule utkface = ones;

    (void)state;
    assert_int_equal(rule_value(&utkface, "group 0=White", NULL), 0);
    assert_int_equal(rule_value(&utkface, "group 3=Indian", NULL), 0);
    check_name("{age}_{gender}_{group}_*", &utkface, "utkface/25_1_3_20170112.jpg.chip.jpg",
               "25 0 Indian ");
    check_name("{age}_{gender}_{group}_*", &utkface, "116_0_0_x.jpg", "116 1 White ");
    check_name("{age}_{gender}_{group}_*", &utkface, "61_1_20170109150557335.jpg",
               "!"); /* no race: a known flaw */
    check_name("{age}_{gender}_{group}_*", &utkface, "25_2_0_x.jpg", "!");
    check_name("{age}_{gender}_{group}_*", &utkface, "25_1_5_x.jpg", "!");
    check_name("{age}_{gender}_{group}_*", &utkface, "25_1_0", "!");
    check_name("{age}_{gender}_{group}_*", &utkface, "", "!");
    check_name("{subject}_rm*_{birth}_{year}.jpg", &usual,
               "01/nm0000001_rm124825600_1899-5-10_1968.jpg", "69 -1  nm0000001");
    check_name("{subject}A{age}*.JPG", &usual, "001A43b.JPG", "43 -1  001");
    check_name("{subject}_*{gender}{age}.JPG", &usual, "M/009055_1M54.JPG", "54 1  009055");
    check_name("*_{subject}_{age}_{gender}.*", &usual, "0_MariaCallas_35_f.jpg",
               "35 0  MariaCallas");
    check_name("{gender}/{subject}/{age}*", &usual, "data/female/ann/30.jpg", "30 0  ann");
    check_name("{gender}/{subject}/{age}*", &usual, "ann/30.jpg", "!");
    check_name("{age}{gender}", &ones, "310", "31 1  ");
    check_name("{age}", &usual, "x", "!");
    /* Many ways to match, none of them: it ends all the same. */
    check_name(
        "*a*a*a*a*a*a*a*a*a*a*a*a*{age}", &usual,
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "!");
}

static void test_bad_patterns(void **state)
{
    static const char *const bad[] = {"", "x", "*", "{", "{age", "{years}", "{age}{age}", "{}"};
    char many[100] = "";

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct mien_err e = {""};

        assert_null(names_new(bad[i], &usual, &e));
        assert_true(e.msg[0]);
    }
    for (int i = 0; i < 20; i++)
        strcat(many, "*-");
    strcat(many, "{age}");
    assert_null(names_new(many, &usual, NULL));
}

/* --- Tables --------------------------------------------------------------------------------- */

/* Reads a table and writes its records as ID:AGE:BAND:GENDER:GROUP:BOX; with the error's message
   for bad rows, or for the header. */
static void check_table(const struct rule *rule, const char *text, const char *want)
{
    struct mien_buf got = {0};
    struct mien_rec r = {0};
    struct mien_err e;
    int fd = file_temp(NULL), rc;
    struct table *t = table_new(fd, text, strlen(text), rule, NULL, NULL, &e);

    if (!t)
        mien_buf_printf(&got, "%s", e.msg);
    while (t && ((rc = table_next(t, &r, &e)) == 1 || rc == MIEN_ERR_FORMAT)) {
        const struct mien_field *band = mien_rec_find(&r, MIEN_TAG_AGE_BAND),
                                *box = mien_rec_find(&r, MIEN_TAG_BOX);
        int age = -1, gender = -1;
        const char *group;
        char id[64];
        size_t n = 0;

        if (rc == MIEN_ERR_FORMAT) {
            mien_buf_printf(&got, "%s;", e.msg);
            if (!mien_rec_has(&r, MIEN_TAG_ID))
                continue;
        }
        mien_rec_int(&r, MIEN_TAG_AGE, &age);
        mien_rec_int(&r, MIEN_TAG_GENDER, &gender);
        group = mien_rec_text(&r, MIEN_TAG_GROUP, &n);
        mien_buf_printf(&got, "%s:%d:%d:%d:%.*s:%g;", mien_rec_id(&r, id, sizeof id), age,
                        band ? ((const unsigned char *)band->data)[0] : -1, gender, (int)n,
                        group ? group : "", box ? ((const float *)box->data)[3] : -1.0);
    }
    if (t)
        assert_int_equal(rc, 0);
    mien_buf_append(&got, "", 1);
    assert_string_equal((char *)got.data, want);
    mien_buf_free(&got);
    mien_rec_free(&r);
    table_free(t);
    close(fd);
}

static void test_tables(void **state)
{
    struct rule rule = {.codes = {NULL, NULL}};

    (void)state;
    check_table(&rule, "file,age,gender,race,service_test\na.jpg,3-9,Male,East Asian,True\n",
                "a.jpg:-1:3:1:East Asian:-1;");
    check_table(&rule, "Image Path\tAge\tbox\nx y.jpg\t(25, 32)\t1 2.5 3 4\nz\t\t[1,2,3,5]\n",
                "x y.jpg:-1:25:-1::4;z:-1:-1:-1::5;");
    check_table(&rule, "id,x1,y1,x2,y2,dob,year\na,0,0,5,7,1990-01-01,2020\nb,,,,,NA,\n",
                "a:30:-1:-1::7;b:-1:-1:-1::-1;");
    check_table(&rule, "path,age\na,x\nb,116\n,5\nc\nd,7\n",
                "line 2 (a): 'x' is neither an age nor a band of ages within 0-100;a:-1:-1:-1::-1;"
                "line 3 (b): age 116 is not within 0-100;b:-1:-1:-1::-1;line 4: no path;"
                "line 5: 1 fields, where the header has 2;d:7:-1:-1::-1;");
    check_table(&rule, "path,box\na,1 2 3\nb,3 2 1 5\nc,1 2 3 4 5\n",
                "line 2 (a): a box must be four numbers, x1 < x2 and y1 < y2;a:-1:-1:-1::-1;"
                "line 3 (b): a box must be four numbers, x1 < x2 and y1 < y2;b:-1:-1:-1::-1;"
                "line 4 (c): a box must be four numbers, x1 < x2 and y1 < y2;c:-1:-1:-1::-1;");
    rule.any_age = true;
    check_table(&rule, "path,age,sex\nb,116,f\n", "b:-1:-1:0::-1;");
}

static void test_headers(void **state)
{
    struct rule rule = {.codes = {"1", "0"}};
    struct mien_err e;

    (void)state;
    check_table(&rule, "", "the input is empty");
    check_table(&rule, "a,b\n",
                "no column holds the path; name it with --column path=HEADER; the header is: a, b");
    check_table(&rule, "path,b\n",
                "no column holds a label; name one with --column; the header is: path, b");
    check_table(&rule, "path,age,Path\n",
                "columns 1 and 3 could both be the path: choose with --column path=...");
    check_table(&rule, "id,file,age\nx,a.jpg,3\n", "a.jpg:3:-1:-1::-1;"); /* the likelier */
    assert_int_equal(rule_column(&rule, "path=Img", &e), 0);
    assert_int_equal(rule_column(&rule, "group=file", &e), 0);
    assert_int_equal(rule_column(&rule, "years=x", &e), MIEN_ERR_ARG);
    assert_int_equal(rule_column(&rule, "age", &e), MIEN_ERR_ARG);
    check_table(&rule, "path,file,Img,gender\nx,g,a,1\n", "a:-1:-1:0:g:-1;");
    check_table(&rule, "path,file,img,gender\n",
                "no column has the header 'Img'; the header is: path, file, img, gender");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ages),     cmocka_unit_test(test_genders),
        cmocka_unit_test(test_datenums), cmocka_unit_test(test_derived_age),
        cmocka_unit_test(test_names),    cmocka_unit_test(test_bad_patterns),
        cmocka_unit_test(test_tables),   cmocka_unit_test(test_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
