/* safetensors: what is written is read, and no header leads beyond the file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <math.h>

#include "../failing_alloc.h"

#include "util/bytes.h"
#include "mien/safetensors.h"
#include "util/half.h"
#include "tensor/st_writer.h"

static char path[] = "/tmp/mien-test-st-XXXXXX";

static int set_up(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(path);
}

/* A file of this header and data, its length field being len. */
static void put_file(uint64_t len, const char *header, size_t hlen, size_t data)
{
    static const unsigned char zeros[4096];
    unsigned char n[8];
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    put_le64(n, len);
    fwrite(n, 1, 8, f);
    fwrite(header, 1, hlen, f);
    fwrite(zeros, 1, data, f);
    assert_int_equal(fclose(f), 0);
}

static void round_trip(void **state)
{
    (void)state;
    struct mien_err e;
    const float kernel[2][3] = {{1, 2, 3}, {-0.5f, 1e-30f, INFINITY}};
    const uint16_t half[3] = {0x3c00, 0x0001, 0xfbff};
    const uint64_t big[1] = {UINT64_MAX};
    struct st_writer *w = st_writer_new(&e);
    assert_int_equal(st_add_meta(w, "zebra", "first", &e), 0);
    assert_int_equal(st_add_meta(w, "net", "conv 3\n\"relu\"\té\n", &e), 0);
    assert_int_equal(st_add_meta(w, "made", "from caf\xe9.tar", &e), 0);
    assert_int_equal(st_add(w, "half", MIEN_ST_F16, 1, (size_t[]){3}, half, &e), 0);
    assert_int_equal(st_add(w, "conv1/kernel", MIEN_ST_F32, 2, (size_t[]){2, 3}, kernel, &e), 0);
    assert_int_equal(st_add(w, "none", MIEN_ST_F32, 2, (size_t[]){0, 7}, NULL, &e), 0);
    assert_int_equal(st_add(w, "scalar", MIEN_ST_U64, 0, NULL, big, &e), 0);
    assert_int_equal(st_save(w, path, &e), 0);

    struct mien_safetensors *s = mien_st_open(path, &e);
    assert_non_null(s);
    assert_string_equal(mien_st_meta(s, "zebra"), "first");
    assert_string_equal(mien_st_meta(s, "net"), "conv 3\n\"relu\"\té\n");
    assert_string_equal(mien_st_meta(s, "made"), "from caf?.tar");
    assert_null(mien_st_meta(s, "absent"));
    assert_null(mien_st_find(s, "absent"));

    const struct mien_tensor *t = mien_st_find(s, "conv1/kernel");
    assert_non_null(t);
    assert_int_equal(t->dtype, MIEN_ST_F32);
    assert_int_equal(t->ndim, 2);
    assert_int_equal(t->shape[0], 2);
    assert_int_equal(t->shape[1], 3);
    assert_int_equal(t->count, 6);
    assert_int_equal(t->bytes, sizeof kernel);
    assert_memory_equal(t->data, kernel, sizeof kernel);
    t = mien_st_find(s, "scalar");
    assert_int_equal(t->ndim, 0);
    assert_memory_equal(t->data, big, sizeof big);
    assert_int_equal((uintptr_t)mien_st_at(s, 0)->data % 64, 0);

    /* In the order they were added, with a padding where an element would be off its place. */
    const char *order[] = {"half", "_pad1", "conv1/kernel", "none", "scalar"};
    assert_int_equal(mien_st_count(s), 5);
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(mien_st_at(s, i)->name, order[i]);
    mien_st_close(s);

    /* Metadata keep their order, and the same additions give the same bytes. */
    struct mien_buf a = {0}, b = {0};
    assert_int_equal(st_header(w, 0, &a, &e), 0);
    assert_int_equal(st_header(w, 1024, &b, &e), 0);
    assert_int_equal(a.len % 64, 0);
    assert_int_equal(b.len, 1024);
    assert_int_equal(get_le64(b.data), 1016);
    assert_memory_equal(a.data + 8, "{\"__metadata__\":{\"zebra\":\"first\",\"net\":", 39);
    assert_memory_equal(a.data + 8, b.data + 8, a.len - 8);
    assert_int_equal(b.data[1023], ' ');
    mien_buf_clear(&a);
    assert_int_equal(st_header(w, 64, &a, &e), MIEN_ERR_LIMIT);
    mien_buf_free(&a);
    mien_buf_free(&b);
    st_writer_free(w);
}

