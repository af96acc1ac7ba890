/* MATLAB 5 files and IMDB-WIKI's columns, in both byte orders, compressed or not, and damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../mat_make.h"
#include "util/file.h"
#include "util/hash.h"
#include "labels/imdb.h"
#include "labels/mat.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* A descriptor from which the bytes behind the header are read. */
static int as_file(const struct mien_buf *b)
{
    int fd = file_temp(NULL);

    assert_true(fd >= 0);
    assert_true(b->len >= MAT_HEAD);
    assert_int_equal(file_write(fd, b->data, b->len), 0);
    assert_int_equal(lseek(fd, MAT_HEAD, SEEK_SET), MAT_HEAD);
    return fd;
}

static const double numbers[] = {0, 1, -7, 100, 127};

/* A cell array of a number array in every type, and of a string in every type. */
static void make_cells(struct mien_buf *file, bool big, bool compressed)
{
    static const int types[] = {MK_DOUBLE, MK_SINGLE, MK_INT32, MK_INT8};
    struct mk m = {.big = big};
    size_t at = mk_begin(&m, MK_CELL_CLASS, "cells", 11);

    for (size_t i = 0; i < COUNT(types); i++)
        mk_reals(&m, "", types[i], numbers, 5);
    size_t none = mk_begin(&m, MK_CHAR_CLASS, "", 3); /* as long as it says, but nothing in it */
    mk_bytes(&m, MK_UTF16, NULL, 0);
    mk_end(&m, none);
    mk_text(&m, MK_UTF8, "Zoë");
    mk_text(&m, MK_UTF16, "Zoë 田 𝓛");
    mk_text(&m, MK_UINT16, "abc");
    mk_text(&m, MK_INT8, "ab");
    mk_text(&m, MK_UTF8, "");
    mk_text(&m, MK_UINT8, "Z\xeb"); /* Latin-1 */
    mk_end(&m, at);
    mk_file(&m, compressed, file);
    mien_buf_free(&m.b);
}

static void check_cells(const struct mien_buf *file)
{
    static const char *const texts[] = {"", "Zoë", "Zoë 田 𝓛", "abc", "ab", "", "Zë"};
    struct mat_array a, cell;
    struct mien_buf text = {0};
    struct mien_err e;
    int fd = as_file(file);
    struct mat *m = mat_new(fd, file->data, &e);

    assert_int_equal(mat_sniff(file->data, MAT_HEAD, &e), 1);
    assert_int_equal(mat_next(m, &a, &e), 1);
    assert_int_equal(a.class, MAT_CELL);
    assert_string_equal(a.name, "cells");
    assert_int_equal(a.count, 11);
    for (int i = 0; i < 4; i++) {
        double v[5];

        assert_int_equal(mat_child(m, &a, &cell, &e), 0);
        assert_int_equal(cell.count, 5);
        assert_int_equal(mat_reals(m, &cell, v, 2, &e), 0);
        assert_int_equal(mat_reals(m, &cell, v + 2, 3, &e), 0);
        for (int k = 0; k < 5; k++)
            assert_true(v[k] == numbers[k]);
        assert_int_equal(mat_reals(m, &cell, v, 1, &e), MIEN_ERR_FORMAT);
        assert_int_equal(mat_skip(m, &cell, &e), 0);
    }
    for (size_t i = 0; i < COUNT(texts); i++) {
        mien_buf_clear(&text);
        assert_int_equal(mat_child(m, &a, &cell, &e), 0);
        assert_int_equal(mat_text(m, &cell, &text, &e), 0);
        assert_int_equal(text.len, strlen(texts[i]));
        assert_memory_equal(text.data ? text.data : (unsigned char *)"", texts[i], text.len);
    }
    assert_int_equal(mat_child(m, &a, &cell, &e), MIEN_ERR_FORMAT);
    assert_int_equal(mat_next(m, &a, &e), 0);
    mat_free(m);
    mien_buf_free(&text);
    close(fd);
}

static void test_cells(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        struct mien_buf file = {0};

        make_cells(&file, kind & 1, kind & 2);
        check_cells(&file);
        mien_buf_free(&file);
    }
}

