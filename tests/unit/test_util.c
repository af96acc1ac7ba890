/* Arrays, hashes, random numbers, numbers from text, UTF-8, files, threads, cores. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "mien/buf.h"
#include "util/aligned.h"
#include "util/array.h"
#include "util/cores.h"
#include "util/file.h"
#include "util/hash.h"
#include "util/num.h"
#include "util/par.h"
#include "util/printable.h"
#include "util/utf8.h"

/* Room for nothing is somewhere, so that what is computed from it is defined. */
static void empty_buffers(void **state)
{
    (void)state;
    struct mien_buf a = {0}, b = {0};
    assert_int_equal(mien_buf_reserve(&a, 0), 0);
    assert_int_equal(mien_buf_append(&b, "", 0), 0);
    assert_non_null(a.data);
    assert_non_null(b.data);
    assert_int_equal(a.len + b.len, 0);
    mien_buf_free(&a);
    mien_buf_free(&b);
}

static void sip(void **state)
{
    (void)state;
    unsigned char text[64];
    for (int i = 0; i < 64; i++)
        text[i] = (unsigned char)i;
    /* The hash depends on the seed, every byte and the length. */
    uint64_t h = hash_bytes(1, text, 15);
    assert_int_not_equal(h, hash_bytes(2, text, 15));
    assert_int_not_equal(h, hash_bytes(1, text, 16));
    for (int i = 0; i < 15; i++) {
        text[i] ^= 1;
        assert_int_not_equal(h, hash_bytes(1, text, 15));
        text[i] ^= 1;
    }
    /* With key (0, 0) the reference implementation gives this for the empty message. */
    assert_int_equal(hash_bytes(0, text, 0), 0x1e924b9d737700d7u);
}

static void random_numbers(void **state)
{
    (void)state;
    struct rng r = {42};
    double sum = 0, square = 0;
    int count[7] = {0};
    for (int i = 0; i < 70000; i++) {
        double z = rng_normal(&r);
        sum += z;
        square += z * z;
        count[rng_below(&r, 7)]++;
    }
    assert_true(sum / 70000 > -0.02 && sum / 70000 < 0.02);
    assert_true(square / 70000 > 0.97 && square / 70000 < 1.03);
    for (int i = 0; i < 7; i++)
        assert_in_range(count[i], 9600, 10400);
    uint32_t v[100];
    for (uint32_t i = 0; i < 100; i++)
        v[i] = i;
    rng_shuffle(&r, v, 100);
    uint64_t seen = 0, moved = 0;
    for (uint32_t i = 0; i < 100; i++) {
        seen += v[i];
        moved += v[i] != i;
    }
    assert_int_equal(seen, 4950);
    assert_true(moved > 80);
}

static void numbers(void **state)
{
    (void)state;
    struct mien_err e;
    long long i;
    double d;
    uint64_t u;
    assert_int_equal(num_int("-7", -10, 10, &i, &e), 0);
    assert_int_equal(i, -7);
    assert_int_equal(num_int("7x", 0, 10, &i, &e), MIEN_ERR_ARG);
    assert_int_equal(num_int("", 0, 10, &i, &e), MIEN_ERR_ARG);
    assert_int_equal(num_int(" 7", 0, 10, &i, &e), MIEN_ERR_ARG);
    assert_int_equal(num_int("11", 0, 10, &i, &e), MIEN_ERR_ARG);
    assert_string_equal(e.msg, "'11' is not within 0..10");
    assert_int_equal(num_real("0.25", 0, 1, &d, &e), 0);
    assert_int_equal(num_real("nan", 0, 1, &d, &e), MIEN_ERR_ARG);
    assert_int_equal(num_real("1e999", 0, 1, &d, &e), MIEN_ERR_ARG);
    assert_int_equal(num_u64("18446744073709551615", &u, &e), 0);
    assert_true(u == UINT64_MAX);
    assert_int_equal(num_u64("-1", &u, &e), 0);
    assert_true(u == UINT64_MAX);
    assert_int_equal(num_u64("18446744073709551616", &u, &e), MIEN_ERR_ARG);
    assert_string_equal(e.msg, "'18446744073709551616' has more than 64 bits");
    assert_int_equal(num_u64("-9223372036854775809", &u, &e), MIEN_ERR_ARG);
    assert_int_equal(num_u64("7x", &u, &e), MIEN_ERR_ARG);
    assert_int_equal(num_u64("", &u, &e), MIEN_ERR_ARG);
    assert_int_equal(num_u64(" 7", &u, &e), MIEN_ERR_ARG);
    assert_int_equal(num_size("64M", UINT64_MAX, &u, &e), 0);
    assert_int_equal(u, 64 << 20);
    assert_int_equal(num_size("64MB", UINT64_MAX, &u, &e), MIEN_ERR_ARG);
    assert_int_equal(num_size("-1", UINT64_MAX, &u, &e), MIEN_ERR_ARG);
    assert_int_equal(num_size("99999999999G", UINT64_MAX, &u, &e), MIEN_ERR_ARG);
    assert_int_equal(num_size("5", 4, &u, &e), MIEN_ERR_ARG);
}

