/* Records: what is written is read back; what is damaged is told, with its place. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "util/file.h"
#include "mien/prep.h"
#include "mien/record.h"
#include "record/encoding.h"
#include "record/history.h"

static int temp(void)
{
    struct mien_err e;
    int fd = file_temp(&e);
    assert_true(fd >= 0);
    return fd;
}

static void fill(struct mien_rec *r, int i)
{
    uint32_t dim[3] = {40, 50, 3};
    mien_rec_clear(r);
    assert_int_equal(mien_rec_set_str(r, MIEN_TAG_ID, i % 2 == 0 ? "00/a.jpg" : "b"), 0);
    assert_int_equal(mien_rec_set_u8(r, MIEN_TAG_AGE, i % 101), 0);
    assert_int_equal(mien_rec_set_f32v(r, MIEN_TAG_BOX, (float[]){1, 2, 3.5f, 4}, 4), 0);
    unsigned char *p = mien_rec_alloc(r, MIEN_TAG_PIXELS, MIEN_U8, 3, dim);
    assert_non_null(p);
    memset(p, i & 255, 6000);
    *(uint8_t *)mien_rec_alloc(r, 999, MIEN_U8, 0, NULL) = 7; /* a tag that nobody knows */
}

static int write_stream(int n)
{
    struct mien_rec r = {0};
    struct mien_err e;
    int fd = temp();
    struct mien_writer *w = mien_writer_new(fd, &e);
    for (int i = 0; i < n; i++) {
        fill(&r, i);
        assert_int_equal(mien_write(w, &r, &e), 0);
    }
    assert_int_equal(mien_writer_end(w, &e), 0);
    mien_writer_free(w);
    mien_rec_free(&r);
    return fd;
}

/* Reads everything; returns the number of records, with the final code in *rc. */
static int read_stream(int fd, int *rc, struct mien_err *e)
{
    struct mien_rec r = {0};
    struct mien_reader *rd = mien_reader_new(fd, 0, e);
    int n = 0;
    lseek(fd, 0, SEEK_SET);
    while ((*rc = mien_read(rd, &r, e)) > 0)
        n++;
    mien_reader_free(rd);
    mien_rec_free(&r);
    return n;
}

static void round_trip(void **state)
{
    (void)state;
    struct mien_rec r = {0};
    struct mien_err e;
    int fd = write_stream(50);
    struct mien_reader *rd = mien_reader_new(fd, 0, &e);
    lseek(fd, 0, SEEK_SET);
    for (int i = 0; i < 50; i++) {
        int age, h, w;
        size_t len;
        assert_int_equal(mien_read(rd, &r, &e), 1);
        const char *id = mien_rec_text(&r, MIEN_TAG_ID, &len);
        assert_memory_equal(id, i % 2 == 0 ? "00/a.jpg" : "b", len);
        assert_true(mien_rec_int(&r, MIEN_TAG_AGE, &age));
        assert_int_equal(age, i);
        const unsigned char *p = mien_rec_pixels(&r, &h, &w);
        assert_true(p != NULL && h == 40 && w == 50 && p[0] == i && p[5999] == i);
        assert_int_equal((uintptr_t)p % 8, 0);
        const struct mien_field *f = mien_rec_find(&r, MIEN_TAG_BOX);
        assert_true(f != NULL && ((const float *)f->data)[2] == 3.5f);
        assert_int_equal(r.field[4].tag, 999); /* kept, though unknown */
        assert_null(mien_rec_find(&r, MIEN_TAG_GENDER));
    }
    assert_int_equal(mien_read(rd, &r, &e), 0);
    mien_reader_free(rd);
    mien_rec_free(&r);
    close(fd);
}

static void segments_join(void **state)
{
    (void)state;
    struct mien_err e;
    struct mien_buf all = {0};
    int rc;
    for (int i = 0; i < 3; i++) {
        int fd = write_stream(i); /* the first segment is empty */
        lseek(fd, 0, SEEK_SET);
        assert_int_equal(file_slurp(fd, &all, 1 << 20, "x", &e), 0);
        close(fd);
    }
    int fd = temp();
    assert_int_equal(file_write(fd, all.data, all.len), 0);
    assert_int_equal(read_stream(fd, &rc, &e), 3);
    assert_int_equal(rc, 0);
    mien_buf_free(&all);
    close(fd);
}