/* Numbers that are no numbers, and skipping variables unread. */
static void test_variables(void **state)
{
    static const double v[] = {NAN, -INFINITY, 0.5};
    struct mk m = {0};
    struct mien_buf file = {0};
    struct mat_array a;
    struct mat *mat;
    struct mien_err e;
    double got[3];
    int fd;

    (void)state;
    mk_reals(&m, "first", MK_DOUBLE, v, 3);
    mk_reals(&m, "second", MK_DOUBLE, v, 3);
    mk_file(&m, false, &file);
    fd = as_file(&file);
    mat = mat_new(fd, file.data, &e);
    assert_int_equal(mat_next(mat, &a, &e), 1);
    assert_string_equal(a.name, "first");
    assert_int_equal(mat_next(mat, &a, &e), 1);
    assert_string_equal(a.name, "second");
    assert_int_equal(mat_reals(mat, &a, got, 3, &e), 0);
    assert_true(isnan(got[0]) && isinf(got[1]) && got[1] < 0 && got[2] == 0.5);
    assert_int_equal(mat_next(mat, &a, &e), 0);
    mat_free(mat);
    close(fd);
    mien_buf_free(&file);
    mien_buf_free(&m.b);
}

static void test_sniff(void **state)
{
    unsigned char head[MAT_HEAD];
    struct mien_err e;

    (void)state;
    memset(head, ' ', sizeof head);
    memcpy(head, "path,age\n", 9);
    assert_int_equal(mat_sniff(head, sizeof head, &e), 0);
    assert_int_equal(mat_sniff(head, 0, &e), 0);
    memcpy(head, "MATLAB 7.3 MAT-file", 19);
    memcpy(head + 124, "\0\2IM", 4);
    assert_int_equal(mat_sniff(head, sizeof head, &e), MIEN_ERR_FORMAT);
    assert_non_null(strstr(e.msg, "7.3"));
    assert_non_null(strstr(e.msg, "HDF5"));
    memcpy(head, "\x89HDF\r\n\x1a\n", 8);
    assert_int_equal(mat_sniff(head, sizeof head, &e), MIEN_ERR_FORMAT);
    assert_non_null(strstr(e.msg, "HDF5"));
    /* Version 4, little- and big-endian: type, rows, columns, no imaginary part, name's length. */
    memset(head, 0, sizeof head);
    memcpy(head, "\0\0\0\0\1\0\0\0\5\0\0\0\0\0\0\0\2\0\0\0x", 22);
    assert_int_equal(mat_sniff(head, 40, &e), MIEN_ERR_FORMAT);
    assert_non_null(strstr(e.msg, "MATLAB 4"));
    memcpy(head, "\0\0\3\xe8\0\0\0\1\0\0\0\5\0\0\0\0\0\0\0\2x", 22);
    assert_int_equal(mat_sniff(head, 40, &e), MIEN_ERR_FORMAT);
    assert_non_null(strstr(e.msg, "MATLAB 4"));
}

/* --- IMDB-WIKI ------------------------------------------------------------------------------ */

enum { ROWS = 6 };

/* A file like wiki.mat, or imdb.mat with the last two fields. shorten takes one value from a
   column. */
static void make_imdb(struct mien_buf *file, bool big, int fields, int shorten)
{
    static const char *const name[] = {
        "dob",           "photo_taken", "full_path",         "gender",      "name",
        "face_location", "face_score",  "second_face_score", "celeb_names", "celeb_id"};
    static const double dob[] = {723671, 703186, 711677, 736700, 0, 711677.9};
    static const double year[] = {2009, 1964, 2008, 2010, 2000, 2048};
    static const double gender[] = {1, 0, NAN, 1, 1, 0};
    static const double score[] = {4.3, -INFINITY, 1, 5, 0.9, 2};
    static const double score2[] = {NAN, NAN, 1.5, NAN, -2, 0};
    static const double id[] = {2, 1, 2, 3, 0, 1};
    static const double box[] = {111.25, 112.5, 252.75, 253.5};
    static const double *const real[] = {dob,  year,  NULL,   gender, NULL,
                                         NULL, score, score2, NULL,   id};
    struct mk m = {.big = big};
    size_t at = mk_begin(&m, MK_STRUCT_CLASS, "wiki", 1);

    mk_fields(&m, name, fields);
    for (int i = 0; i < fields; i++) {
        uint32_t n = ROWS - (i == shorten);
        size_t cells;

        if (real[i]) {
            mk_reals(&m, "", MK_DOUBLE, real[i], n);
            continue;
        }
        cells = mk_begin(&m, MK_CELL_CLASS, "", i == 8 ? 2 : n);
        for (uint32_t k = 0; k < (i == 8 ? 2 : n); k++) {
            char path[] = "07/nm7_x.jpg";

            path[3] = (char)('a' + k);
            if (i == 5)
                mk_reals(&m, "", MK_DOUBLE, box, k == 2 ? 3 : 4); /* one is no box */
            else if (i == 2)
                mk_text(&m, MK_UTF8, k == 5 ? "" : path);
            else if (i == 8)
                mk_text(&m, MK_UTF16, k ? "Zoë" : "");
            else
                mk_text(&m, MK_UTF8, k == 3 ? "" : "Ada");
        }
        mk_end(&m, cells);
    }
    mk_end(&m, at);
    mk_file(&m, true, file);
    mien_buf_free(&m.b);
}