static void printed_numbers(void **state)
{
    (void)state;
    static const struct {
        double v;
        const char *text;
    } doubles[] = {{0.1, "0.1"},
                   {100, "100"},
                   {1e-7, "1e-07"},
                   {1.0 / 3, "0.3333333333333333"},
                   {0.1 + 0.2, "0.30000000000000004"},
                   {-2.5, "-2.5"}};
    char text[NUM_TEXT];
    for (size_t i = 0; i < sizeof doubles / sizeof doubles[0]; i++) {
        num_print(text, doubles[i].v);
        assert_string_equal(text, doubles[i].text);
        assert_true(strtod(text, NULL) == doubles[i].v);
    }
    num_print_float(text, 0.1f);
    assert_string_equal(text, "0.1");
    num_print_float(text, 16777217.0f / 3);
    assert_true(strtof(text, NULL) == 16777217.0f / 3);
}

/* Every character there and back, and none by another way than its shortest. */
static void characters(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x10ffff; c++) {
        unsigned char s[4];
        size_t n = utf8_put(s, c);
        bool surrogate = c >= 0xd800 && c <= 0xdfff;
        assert_int_equal(utf8_len(s, n), n);
        assert_int_equal(utf8_get(s, n), surrogate ? 0xfffd : c);
        assert_int_equal(utf8_len(s, n - 1), 0);
    }
    /* As many sequences of 1 to 4 bytes are well formed as there are characters. */
    size_t count = 0;
    for (uint32_t v = 0; v < 1u << 21; v++) {
        const unsigned char two[2] = {(unsigned char)(0xc0 | (v >> 6 & 0x1f)), 0x80 | (v & 0x3f)};
        const unsigned char three[3] = {(unsigned char)(0xe0 | (v >> 12 & 0xf)),
                                        (unsigned char)(0x80 | (v >> 6 & 0x3f)), 0x80 | (v & 0x3f)};
        const unsigned char four[4] = {(unsigned char)(0xf0 | v >> 18),
                                       (unsigned char)(0x80 | (v >> 12 & 0x3f)),
                                       (unsigned char)(0x80 | (v >> 6 & 0x3f)), 0x80 | (v & 0x3f)};
        count += v < 0x80;
        count += v < 1u << 11 && utf8_len(two, 2) == 2;
        count += v < 1u << 16 && utf8_len(three, 3) == 3;
        count += utf8_len(four, 4) == 4;
    }
    assert_int_equal(count, 0x110000 - 0x800);
}

