/* Reading on behind damage: which records are lost, what is said, and that it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "mien/record.h"
#include "util/bytes.h"
#include "util/file.h"

enum { RECORDS = 6, END = 32 }; /* bytes of an end record */

/* A stream of RECORDS records, record i of age i, and where each begins; the end record's begin is
   the last. */
struct stream {
    struct mien_buf bytes;
    size_t at[RECORDS + 1];
};

static void make(struct stream *s)
{
    struct mien_rec r = {0};
    struct mien_err e;
    int fd = file_temp(&e);
    assert_true(fd >= 0);
    struct mien_writer *w = mien_writer_new(fd, &e);
    for (int i = 0; i < RECORDS; i++) {
        uint32_t dim[3] = {7, 5 + (uint32_t)i, 3};
        mien_rec_clear(&r);
        assert_int_equal(mien_rec_set_u8(&r, MIEN_TAG_AGE, i), 0);
        memset(mien_rec_alloc(&r, MIEN_TAG_PIXELS, MIEN_U8, 3, dim), i, 21 * (5 + (size_t)i));
        assert_int_equal(mien_writer_flush(w, &e), 0);
        s->at[i] = (size_t)lseek(fd, 0, SEEK_CUR);
        assert_int_equal(mien_write(w, &r, &e), 0);
    }
    assert_int_equal(mien_writer_flush(w, &e), 0);
    s->at[RECORDS] = (size_t)lseek(fd, 0, SEEK_CUR);
    assert_int_equal(mien_writer_end(w, &e), 0);
    mien_writer_free(w);
    mien_rec_free(&r);
    lseek(fd, 0, SEEK_SET);
    s->bytes = (struct mien_buf){0};
    assert_int_equal(file_slurp(fd, &s->bytes, 1 << 20, "a stream", &e), 0);
    assert_int_equal(s->bytes.len, s->at[RECORDS] + END);
    close(fd);
}

/* What reading on gives: the ages, as digits; what is said, a line each; and how it ends. */
struct result {
    char ages[256];
    char said[4096];
    uint64_t skipped;
    int rc, errors;
};

static void read_on(int fd, struct result *x)
{
    struct mien_rec r = {0};
    struct mien_err e;
    struct mien_reader *rd = mien_reader_new(fd, 1 << 20, &e);
    *x = (struct result){.rc = 1};
    assert_non_null(rd);
    mien_reader_resync(rd);
    while (x->rc > 0 || x->rc == MIEN_ERR_FORMAT) {
        x->rc = mien_read(rd, &r, &e);
        size_t n = strlen(x->ages), m = strlen(x->said);
        int age = -1;
        if (x->rc > 0) {
            assert_true(mien_rec_int(&r, MIEN_TAG_AGE, &age));
            snprintf(x->ages + n, sizeof x->ages - n, "%d", age);
        } else if (x->rc < 0) {
            snprintf(x->said + m, sizeof x->said - m, "%s\n", e.msg);
            assert_true(++x->errors < 1000);
        }
    }
    x->skipped = mien_reader_skipped(rd);
    assert_int_equal(mien_reader_bytes(rd), lseek(fd, 0, SEEK_END));
    mien_reader_free(rd);
    mien_rec_free(&r);
}

static void read_bytes(const void *p, size_t n, struct result *x)
{
    struct mien_err e;
    int fd = file_temp(&e);
    assert_true(fd >= 0);
    assert_int_equal(file_write(fd, p, n), 0);
    lseek(fd, 0, SEEK_SET);
    read_on(fd, x);
    close(fd);
}

static void whole(void **state)
{
    (void)state;
    struct stream s;
    struct result x;
    make(&s);
    read_bytes(s.bytes.data, s.bytes.len, &x);
    assert_string_equal(x.ages, "012345");
    assert_string_equal(x.said, "");
    assert_int_equal(x.rc, 0);
    assert_int_equal(x.skipped, 0);
    mien_buf_free(&s.bytes);
}

/* Wherever a byte is changed, that record alone is lost, and said to be. */
static void every_byte(void **state)
{
    (void)state;
    struct stream s;
    struct result x;
    char line[128];
    make(&s);
    for (size_t i = 0, k = 0; i < s.bytes.len; i++) {
        k += k < RECORDS && i == s.at[k + 1]; /* the record of byte i, or the end record */
        s.bytes.data[i] ^= 0x55;
        read_bytes(s.bytes.data, s.bytes.len, &x);
        s.bytes.data[i] ^= 0x55;
        char ages[RECORDS + 1] = "012345";
        size_t next = k < RECORDS ? s.at[k + 1] : s.bytes.len;
        if (k < RECORDS)
            memmove(ages + k, ages + k + 1, RECORDS - k);
        snprintf(line, sizeof line, "skipped %zu bytes, up to byte %zu: ", next - s.at[k], next);
        assert_string_equal(x.ages, ages);
        assert_int_equal(strncmp(x.said, line, strlen(line)), 0);
        assert_int_equal(x.skipped, next - s.at[k]);
        assert_int_equal(x.errors, k < RECORDS ? 2 : 1);
        if (k < RECORDS)
            assert_non_null(strstr(x.said, "the end record counts 6 records, not 5"));
        assert_int_equal(x.rc, 0);
    }
    mien_buf_free(&s.bytes);
}