static struct imdb *read_imdb(const struct mien_buf *file, struct mien_err *e)
{
    struct imdb *im = NULL;
    struct mat_rows *other;
    int fd = as_file(file), rc = imdb_read(fd, file->data, &im, &other, e);

    close(fd);
    assert_true((rc == 0) == (im != NULL || other != NULL));
    mat_rows_free(other);
    return im;
}

static void assert_text(struct label_text t, const char *s)
{
    assert_int_equal(t.len, strlen(s));
    assert_memory_equal(t.s, s, t.len);
}

static void test_imdb(void **state)
{
    const struct imdb_rule rule = {.min_score = 1}, all = {1, true, true, true, true};
    static const enum imdb_drop why[] = {IMDB_KEEP, IMDB_SCORE, IMDB_SECOND,
                                         IMDB_AGE,  IMDB_SCORE, IMDB_KEEP};
    (void)state;
    for (int big = 0; big < 2; big++) {
        struct mien_buf file = {0};
        struct imdb *im;
        struct labels l;
        struct mien_err e;

        make_imdb(&file, big, 8, -1);
        im = read_imdb(&file, &e);
        assert_non_null(im);
        assert_int_equal(imdb_count(im), ROWS);
        for (size_t i = 0; i < ROWS; i++) {
            imdb_labels(im, i, &l);
            assert_int_equal(imdb_judge(&rule, &l), why[i]);
            assert_int_equal(imdb_judge(&all, &l), IMDB_KEEP);
        }
        imdb_labels(im, 0, &l); /* born 1981-05-05 */
        assert_text(l.id, "07/am7_x.jpg");
        assert_text(l.subject, "Ada");
        assert_int_equal(l.age, 28);
        assert_int_equal(l.gender, MALE);
        assert_int_equal(l.birth.year * 10000 + l.birth.month * 100 + l.birth.day, 19810505);
        assert_true(l.has_box && l.box[0] == 110.25f && l.box[1] == 111.5f && l.box[2] == 252.75f &&
                    l.box[3] == 253.5f);
        assert_true(l.score == 4.3f && isnan(l.score2));
        imdb_labels(im, 2, &l); /* born 1948-07-03: not yet 60 in the middle of 2008 */
        assert_int_equal(l.age, 59);
        assert_int_equal(l.gender, LABEL_UNKNOWN);
        assert_false(l.has_box);
        imdb_labels(im, 3, &l);
        assert_text(l.subject, "dm7"); /* no name: the number in the path */
        assert_true(l.age < 0 && labels_age_outside(&l));
        imdb_labels(im, 4, &l);
        assert_int_equal(l.age, LABEL_UNKNOWN);
        imdb_labels(im, 5, &l);
        assert_int_equal(l.birth.day, 3); /* a time of day doesn't make it the next day */
        assert_int_equal(l.id.len, 0);
        imdb_free(im);
        mien_buf_free(&file);
    }
}

static void test_celeb_names(void **state)
{
    static const char *const subject[] = {"Zoë", "Ada", "Zoë", "dm7", "Ada", "Ada"};
    struct mien_buf file = {0};
    struct imdb *im;
    struct labels l;
    struct mien_err e;

    (void)state;
    make_imdb(&file, false, 10, -1);
    im = read_imdb(&file, &e);
    assert_non_null(im);
    for (size_t i = 0; i < ROWS; i++) {
        imdb_labels(im, i, &l);
        assert_text(l.subject, subject[i]);
    }
    imdb_free(im);
    mien_buf_free(&file);
}

static void test_no_imdb(void **state)
{
    struct mien_buf file = {0};
    struct mk m = {0};
    struct mien_err e;

    (void)state;
    make_imdb(&file, false, 7, -1);
    assert_null(read_imdb(&file, &e));
    assert_non_null(strstr(e.msg, "no field 'second_face_score'"));
    mien_buf_clear(&file);
    make_imdb(&file, false, 8, 3);
    assert_null(read_imdb(&file, &e));
    assert_non_null(strstr(e.msg, "'gender' has 5 entries"));
    mien_buf_clear(&file);
    mk_reals(&m, "x", MK_DOUBLE, (double[]){53, 14, 7}, 3);
    mk_file(&m, false, &file);
    mien_buf_free(&m.b);
    assert_null(read_imdb(&file, &e));
    assert_non_null(strstr(e.msg, "no variable is a column of text or has one; the first is"));
    mien_buf_free(&file);
}