static void terminal(void **state)
{
    (void)state;
    static const struct {
        const char *text, *shown;
    } cases[] = {
        {"", ""},
        {"plain, caf\u00e9, \U0001f600", "plain, caf\u00e9, \U0001f600"},
        {"a\tb\n\x1b[31m\x07\x7f", "a?b??[31m??"},
        {"\xc2\x9b"
         "31m\xc2\x85.",
         "?31m?."}, /* C1: one of them is ESC [ */
        {"\u202egpj.exe\u202c \u2066x\u2069", "?gpj.exe? ?x?"},
        {"\u200f\u05d0", "\u200f\u05d0"}, /* a mark does no more than a letter */
        {"caf\xe9 \xe2\x82", "caf? ??"},
    };
    char out[64];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t n = strlen(cases[i].text);
        assert_int_equal(printable(out, sizeof out, cases[i].text, n), strlen(cases[i].shown));
        assert_string_equal(out, cases[i].shown);
        memcpy(out, cases[i].text, n + 1);
        printable(out, sizeof out, out, n);
        assert_string_equal(out, cases[i].shown);
    }
    assert_int_equal(printable(out, sizeof out, "a\0b", 3), 3);
    assert_string_equal(out, "a?b");
    assert_int_equal(printable(out, 4, "ab\u00e9", 4), 2); /* cut between characters */
    assert_string_equal(out, "ab");
}

/* A message is printable, whole characters, and ends with its cause however long what it names. */
static void messages(void **state)
{
    (void)state;
    struct mien_err e;
    char name[2000];
    assert_int_equal(mien_err_set(&e, -7, "%s.", "\xc2\x9b\u202e\xff\n"), -7);
    assert_string_equal(e.msg, "????.");
    for (size_t shift = 0; shift < 3; shift++) {
        memset(name, 'x', shift);
        for (size_t i = shift; i + 3 < sizeof name; i += 3)
            memcpy(name + i, "\u20ac", 4);
        mien_err_set(&e, -1, "'%s'", name);
        assert_in_range(strlen(e.msg), sizeof e.msg - 4, sizeof e.msg - 1);
        assert_null(strchr(e.msg, '?'));
        errno = ENOSPC;
        assert_int_equal(mien_err_sys(&e, "cannot write '%s'", name), MIEN_ERR_SYS);
        assert_int_equal(errno, ENOSPC);
        assert_null(strchr(e.msg, '?'));
        assert_non_null(strstr(e.msg, "\u20ac: No space left on device"));
    }
}

static int named; /* temporary names there are */

static void on_made(const char *tmp)
{
    assert_non_null(strstr(tmp, "/out."));
    named++;
}

static void on_gone(const char *tmp)
{
    assert_int_equal(access(tmp, F_OK), -1);
    named--;
}

/* An output appears whole, replaces what was there, and leaves nothing behind when given up. */
static void output_files(void **state)
{
    (void)state;
    char dir[] = "/tmp/mien-test.XXXXXX", path[64];
    struct mien_err e;
    struct file_out o;
    struct file_map m;
    static const struct file_watch watch = {.made = on_made, .gone = on_gone};
    file_watch(&watch);
    assert_non_null(mkdtemp(dir));
    strcat(strcpy(path, dir), "/out");
    assert_int_equal(file_create(&o, path, &e), 0);
    assert_int_equal(file_write(o.fd, "one", 3), 0);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(file_commit(&o, &e), 0);
    assert_int_equal(file_create(&o, path, &e), 0);
    assert_int_equal(file_write(o.fd, "never", 5), 0);
    file_abort(&o);
    assert_int_equal(file_map(path, &m, &e), 0);
    assert_int_equal(m.len, 3);
    assert_memory_equal(m.data, "one", 3);
    file_unmap(&m);
    assert_int_equal(file_create(&o, path, &e), 0);
    assert_int_equal(file_write(o.fd, "two", 3), 0);
    assert_int_equal(file_commit(&o, &e), 0);
    assert_int_equal(file_map(path, &m, &e), 0);
    assert_memory_equal(m.data, "two", 3);
    file_unmap(&m);
    assert_int_equal(named, 0);
    file_watch(NULL);
    assert_int_equal(file_create(&o, "/dev/full", &e), 0);
    assert_int_equal(file_write(o.fd, "x", 1), MIEN_ERR_SYS);
    assert_int_equal(errno, ENOSPC);
    file_abort(&o);
    unlink(path);
    assert_int_equal(rmdir(dir), 0); /* so no temporary file was left */
    assert_int_equal(file_create(&o, "/no/such/place", &e), MIEN_ERR_SYS);
    assert_non_null(strstr(e.msg, "No such file"));
    char much[300] = {0};
    memset(much, 'x', sizeof much - 1);
    assert_int_equal(file_create(&o, much, &e), MIEN_ERR_SYS);
    assert_non_null(strstr(e.msg, "File name too long"));
    assert_int_equal(file_create(&o, "", &e), MIEN_ERR_ARG);
}