/* A record without a field is one, also where there was none before it. */
static void no_fields(void **state)
{
    (void)state;
    struct mien_rec r = {0};
    struct mien_err e = {{0}};
    int rc, fd = temp();
    struct mien_writer *w = mien_writer_new(fd, &e);
    assert_int_equal(mien_write(w, &r, &e), 0);
    assert_int_equal(mien_write(w, &r, &e), 0);
    assert_int_equal(mien_writer_end(w, &e), 0);
    mien_writer_free(w);
    assert_int_equal(read_stream(fd, &rc, &e), 2);
    assert_string_equal(e.msg, "");
    assert_int_equal(rc, 0);
    close(fd);
}

/* Cut at every byte, a stream is reported as such and gives its whole records. */
static void every_cut(void **state)
{
    (void)state;
    struct mien_err e;
    struct mien_buf all = {0};
    int rc, fd = write_stream(2);
    lseek(fd, 0, SEEK_SET);
    assert_int_equal(file_slurp(fd, &all, 1 << 20, "x", &e), 0);
    size_t one = (all.len - 32) / 2;
    for (size_t n = 0; n < all.len; n += n < 300 ? 1 : 37) {
        assert_int_equal(ftruncate(fd, 0), 0);
        lseek(fd, 0, SEEK_SET);
        assert_int_equal(file_write(fd, all.data, n), 0);
        assert_int_equal(read_stream(fd, &rc, &e), n / one > 2 ? 2 : n / one);
        assert_true(rc < 0);
        assert_non_null(strstr(e.msg, n == 0 ? "no input" : "byte"));
    }
    mien_buf_free(&all);
    close(fd);
}

/* One changed byte anywhere is noticed. */
static void every_flip(void **state)
{
    (void)state;
    struct mien_err e;
    struct mien_buf all = {0};
    int rc, fd = write_stream(1);
    lseek(fd, 0, SEEK_SET);
    assert_int_equal(file_slurp(fd, &all, 1 << 20, "x", &e), 0);
    for (size_t i = 0; i < all.len; i += i < 300 ? 1 : 97) {
        unsigned char b = all.data[i] ^ 0x40;
        assert_int_equal(pwrite(fd, &b, 1, (off_t)i), 1);
        read_stream(fd, &rc, &e);
        assert_true(rc < 0);
        assert_int_equal(pwrite(fd, all.data + i, 1, (off_t)i), 1);
    }
    assert_int_equal(read_stream(fd, &rc, &e), 1);
    assert_int_equal(rc, 0);
    mien_buf_free(&all);
    close(fd);
}

static void limit_holds(void **state)
{
    (void)state;
    struct mien_rec r = {0};
    struct mien_err e;
    int fd = write_stream(1);
    struct mien_reader *rd = mien_reader_new(fd, 1000, &e);
    lseek(fd, 0, SEEK_SET);
    assert_int_equal(mien_read(rd, &r, &e), MIEN_ERR_LIMIT);
    assert_non_null(strstr(e.msg, "limit of 1000"));
    mien_reader_free(rd);
    mien_rec_free(&r);
    close(fd);
}

/* Bodies that lie about their lengths, with nothing but the decoder between them and us. */
static void hostile_bodies(void **state)
{
    (void)state;
    struct mien_rec r = {0}, good = {0};
    struct mien_err e;
    struct mien_buf b = {0};
    fill(&good, 1);
    assert_int_equal(rec_encode(&good, 0, &b), 0);
    assert_int_equal(rec_decode(&r, b.data, b.len, 5, &e), 0);
    assert_int_equal(rec_decode(&r, b.data, b.len, 4, &e), MIEN_ERR_FORMAT);
    assert_int_equal(rec_decode(&r, b.data, b.len, 6, &e), MIEN_ERR_FORMAT);
    assert_int_equal(rec_decode(&r, b.data, b.len - 8, 5, &e), MIEN_ERR_FORMAT);
    for (size_t i = 0; i < 200; i++) {
        for (int v = 0; v < 256; v += 51) {
            unsigned char old = b.data[i];
            b.data[i] = (unsigned char)v;
            if (rec_decode(&r, b.data, b.len, 5, &e) == 0) {
                int h, w, age;
                size_t len;
                mien_rec_text(&r, MIEN_TAG_ID, &len);
                mien_rec_int(&r, MIEN_TAG_AGE, &age);
                const unsigned char *p = mien_rec_pixels(&r, &h, &w);
                if (p != NULL)
                    assert_true(p + (size_t)h * (size_t)w * 3 <= b.data + b.len);
            }
            b.data[i] = old;
        }
    }
    mien_buf_free(&b);
    mien_rec_free(&r);
    mien_rec_free(&good);
}