/* CACD's layout: a struct of people, and a larger one of images, of which the names are file names;
   and another in which each row is a struct. */
static void make_rows(struct mien_buf *file, bool big, bool one_each)
{
    static const char *const person[] = {"name", "identity"};
    static const char *const image[] = {"age", "identity", "feature", "name", "bbox"};
    static const char *const name[] = {"53_Ada_0001.jpg", "14_Zoë_0002.jpg", ""};
    static const double age[] = {53, 14.5, NAN}, box[] = {1, 2, 30.5, 40};
    struct mk m = {.big = big, .tall = !one_each};
    size_t at = mk_begin(&m, MK_STRUCT_CLASS, "celebrityData", 1), cells;

    mk_fields(&m, person, 2);
    cells = mk_begin(&m, MK_CELL_CLASS, "", 2);
    mk_text(&m, MK_UTF8, "Ada");
    mk_text(&m, MK_UTF8, "Zoë");
    mk_end(&m, cells);
    mk_reals(&m, "", MK_UINT8, (double[]){1, 2}, 2);
    mk_end(&m, at);
    at = mk_begin(&m, MK_STRUCT_CLASS, "celebrityImageData", one_each ? 3 : 1);
    mk_fields(&m, image, 5);
    for (int i = 0; i < (one_each ? 3 : 1); i++) {
        int n = one_each ? 1 : 3;

        mk_reals(&m, "", MK_DOUBLE, age + i, (uint32_t)n);
        mk_reals(&m, "", MK_UINT8, (double[]){1, 2, 2}, (uint32_t)n);
        mk_reals(&m, "", MK_SINGLE, age, 2); /* of another length */
        if (!one_each)
            cells = mk_begin(&m, MK_CELL_CLASS, "", 3);
        for (int k = 0; k < n; k++)
            mk_text(&m, MK_UTF16, name[i + k]);
        if (!one_each)
            mk_end(&m, cells);
        if (!one_each)
            cells = mk_begin(&m, MK_CELL_CLASS, "", 3);
        for (int k = 0; k < n; k++)
            mk_reals(&m, "", MK_DOUBLE, box, 4);
        if (!one_each)
            mk_end(&m, cells);
    }
    mk_end(&m, at);
    mk_file(&m, false, file);
    mien_buf_free(&m.b);
}

static void check_row(struct mat_rows *r, const char *const *want, size_t n)
{
    const struct csv_cell *cell;
    size_t got;

    assert_int_equal(mat_rows_next(r, &cell, &got), 1);
    assert_int_equal(got, n);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(cell[i].s, want[i]);
        assert_int_equal(cell[i].len, strlen(want[i]));
    }
}

static void test_rows(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        bool one_each = kind & 2;
        struct mien_buf file = {0};
        struct imdb *im;
        struct mat_rows *r;
        struct mien_err e;
        const struct csv_cell *cell;
        size_t n;

        make_rows(&file, kind & 1, one_each);
        int fd = as_file(&file);
        assert_int_equal(imdb_read(fd, file.data, &im, &r, &e), 0);
        close(fd);
        assert_null(im);
        assert_int_equal(mat_rows_count(r), 3);
        if (one_each) { /* a cell may hold two numbers */
            check_row(r, (const char *const[]){"age", "identity", "feature", "name", "bbox"}, 5);
            check_row(r,
                      (const char *const[]){"53", "1", "53 14.5", "53_Ada_0001.jpg", "1 2 30.5 40"},
                      5);
        } else {
            check_row(r, (const char *const[]){"age", "identity", "name", "bbox"}, 4);
            check_row(r, (const char *const[]){"53", "1", "53_Ada_0001.jpg", "1 2 30.5 40"}, 4);
            check_row(r, (const char *const[]){"14.5", "2", "14_Zoë_0002.jpg", "1 2 30.5 40"}, 4);
            check_row(r, (const char *const[]){"", "2", "", "1 2 30.5 40"}, 4);
            assert_int_equal(mat_rows_row(r), 3);
            assert_int_equal(mat_rows_next(r, &cell, &n), 0);
        }
        mat_rows_free(r);
        mien_buf_free(&file);
    }
}

/* A char matrix of `rows` rows and n columns, whose characters, one column after another, are those
   of text; of 1 to 4 bytes in its type. */