static void put_out(const char *path, const char *text)
{
    struct mien_err e;
    struct file_out o;
    assert_int_equal(file_create(&o, path, &e), 0);
    assert_int_equal(file_write(o.fd, text, strlen(text)), 0);
    assert_int_equal(file_commit(&o, &e), 0);
}

/* What a file is, and where its links lead, outlives its being written anew. */
static void outputs_in_place(void **state)
{
    (void)state;
    char dir[] = "/tmp/mien-test.XXXXXX", file[64], link[64], link2[64], sub[64];
    struct stat st, after;
    assert_non_null(mkdtemp(dir));
    snprintf(file, sizeof file, "%s/sub/file", dir);
    snprintf(link, sizeof link, "%s/link", dir);
    snprintf(link2, sizeof link2, "%s/link2", dir);
    snprintf(sub, sizeof sub, "%s/sub", dir);
    assert_int_equal(mkdir(sub, 0700), 0);
    assert_int_equal(symlink("sub/file", link), 0);
    assert_int_equal(symlink(link, link2), 0);
    put_out(link2, "one"); /* which leads to nothing yet */
    assert_int_equal(lstat(link2, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(lstat(file, &st), 0);
    assert_true(S_ISREG(st.st_mode) && st.st_size == 3);
    assert_int_equal(chmod(file, 0640), 0);
    if (geteuid() == 0)
        assert_int_equal(chown(file, 1234, 4321), 0);
    assert_int_equal(stat(file, &st), 0);
    put_out(link, "three");
    assert_int_equal(stat(file, &after), 0);
    assert_true(after.st_size == 5 && (after.st_mode & 07777) == 0640);
    assert_int_equal(after.st_uid, st.st_uid);
    assert_int_equal(after.st_gid, st.st_gid);
    unlink(link2);
    unlink(link);
    unlink(file);
    assert_int_equal(rmdir(sub), 0);
    assert_int_equal(rmdir(dir), 0);
}

static void count_up(void *ctx, int worker, size_t i)
{
    unsigned char *seen = ctx;
    assert_in_range(worker, 0, 3);
    seen[i]++;
}

static void threads(void **state)
{
    (void)state;
    struct mien_err e;
    unsigned char seen[1000];
    for (int j = 1; j <= 4; j += 3) {
        struct par *p = par_new(j, &e);
        assert_non_null(p);
        memset(seen, 0, sizeof seen);
        for (int round = 0; round < 50; round++)
            par_for(p, sizeof seen, count_up, seen);
        for (size_t i = 0; i < sizeof seen; i++)
            assert_int_equal(seen[i], 50);
        par_free(p);
    }
}

static void aligned_memory(void **state)
{
    (void)state;
    for (size_t n = 0; n < 100; n += 33) {
        unsigned char *p = aligned_zeros(n, 3);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 64, 0);
        for (size_t i = 0; i < 3 * n; i++)
            assert_int_equal(p[i], 0);
        free(p);
    }
    assert_null(aligned_new(SIZE_MAX / 8 + 1, 8)); /* the product is 0 */
    assert_null(aligned_zeros(SIZE_MAX, 1));
}

/* Arrays of an arena, small ones and one of several chunks' size, are apart from each other. */
static void arenas(void **state)
{
    static const size_t sizes[] = {1, 64, 100, 3 << 20, 7, 6 << 20, 20 << 20, 0, 4096};
    enum { N = sizeof sizes / sizeof *sizes };
    struct arena a = {0};
    unsigned char *p[N];
    (void)state;
    assert_null(arena_zeros(&a, SIZE_MAX / 8 + 1, 8));
    assert_null(arena_zeros(&a, SIZE_MAX, 1));
    for (size_t i = 0; i < N; i++) {
        p[i] = arena_zeros(&a, sizes[i], 1);
        assert_non_null(p[i]);
        assert_int_equal((uintptr_t)p[i] % 64, 0);
        for (size_t k = 0; k < sizes[i]; k++)
            assert_true(p[i][k] == 0);
        memset(p[i], (int)i + 1, sizes[i]);
    }
    for (size_t i = 0; i < N; i++) {
        for (size_t k = 0; k < sizes[i]; k++)
            assert_true(p[i][k] == i + 1);
    }
    arena_free(&a);
    arena_free(&a);
}

static char groups[] = "/tmp/mien-test.XXXXXX";

/* Writes a line to a file below the folder of groups, made as it is needed. */
static void put_group(const char *name, const char *line)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", groups, name);
    for (char *s = path + strlen(groups) + 1; (s = strchr(s, '/')) != NULL; s++) {
        *s = '\0';
        mkdir(path, 0700);
        *s = '/';
    }
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fprintf(f, "%s\n", line) > 0);
    assert_int_equal(fclose(f), 0);
}