static void refuses_to_write(void **state)
{
    (void)state;
    struct mien_err e;
    struct st_writer *w = st_writer_new(&e);
    assert_int_equal(st_add(w, "a", MIEN_ST_U8, 1, (size_t[]){1}, "x", &e), 0);
    assert_int_equal(st_add(w, "a", MIEN_ST_U8, 1, (size_t[]){1}, "x", &e), MIEN_ERR_ARG);
    assert_int_equal(st_add(w, "_pad0", MIEN_ST_U8, 1, (size_t[]){1}, "x", &e), MIEN_ERR_ARG);
    assert_int_equal(st_add(w, "__metadata__", MIEN_ST_U8, 1, (size_t[]){1}, "x", &e),
                     MIEN_ERR_ARG);
    assert_int_equal(st_add(w, "\xff", MIEN_ST_U8, 1, (size_t[]){1}, "x", &e), MIEN_ERR_ARG);
    assert_int_equal(st_add(w, "b", MIEN_ST_F32, 2, (size_t[]){SIZE_MAX / 8, 4}, "x", &e),
                     MIEN_ERR_ARG);
    assert_int_equal(st_save(w, "/dev/full", &e), MIEN_ERR_SYS);
    assert_non_null(strstr(e.msg, "No space left"));
    st_writer_free(w);
}

static const char *const text = "in 12x12x3\nc1 conv 4 3x3 stride=2 pad=same\ngap\ndense 101";

static int write_some(void)
{
    struct mien_err e;
    struct st_writer *w = st_writer_new(&e);
    char name[64];
    int rc = w == NULL ? MIEN_ERR_MEM : st_add_meta(w, "net", text, &e);
    for (int i = 0; i < 40 && rc == 0; i++) {
        snprintf(name, sizeof name, "a/name/that/is/rather/long/for/a/tensor/%d", i);
        rc = st_add(w, name, MIEN_ST_U8, 2, (size_t[]){1, 2}, "xy", &e);
    }
    if (rc == 0)
        rc = st_save(w, path, &e);
    st_writer_free(w);
    return rc;
}

/* Whichever allocation fails: there is an error, or the file is whole. */
static void short_of_memory(void **state)
{
    (void)state;
    struct mien_err e;
    bool reached = FAILING_ALLOC;
    for (long n = 1; reached; n++) {
        failing_alloc(n);
        int rc = write_some();
        reached = failing_alloc(0);
        if (rc < 0) {
            assert_int_equal(rc, MIEN_ERR_MEM);
            continue;
        }
        struct mien_safetensors *s = mien_st_open(path, &e);
        if (s == NULL)
            fail_msg("allocation %ld: %s", n, e.msg);
        assert_string_equal(mien_st_meta(s, "net"), text);
        assert_int_equal(mien_st_count(s), 40);
        mien_st_close(s);
    }
}

#define T(name, dtype, shape, range)                                                               \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" range "}"