static void editing(void **state)
{
    (void)state;
    struct mien_rec r = {0}, c = {0};
    int h, w;
    char id[8];
    fill(&r, 0);
    mien_rec_set_str(&r, MIEN_TAG_ID, "a\nlong/name.jpg");
    assert_string_equal(mien_rec_id(&r, id, sizeof id), "a?long/");
    mien_rec_set_u8(&r, MIEN_TAG_GENDER, 1);
    assert_int_equal(mien_rec_copy(&c, &r), 0);
    mien_rec_fail(&r, "not a %s", "JPEG");
    assert_true(r.failed && mien_rec_has(&r, MIEN_TAG_ERROR));
    assert_null(mien_rec_pixels(&r, &h, &w));
    float features[] = {0, 1, -2};
    assert_int_equal(mien_rec_set_f32v(&r, MIEN_TAG_FEATURES, features, 3), 0);
    assert_true(mien_rec_finite(mien_rec_find(&r, MIEN_TAG_FEATURES)));
    features[1] = NAN;
    assert_int_equal(mien_rec_set_f32v(&r, MIEN_TAG_FEATURES, features, 3), 0);
    assert_false(mien_rec_finite(mien_rec_find(&r, MIEN_TAG_FEATURES)));
    assert_non_null(mien_rec_pixels(&c, &h, &w));
    assert_int_equal(mien_rec_share(&r, &c), 0);
    assert_ptr_equal(mien_rec_pixels(&r, &h, &w), mien_rec_pixels(&c, &h, &w));
    assert_false(r.failed || mien_rec_has(&r, MIEN_TAG_ERROR));
    mien_rec_set_u8(&r, MIEN_TAG_GENDER, 0);
    assert_true(mien_rec_int(&r, MIEN_TAG_GENDER, &h) && h == 0);
    assert_true(mien_rec_int(&c, MIEN_TAG_GENDER, &h) && h == 1);
    mien_rec_del(&c, MIEN_TAG_ID);
    assert_false(mien_rec_has(&c, MIEN_TAG_ID));
    assert_int_equal(c.nfield, 5);
    c.field[0].tag = c.field[3].tag = MIEN_TAG_FACES; /* twice */
    mien_rec_del(&c, MIEN_TAG_FACES);
    assert_int_equal(c.nfield, 3);
    assert_false(mien_rec_has(&c, MIEN_TAG_FACES));
    assert_int_equal(mien_tag_of("p_age"), MIEN_TAG_P_AGE);
    assert_string_equal(mien_tag_name(MIEN_TAG_P_AGE), "p_age");
    mien_rec_free(&r);
    mien_rec_free(&c);
}

static void preps(void **state)
{
    (void)state;
    struct mien_prep s = {""}, m = {""};
    struct mien_err e;
    char v[32];
    assert_int_equal(mien_prep_set(&s, "crop", "box"), 0);
    assert_int_equal(mien_prep_set(&s, "margin", "%g", 0.4), 0);
    assert_int_equal(mien_prep_set(&s, "size", "%dx%d", 224, 224), 0);
    assert_string_equal(s.text, "crop=box margin=0.4 size=224x224");
    assert_int_equal(mien_prep_set(&s, "margin", "%g", 0.25), 0);
    assert_string_equal(s.text, "crop=box margin=0.25 size=224x224");
    assert_string_equal(mien_prep_get(&s, "margin", v, sizeof v), "0.25");
    assert_null(mien_prep_get(&s, "gin", v, sizeof v));
    static const char *const drop[] = {"b", "a", "none", "c"};
    static const char *const left[] = {"a=1 c=3", "c=3", "c=3", ""};
    struct mien_prep d;
    assert_int_equal(mien_prep_parse(&d, "a=1 b=22 c=3", 12, &e), 0);
    for (int i = 0; i < 4; i++) {
        mien_prep_del(&d, drop[i]);
        assert_string_equal(d.text, left[i]);
    }
    assert_int_equal(mien_prep_parse(&d, "a=1 b=22", 8, &e), 0);
    mien_prep_del(&d, "b");
    assert_string_equal(d.text, "a=1");
    assert_int_equal(mien_prep_parse(&m, "size=224x224 margin=0.4", 23, &e), 0);
    assert_int_equal(mien_prep_check(&s, &m, &e), MIEN_ERR_FORMAT);
    assert_string_equal(e.msg, "made with margin=0.25, the model expects margin=0.4");
    mien_prep_del(&s, "margins");
    assert_string_equal(s.text, "crop=box margin=0.25 size=224x224");
    assert_int_equal(mien_prep_set(&s, "crop", "whole"), 0);
    assert_int_equal(mien_prep_check(&s, &m, &e), 0);
    struct mien_prep half, all;
    assert_int_equal(mien_prep_parse(&half, "crop=box margin=0.4 inner=0.5", 29, &e), 0);
    assert_int_equal(mien_prep_parse(&all, "crop=box margin=0.4", 19, &e), 0);
    assert_int_equal(mien_prep_check(&half, &m, &e), MIEN_ERR_FORMAT);
    assert_string_equal(e.msg, "made with inner=0.5, the model expects inner=1");
    assert_int_equal(mien_prep_check(&all, &half, &e), MIEN_ERR_FORMAT);
    assert_string_equal(e.msg, "made with inner=1, the model expects inner=0.5");
    assert_int_equal(mien_prep_check(&all, &m, &e), 0);
    mien_prep_del(&s, "margin");
    assert_string_equal(s.text, "crop=whole size=224x224");
    mien_prep_del(&s, "size");
    assert_string_equal(s.text, "crop=whole");
    mien_prep_del(&s, "crop");
    assert_string_equal(s.text, "");
    struct mien_rec r = {0};
    assert_int_equal(mien_rec_get_prep(&r, &d, &e), 0);
    assert_string_equal(d.text, "");
    assert_int_equal(mien_rec_set_prep(&r, &all), 0);
    assert_int_equal(mien_rec_get_prep(&r, &d, &e), 0);
    assert_string_equal(d.text, "crop=box margin=0.4");
    assert_int_equal(mien_rec_set_str(&r, MIEN_TAG_PREP, "size 224"), 0);
    assert_int_equal(mien_rec_get_prep(&r, &d, &e), MIEN_ERR_FORMAT);
    mien_rec_free(&r);
    assert_int_equal(mien_prep_parse(&m, "size 224", 8, &e), MIEN_ERR_FORMAT);
    assert_int_equal(mien_prep_parse(&m, "a=b=c  d=", 9, &e), 0);
    assert_int_equal(mien_prep_parse(&m, "=b", 2, &e), MIEN_ERR_FORMAT);
}