/* Cut at every byte. */
static void every_cut(void **state)
{
    (void)state;
    struct stream s;
    struct result x;
    make(&s);
    for (size_t n = 0, k = 0; n < s.bytes.len; n++) {
        k += k < RECORDS && n == s.at[k + 1]; /* whole records before the cut */
        read_bytes(s.bytes.data, n, &x);
        assert_int_equal(strncmp(x.ages, "012345", k), 0);
        assert_int_equal(strlen(x.ages), k);
        assert_int_equal(x.errors, 1);
        assert_non_null(strstr(x.said, n == 0 ? "no input" : "cut short"));
        assert_int_equal(x.skipped, n - s.at[k]);
    }
    mien_buf_free(&s.bytes);
}

/* Bytes that are no record, some of which look like one, before, between and behind records. */
static void rubbish(void **state)
{
    (void)state;
    static const char *const noise[] = {
        "x",        "M",      "MIE",
        "MIENMIEN", "MIEN\1", "MIEN\1\0\1\0\40\0\0\0\1\2\3\4MMMMMMMMMMMMMMMMMMMMM"};
    static const size_t length[] = {1, 1, 3, 8, 5, 37};
    struct stream s;
    struct result x;
    char line[128];
    make(&s);
    for (size_t k = 0; k <= RECORDS + 1; k++) {
        size_t at = k <= RECORDS ? s.at[k] : s.bytes.len;
        for (size_t i = 0; i < 6; i++) {
            struct mien_buf b = {0};
            assert_int_equal(mien_buf_append(&b, s.bytes.data, at), 0);
            assert_int_equal(mien_buf_append(&b, noise[i], length[i]), 0);
            assert_int_equal(mien_buf_append(&b, s.bytes.data + at, s.bytes.len - at), 0);
            read_bytes(b.data, b.len, &x);
            snprintf(line, sizeof line, "skipped %zu bytes, up to byte %zu: ", length[i],
                     at + length[i]);
            assert_string_equal(x.ages, "012345");
            assert_int_equal(strncmp(x.said, line, strlen(line)), 0);
            assert_int_equal(x.errors, 1);
            assert_int_equal(x.skipped, length[i]);
            mien_buf_free(&b);
        }
    }
    mien_buf_free(&s.bytes);
}

/* A record that claims to be longer than it is, by some of what follows or by all and more, hides
   nothing but itself; nor does one beyond the limit. */
static void false_length(void **state)
{
    (void)state;
    struct stream s;
    struct result x;
    make(&s);
    uint32_t len = get_le32(s.bytes.data + s.at[2] + 8);
    const uint32_t claim[] = {len + 8, len + 400, 100000, 2 << 20, UINT32_MAX, 0};
    for (size_t i = 0; i < 6; i++) {
        put_le32(s.bytes.data + s.at[2] + 8, claim[i]);
        read_bytes(s.bytes.data, s.bytes.len, &x);
        assert_string_equal(x.ages, "01345");
        assert_int_equal(x.skipped, s.at[3] - s.at[2]);
        assert_int_equal(x.errors, 2);
    }
    mien_buf_free(&s.bytes);
}

/* Several damaged segments; what is whole between them is found. */
static void segments(void **state)
{
    (void)state;
    struct stream s;
    struct result x;
    struct mien_buf b = {0};
    make(&s);
    s.bytes.data[s.at[1] + 20] ^= 1;
    for (int i = 0; i < 3; i++)
        assert_int_equal(mien_buf_append(&b, s.bytes.data, s.bytes.len), 0);
    read_bytes(b.data, b.len - END, &x); /* and the last end record is missing */
    assert_string_equal(x.ages, "023450234502345");
    assert_int_equal(x.errors, 3 + 2 + 1);
    assert_int_equal(x.skipped, 3 * (s.at[2] - s.at[1]));
    mien_buf_free(&b);
    mien_buf_free(&s.bytes);
}

/* A file of nothing but headers of large records, each of which has to be looked at, is given up
   before that takes long. */
static void false_records(void **state)
{
    (void)state;
    unsigned char head[16] = "MIEN\1\0\1\0";
    struct mien_err e;
    int fd = file_temp(&e);
    assert_true(fd >= 0);
    put_le32(head + 8, 1 << 20);
    for (int i = 0; i < 4096; i++)
        assert_int_equal(file_write(fd, head, sizeof head), 0);
    assert_int_equal(ftruncate(fd, 2 << 20), 0);
    lseek(fd, 0, SEEK_SET);
    struct mien_rec r = {0};
    struct mien_reader *rd = mien_reader_new(fd, 1 << 20, &e);
    mien_reader_resync(rd);
    assert_int_equal(mien_read(rd, &r, &e), MIEN_ERR_LIMIT);
    assert_non_null(strstr(e.msg, "false records"));
    mien_reader_free(rd);
    mien_rec_free(&r);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole),         cmocka_unit_test(every_byte),
        cmocka_unit_test(every_cut),     cmocka_unit_test(rubbish),
        cmocka_unit_test(false_length),  cmocka_unit_test(segments),
        cmocka_unit_test(false_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