static void hostile_headers(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t data;
        const char *cause; /* NULL: fine */
    } cases[] = {
        {"{" T("a", "U8", "[2]", "[0,2]") "," T("b", "U8", "[2]", "[2,4]") "}   ", 4, NULL},
        {"{" T("b", "U8", "[2]", "[2,4]") "," T("a", "U8", "[2]", "[0,2]") "}", 4, NULL},
        {"{" T("z", "F32", "[0]", "[0,0]") "," T("a", "U8", "[2]", "[0,2]") "}", 2, NULL},
        {"{}", 0, NULL},
        {"{}", 1, "don't belong to any tensor"},
        {"{" T("a", "U8", "[2]", "[0,2]") "}", 3, "don't belong to any tensor"},
        {"{" T("a", "U8", "[2]", "[0,2]") "}", 1, "within the file"},
        {"{" T("a", "U8", "[2]", "[-2,0]") "}", 2, "within the file"},
        {"{" T("a", "U8", "[2]", "[2,0]") "}", 2, "within the file"},
        {"{" T("a", "U8", "[9223372036854775807]", "[0,2]") "}", 2, "as its shape"},
        {"{" T("a", "U8", "[4294967296,4294967296]", "[0,0]") "}", 0, "as its shape"},
        {"{" T("a", "F64", "[4611686018427387904]", "[0,0]") "}", 0, "as its shape"},
        {"{" T("a", "U8", "[99999999999999999999]", "[0,2]") "}", 2, "too big"},
        {"{" T("a", "U8", "[-1]", "[0,2]") "}", 2, "a size"},
        {"{" T("a", "U8", "[2.0]", "[0,2]") "}", 2, "a size"},
        {"{" T("a", "U8", "[1,1,1,1,1,1,1,1,2]", "[0,2]") "}", 2, "too many dim"},
        {"{" T("a", "BF16", "[1]", "[0,2]") "}", 2, "has a type"},
        {"{" T("a", "U8", "2", "[0,2]") "}", 2, "has no type"},
        {"{" T("a", "U8", "[2]", "[0,2,4]") "}", 2, "has no type"},
        {"{\"a\":{\"shape\":[2],\"data_offsets\":[0,2]}}", 2, "has no type"},
        {"{\"a\":7}", 0, "has no type"},
        {"{" T("a", "U8", "[2]", "[0,2]") "," T("a", "U8", "[2]", "[2,4]") "}", 4, "uplicate"},
        {"{" T("a", "U8", "[2]", "[0,2]") "," T("b", "U8", "[2]", "[1,3]") "}", 3, "overlaps"},
        {"{" T("a", "U8", "[2]", "[0,2]") "," T("b", "U8", "[2]", "[0,2]") "}", 2, "overlaps"},
        {"{" T("a", "U8", "[2]", "[0,2]") "," T("b", "U8", "[2]", "[3,5]") "}", 5, "a gap"},
        {"{" T("a", "U8", "[2]", "[1,3]") "}", 3, "a gap"},
        {"{\"__metadata__\":{\"k\":1}}", 0, "not text"},
        {"{\"__metadata__\":[\"k\"]}", 0, "not an object"},
        {"{\"__metadata__\":{\"k\":\"a\\u0000b\"}}", 0, "NUL"},
        {"[]", 0, "not a safetensors file"},
        {"{\"a\":", 0, "header, line 1, byte"},
        {"{\"\xff\":{}}", 0, "byte 0xff"},
        {" {}", 0, "not a safetensors file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mien_err e = {""};
        char padded[256];
        int len = snprintf(padded, sizeof padded, "%-120s", cases[i].header);
        put_file((uint64_t)len, padded, (size_t)len, cases[i].data);
        struct mien_safetensors *s = mien_st_open(path, &e);
        if (!s != !!cases[i].cause || (!s && !strstr(e.msg, cases[i].cause)))
            fail_msg("case %zu, %s: '%s'", i, cases[i].header, e.msg);
        mien_st_close(s);
    }
}

