/* Archives: what a hostile one may cost, and what happens when memory runs out. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "../failing_alloc.h"
#include "data/unarchive.h"
#include "util/bytes.h"

static char path[] = "/tmp/mien-test-archive-XXXXXX";

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

/* A file's header in a tar of the old GNU kind. */
static void tar_header(unsigned char h[512], const char *name, unsigned long size)
{
    unsigned sum = 0;
    memset(h, 0, 512);
    snprintf((char *)h, 100, "%s", name);
    memcpy(h + 100, "0000644\0000000000\0000000000", 24);
    snprintf((char *)h + 124, 12, "%011lo", size);
    memcpy(h + 136, "00000000000\0        0", 21);
    memcpy(h + 257, "ustar  ", 8);
    for (int i = 0; i < 512; i++)
        sum += h[i];
    snprintf((char *)h + 148, 8, "%06o", sum);
}

/* Writes n files of size bytes each, all zeros, as tar.gz. */
static void put_tgz(int n, unsigned long size)
{
    static const unsigned char zeros[1 << 16];
    unsigned char h[512];
    char name[32];
    gzFile z = gzopen(path, "wb1");
    assert_non_null(z);
    for (int i = 0; i < n; i++) {
        snprintf(name, sizeof name, "some/folder/%d.jpg", i);
        tar_header(h, name, size);
        assert_int_equal(gzwrite(z, h, 512), 512);
        for (unsigned long left = (size + 511) / 512 * 512; left > 0;) {
            unsigned k = left < sizeof zeros ? (unsigned)left : (unsigned)sizeof zeros;
            assert_int_equal(gzwrite(z, zeros, k), k);
            left -= k;
        }
    }
    assert_int_equal(gzwrite(z, zeros, 10240), 10240);
    assert_int_equal(gzclose(z), Z_OK);
}

/* Goes through the archive at path, without its files' bytes. *n becomes the files that there are.
   Returns 0 at its end, or a negative code. */
static int go_through(int *n, struct mien_err *e)
{
    unsigned char head[512];
    struct unarchiver *a;
    struct unarchived x;
    *n = 0;
    int fd = open(path, O_RDONLY);
    ssize_t k = read(fd, head, sizeof head);
    int rc = k < 0 ? MIEN_ERR_SYS : unarchive_open(&a, fd, head, (size_t)k, "x", e);
    if (rc > 0) {
        while ((rc = unarchive_next(a, &x, e)) > 0)
            *n += x.type == UNARCHIVED_FILE && x.path != NULL;
        unarchive_free(a);
    }
    close(fd);
    return rc;
}

static void bombs(void **state)
{
    (void)state;
    struct mien_err e;
    int n;
    put_tgz(1, UNARCHIVE_FREE - 20000);
    assert_int_equal(go_through(&n, &e), 0);
    assert_int_equal(n, 1);
    put_tgz(3, UNARCHIVE_FREE / 2); /* some thousand times as long as the file */
    assert_int_equal(go_through(&n, &e), MIEN_ERR_LIMIT);
    assert_string_equal(e.msg, "archive 'x' unpacks to more than 50 times its size, the limit");
    assert_in_range(n, 1, 3);
}

/* A zip file of n entries, which all lie in one place. */
static void put_zip(uint32_t n)
{
    unsigned char local[31] = "PK\3\4\x14", entry[47] = "PK\1\2\x14\0\x14", end[22] = "PK\5\6";
    local[26] = entry[28] = 1; /* a name's bytes */
    local[30] = entry[46] = 'a';
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fwrite(local, 1, sizeof local, f);
    for (uint32_t i = 0; i < n; i++)
        fwrite(entry, 1, sizeof entry, f);
    put_le16(end + 8, (uint16_t)n);
    put_le16(end + 10, (uint16_t)n);
    put_le32(end + 12, n * (uint32_t)sizeof entry);
    put_le32(end + 16, sizeof local);
    fwrite(end, 1, sizeof end, f);
    assert_int_equal(fclose(f), 0);
}

static void directories(void **state)
{
    (void)state;
    struct mien_err e;
    int n;
    put_zip(1000);
    assert_int_equal(go_through(&n, &e), 0);
    assert_in_range(n, 1, 1000);
    put_zip(UNARCHIVE_MAX_ENTRIES + 1000);
    assert_int_equal(go_through(&n, &e), MIEN_ERR_LIMIT);
    assert_non_null(strstr(e.msg, "500000 entries"));
    assert_int_equal(n, 0);
}

/* Whichever allocation fails, all files are found or there is an error. Each has a process of its
   own, which libarchive may end itself. */
static void short_of_memory(void **state)
{
    (void)state;
    put_tgz(5, 1000);
    int status = 0;
    for (long n = 1; FAILING_ALLOC && !(WIFEXITED(status) && WEXITSTATUS(status) == 99); n++) {
        fflush(stdout);
        pid_t child = fork();
        assert_int_not_equal(child, -1);
        if (child == 0) {
            signal(SIGSEGV, SIG_DFL); /* not cmocka's handlers: it crashes in some places, too */
            signal(SIGABRT, SIG_DFL);
            struct mien_err e;
            int files;
            if (freopen("/dev/null", "w", stderr) == NULL)
                _exit(98);
            failing_alloc(n);
            int rc = go_through(&files, &e);
            bool reached = failing_alloc(0);
            _exit(!reached ? 99 : rc < 0 || files == 5 ? 0 : 97);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 97)
            fail_msg("allocation %ld: files are missing without an error", n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bombs),
        cmocka_unit_test(directories),
        cmocka_unit_test(short_of_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