static int quota(const char *cgroup)
{
    char path[64];
    put_group("cgroup", cgroup);
    snprintf(path, sizeof path, "%s/cgroup", groups);
    return cores_of_quota(path, groups);
}

static void cores(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(groups));
    assert_int_equal(cores_of_quota("/no/such/file", groups), INT_MAX);
    /* Version 2: the least of the groups upwards, rounded up. */
    put_group("a/b/cpu.max", "max 100000");
    assert_int_equal(quota("0::/a/b"), INT_MAX);
    put_group("a/cpu.max", "350000 100000");
    assert_int_equal(quota("0::/a/b"), 4);
    put_group("a/b/cpu.max", "20000 100000");
    assert_int_equal(quota("0::/a/b"), 1);
    assert_int_equal(quota("0::/a"), 4);
    assert_int_equal(quota("0::/a/elsewhere/c"), 4); /* a name from outside of a container */
    assert_int_equal(quota("0::/"), INT_MAX);
    put_group("cpu.max", "200000 100000");
    assert_int_equal(quota("0::/"), 2);
    assert_int_equal(quota("0::/a"), 2);
    /* Version 1, beside it. */
    put_group("cpu/x/cpu.cfs_quota_us", "-1");
    put_group("cpu/x/cpu.cfs_period_us", "100000");
    assert_int_equal(quota("4:cpuset:/x\n3:cpu,cpuacct:/x"), INT_MAX);
    put_group("cpu/x/cpu.cfs_quota_us", "300000");
    assert_int_equal(quota("4:cpuset:/x\n3:cpuacct,cpu:/x/y"), 3);
    assert_int_equal(quota("4:cpuset:/x\n3:cpuacct:/x"), INT_MAX);
    assert_int_equal(quota("3:cpu,cpuacct:/x\n0::/"), 2);
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", groups);
    assert_int_equal(system(command), 0);
    assert_in_range(cores_usable(), 1, 256);
}

static void arrays(void **state)
{
    (void)state;
    size_t cap = 0;
    uint32_t *a = NULL;
    for (uint32_t i = 0; i < 1000; i++) {
        size_t had = cap;
        a = array_grow_zeroed(a, i, &cap, sizeof *a);
        assert_non_null(a);
        assert_true(cap > i);
        for (size_t k = had; k < cap; k++)
            assert_int_equal(a[k], 0);
        a[i] = ~i;
    }
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(a[i], ~i);
    assert_null(array_grow_zeroed(a, SIZE_MAX / 2, &cap, sizeof *a)); /* a stays */
    free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_buffers),   cmocka_unit_test(sip),
        cmocka_unit_test(arrays),          cmocka_unit_test(random_numbers),
        cmocka_unit_test(numbers),         cmocka_unit_test(characters),
        cmocka_unit_test(terminal),        cmocka_unit_test(messages),
        cmocka_unit_test(output_files),    cmocka_unit_test(outputs_in_place),
        cmocka_unit_test(threads),         cmocka_unit_test(cores),
        cmocka_unit_test(printed_numbers), cmocka_unit_test(aligned_memory),
        cmocka_unit_test(arenas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