static void hostile_lengths(void **state)
{
    (void)state;
    struct mien_err e;
    const uint64_t lengths[] = {0, 1, 3, 1u << 20, UINT64_MAX, UINT64_MAX - 7, 1ull << 63};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        put_file(lengths[i], "{}", 2, 0);
        assert_null(mien_st_open(path, &e));
        assert_non_null(strstr(e.msg, "not a safetensors file"));
    }
    assert_int_equal(truncate(path, 7), 0);
    assert_null(mien_st_open(path, &e));
    assert_int_equal(truncate(path, 0), 0);
    assert_null(mien_st_open(path, &e));

    /* A header over the limit, in a file that is as long (and sparse). */
    put_file(MIEN_ST_MAX_HEADER + 1, "{}", 2, 0);
    assert_int_equal(truncate(path, (off_t)MIEN_ST_MAX_HEADER + 9), 0);
    assert_null(mien_st_open(path, &e));
    assert_non_null(strstr(e.msg, "over the limit"));

    /* Deep nesting must not exhaust the stack. */
    char *deep = malloc(1 << 20);
    memset(deep, '[', 1 << 20);
    memcpy(deep, "{\"a\":", 5);
    put_file(1 << 20, deep, 1 << 20, 0);
    free(deep);
    assert_null(mien_st_open(path, &e));

    /* A header of odd length puts floats off their place. */
    const char *odd = "{" T("a", "F32", "[1]", "[0,4]") "}";
    char padded[256];
    snprintf(padded, sizeof padded, "%-101s", odd);
    put_file(101, padded, 101, 4);
    assert_null(mien_st_open(path, &e));
    assert_non_null(strstr(e.msg, "aligned"));
    assert_null(mien_st_open("/nonexistent/x", &e));
    assert_non_null(strstr(e.msg, "No such file"));
}

/* The value of a half by its definition. */
static double half_value(unsigned h)
{
    unsigned expo = h >> 10 & 31, frac = h & 1023;
    double v = expo ? ldexp(1024 + frac, (int)expo - 25) : ldexp(frac, -24);
    return h & 0x8000 ? -v : v;
}

static void halves(void **state)
{
    (void)state;
    /* Every half is exact as a float and comes back; a NaN stays a NaN. */
    for (unsigned h = 0; h < 65536; h++) {
        uint16_t in = (uint16_t)h, back;
        float f;
        half_to_floats(&in, &f, 1);
        floats_to_half(&f, &back, 1);
        if ((h & 0x7fff) > 0x7c00) {
            assert_true(isnan(f) && !!signbit(f) == h >> 15);
            assert_true((back & 0x7fff) > 0x7c00 && back >> 15 == (int)(h >> 15));
            continue;
        }
        if ((h & 0x7fff) == 0x7c00)
            assert_true(isinf(f) && !!signbit(f) == h >> 15);
        else
            assert_true((double)f == half_value(h) && !!signbit(f) == h >> 15);
        assert_int_equal(back, h);
    }
    /* Between two neighbors the nearer one, and the even one in the middle. */
    for (unsigned h = 0; h < 0x7c00; h++) {
        double lo = half_value(h), hi = h == 0x7bff ? 65536.0 : half_value(h + 1);
        float mid = (float)((lo + hi) / 2);
        const float in[3] = {nextafterf(mid, 0), mid, nextafterf(mid, INFINITY)};
        uint16_t out[3];
        floats_to_half(in, out, 3);
        assert_int_equal(out[0], h);
        assert_int_equal(out[1], h + (h & 1));
        assert_int_equal(out[2], h + 1);
    }
    const float odd[] = {1e-45f, -1e-45f, 1e30f, -1e30f};
    uint16_t out[4];
    floats_to_half(odd, out, 4);
    assert_int_equal(out[0], 0);
    assert_int_equal(out[1], 0x8000);
    assert_int_equal(out[2], 0x7c00);
    assert_int_equal(out[3], 0xfc00);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),      cmocka_unit_test(refuses_to_write),
        cmocka_unit_test(short_of_memory), cmocka_unit_test(hostile_headers),
        cmocka_unit_test(hostile_lengths), cmocka_unit_test(halves),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