static void mk_lines(struct mk *m, const char *name, int type, const char *text, uint32_t rows,
                     uint32_t n)
{
    struct mk data = {.big = m->big};
    size_t at = m->b.len;
    mk_tag(m, MK_MATRIX, 0);
    mk_tag(m, MK_UINT32, 8);
    mk_put(m, MK_CHAR_CLASS, 4);
    mk_put(m, 0, 4);
    mk_tag(m, MK_INT32, 8);
    mk_put(m, rows, 4);
    mk_put(m, n, 4);
    mk_bytes(m, MK_INT8, name, strlen(name));
    for (const char *s = text; *s != '\0'; s++)
        mk_put(&data, (unsigned char)*s, type == MK_UTF16 ? 2 : 1);
    mk_bytes(m, type, data.b.data, data.b.len);
    mk_end(m, at);
    mien_buf_free(&data.b);
}

/* Columns that are variables of their own, and lists of text that are char matrices, as scipy writes
   them: read as a table, which is the struct where that has more rows. */
static void test_lists(void **state)
{
    (void)state;
    /* a.jpg, é/bgif and "", column by column; the é in UTF-8 and in Latin-1. */
    static const struct {
        int type;
        const char *text;
    } list[] = {{MK_UTF8, "a\303\251 ./ jb pg gi  f "},
                {MK_UINT8, "a\351 ./ jb pg gi  f "},
                {MK_UTF16, "a\351 ./ jb pg gi  f "}};
    for (int kind = 0; kind < 12; kind++) {
        struct mk m = {.big = kind & 1, .tall = kind & 2};
        struct mien_buf file = {0};
        struct imdb *im;
        struct mat_rows *r;
        struct mien_err e;
        const struct csv_cell *cell;
        size_t at, n;
        mk_lines(&m, "title", MK_UTF8, "Faces", 1, 5);
        mk_reals(&m, "age", MK_DOUBLE, (double[]){53, 14, 7}, 3);
        mk_lines(&m, "", MK_UINT8, "abc", 3, 1);
        mk_lines(&m, "features", MK_UINT8, "abcdefgh", 2, 4);
        mk_lines(&m, "damaged", MK_UTF8, "abc\303", 3, 2);
        mk_lines(&m, "file", list[kind >> 2].type, list[kind >> 2].text, 3, 6);
        at = mk_begin(&m, MK_STRUCT_CLASS, "about", 1);
        mk_fields(&m, (const char *const[]){"author"}, 1);
        mk_text(&m, MK_UTF8, "Ada");
        mk_end(&m, at);
        mk_file(&m, false, &file);
        int fd = as_file(&file);
        assert_int_equal(imdb_read(fd, file.data, &im, &r, &e), 0);
        close(fd);
        assert_null(im);
        assert_int_equal(mat_rows_count(r), 3);
        check_row(r, (const char *const[]){"age", "file"}, 2);
        check_row(r, (const char *const[]){"53", "a.jpg"}, 2);
        check_row(r, (const char *const[]){"14", "\303\251/bgif"}, 2);
        check_row(r, (const char *const[]){"7", ""}, 2);
        assert_int_equal(mat_rows_next(r, &cell, &n), 0);
        mat_rows_free(r);
        mien_buf_free(&file);
        mien_buf_free(&m.b);
    }
}

/* A file cut off anywhere is no file; one with a damaged byte may be, but harms nothing. What
   sanitizers say is the test. */
static void test_hostile(void **state)
{
    struct mien_buf file = {0};
    struct rng r = {1};
    struct mien_err e;
    size_t len;

    (void)state;
    make_imdb(&file, false, 10, -1);
    for (len = file.len - 1; len >= MAT_HEAD; len--) {
        struct mien_buf cut = {file.data, len, len};

        assert_null(read_imdb(&cut, &e));
    }
    mien_buf_clear(&file);
    for (int i = 0; i < 3000; i++) {
        struct mk m = {0};
        size_t hits = 1 + rng_below(&r, 3);

        make_cells(&file, i & 1, false);
        if (i & 2) {
            mien_buf_clear(&file);
            make_imdb(&file, i & 1, 10, -1);
        } else if (i & 4) {
            mien_buf_clear(&file);
            make_rows(&file, false, i & 8);
        }
        for (; hits > 0; hits--)
            file.data[MAT_HEAD + rng_below(&r, file.len - MAT_HEAD)] = (unsigned char)rng_next(&r);
        imdb_free(read_imdb(&file, &e));
        mien_buf_clear(&file);
        mien_buf_free(&m.b);
    }
    mien_buf_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cells),       cmocka_unit_test(test_variables),
        cmocka_unit_test(test_sniff),       cmocka_unit_test(test_imdb),
        cmocka_unit_test(test_celeb_names), cmocka_unit_test(test_no_imdb),
        cmocka_unit_test(test_rows),        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