/* What a stream of two segments tells, and what becomes of it. */
static void histories(void **state)
{
    (void)state;
    struct mien_err e;
    struct mien_rec r = {0};
    int fd = temp();
    struct mien_writer *w = mien_writer_new(fd, &e);
    mien_writer_segment(w, 1);
    static const char *const told[] = {"a 1\n", "a 1\n", "b 2\n  more\n"};
    for (int i = 0; i < 3; i++) {
        mien_writer_history(w, told[i], i == 2 ? "c 3\n" : "");
        mien_rec_clear(&r);
        mien_rec_set_u8(&r, MIEN_TAG_AGE, i);
        assert_int_equal(mien_write(w, &r, &e), 0);
    }
    assert_int_equal(mien_writer_end(w, &e), 0);
    mien_writer_free(w);
    lseek(fd, 0, SEEK_SET);
    struct mien_reader *rd = mien_reader_new(fd, 0, &e);
    int n = 0;
    assert_string_equal(mien_reader_history(rd), "");
    while (mien_read(rd, &r, &e) > 0)
        n++;
    assert_int_equal(n, 3);
    assert_string_equal(mien_reader_history(rd), "a 1\n\nb 2\n  more\nc 3\n");
    mien_reader_free(rd);
    mien_rec_free(&r);
    close(fd);

    struct history h = {""};
    history_step(&h, "first\n");
    assert_string_equal(h.text, "first\n");
    history_merge(&h, "other\033[2J\nx", 11); /* as a hostile stream may have it */
    assert_string_equal(h.text, "first\n\nother?[2J\nx\n");
    history_merge(&h, "\n\n\n\n", 4);
    history_merge(&h, "first\n", 6);
    history_step(&h, "last\n");
    assert_string_equal(h.text, "first\nlast\n\nother?[2J\nx\nlast\n");
    struct mien_buf out = {0};
    assert_int_equal(history_indent(&out, h.text), 0);
    assert_int_equal(mien_buf_append(&out, "", 1), 0);
    assert_string_equal((char *)out.data, "  first\n  last\n  and\n  other?[2J\n  x\n  last\n");
    mien_buf_free(&out);
    for (int i = 0; i < 1000; i++) {
        char line[32];
        snprintf(line, sizeof line, "step %d\n", i);
        history_step(&h, line);
        history_merge(&h, line, strlen(line));
        assert_true(strlen(h.text) < HISTORY_MAX);
    }
    assert_string_equal(h.text + strlen(h.text) - 5, "\n...\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),  cmocka_unit_test(segments_join),
        cmocka_unit_test(every_cut),   cmocka_unit_test(every_flip),
        cmocka_unit_test(limit_holds), cmocka_unit_test(hostile_bodies),
        cmocka_unit_test(editing),     cmocka_unit_test(preps),
        cmocka_unit_test(no_fields),   cmocka_unit_test(histories),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
