/* Tables: quoting, line ends, broken rows, rows larger than any buffer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mien/buf.h"
#include "labels/csv.h"
#include "util/file.h"

/* Opens text as a table of which the first head bytes were read already. */
static struct csv *open_text(const char *s, size_t len, size_t head, int *fd)
{
    struct csv *c;

    *fd = file_temp(NULL);
    assert_true(*fd >= 0);
    assert_int_equal(file_write(*fd, s, len), 0);
    assert_true(lseek(*fd, (off_t)head, SEEK_SET) >= 0);
    c = csv_new(*fd, s, head, 0, NULL);
    assert_non_null(c);
    return c;
}

/* Reads a whole table and writes it as LINE:CELL|CELL; with ! and the line for a broken row. */
static void check(const char *text, const char *want)
{
    size_t len = strlen(text), n;

    for (size_t head = 0; head <= len; head++) {
        const struct csv_cell *cell;
        struct mien_buf got = {0};
        struct mien_err e;
        int fd, rc;
        struct csv *c = open_text(text, len, head, &fd);

        while ((rc = csv_read(c, &cell, &n, &e)) == 1 || rc == MIEN_ERR_FORMAT) {
            mien_buf_printf(&got, "%s%d:", rc == 1 ? "" : "!", (int)csv_line(c));
            for (size_t i = 0; rc == 1 && i < n; i++) {
                assert_int_equal(strlen(cell[i].s), cell[i].len);
                mien_buf_printf(&got, "%s%s", i ? "|" : "", cell[i].s);
            }
            mien_buf_printf(&got, ";");
        }
        assert_int_equal(rc, 0);
        mien_buf_append(&got, "", 1);
        assert_string_equal((char *)got.data, want);
        mien_buf_free(&got);
        csv_free(c);
        close(fd);
    }
}

static void test_rfc4180(void **state)
{
    (void)state;
    check("", "");
    check("a,b\n1,2\n", "1:a|b;2:1|2;");
    check("a,b\r\n1,2", "1:a|b;2:1|2;");
    check("a,b\n\n\r\n,\n", "1:a|b;4:|;");
    check("\xef\xbb\xbf"
          "a\n1",
          "1:a;2:1;");
    check("\"a,\"\"b\"\"\",c\r\n\"x\ny\",\"\"\nz,\"w\"\r\n", "1:a,\"b\"|c;2:x\ny|;4:z|w;");
    check("a,b\n5\" x,it's\n", "1:a|b;2:5\" x|it's;");
    /* A lone CR ends a line, but not within quotes. */
    check("a,b\rx,\"z\r\"\ry,w", "1:a|b;2:x|z\r;3:y|w;");
    check("a,b\r\r\n1,2\r\r\n", "1:a|b;3:1|2;");
}

static void test_separators(void **state)
{
    (void)state;
    check("a;b;c\n1,5;\"x;y\";z\n", "1:a|b|c;2:1,5|x;y|z;");
    check("a.jpg;31,5\nb.jpg;30\n", "1:a.jpg|31,5;2:b.jpg|30;");
    check("b.jpg,25;32,M\n", "1:b.jpg|25;32|M;");
    check("a|b\n1|\"2\"\n", "1:a|b;2:1|2;");
    check("  a  1 \nb 2\n\n c   \"3 4\"  \n", "1:a|1;2:b|2;4:c|3 4;");
    check("a b\nc\n", "1:a b;2:c;"); /* not as many words */
    check("2\r\na  x_1\r\nb.jpg 3\r\nc.jpg 4\r\n", "2:a|x_1;3:b.jpg|3;4:c.jpg|4;");
    check("2\n3\n", "1:2;2:3;");
    check("my file.jpg,3\n", "1:my file.jpg|3;");
}

/* UTF-16, with a mark or without, in both orders. */
static void test_utf16(void **state)
{
    static const char le[] = "\xff\xfe"
                             "a\0,\0\xe4\0\n\0\x3d\xd8\0\xde,\0"
                             "1\0";
    static const char be[] = "\0a\0,\0b\0\n\0\x31\0,\0\xe4";
    const struct {
        const char *text;
        size_t len;
        const char *want[4];
    } cases[] = {{le, sizeof le - 1, {"a", "\u00e4", "\U0001f600", "1"}},
                 {be, sizeof be - 1, {"a", "b", "1", "\u00e4"}}};
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        for (size_t head = 0; head <= cases[k].len; head++) {
            const struct csv_cell *cell;
            struct mien_err e;
            size_t n;
            int fd;
            struct csv *c = open_text(cases[k].text, cases[k].len, head, &fd);
            for (int row = 0; row < 2; row++) {
                assert_int_equal(csv_read(c, &cell, &n, &e), 1);
                assert_int_equal(n, 2);
                assert_string_equal(cell[0].s, cases[k].want[2 * row]);
                assert_string_equal(cell[1].s, cases[k].want[2 * row + 1]);
            }
            assert_int_equal(csv_read(c, &cell, &n, &e), 0);
            csv_free(c);
            close(fd);
        }
    }
}

static void test_tabs(void **state)
{
    (void)state;
    check("a\tb,c\n\"1\t2\"\r\n", "1:a|b,c;2:\"1|2\";");
    check("\"a\tx\",b\n1,2\n", "1:a\tx|b;2:1|2;");
    /* Only the first line decides. */
    check("a,b\n1\t2,3\n", "1:a|b;2:1\t2|3;");
}

static void test_broken(void **state)
{
    (void)state;
    check("a,b\n\"x\"y,1\n2,3\n", "1:a|b;!2:;3:2|3;");
    check("a,b\n1,\"2\n3", "1:a|b;!2:;");
}

/* Rows longer than the buffer, up to the bound and beyond. */
static void test_long(void **state)
{
    const size_t sizes[] = {65534, 65535, 65536, 65537, 500000, 1100000};
    (void)state;
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        const struct csv_cell *cell;
        struct mien_buf b = {0};
        struct mien_err e;
        size_t n;
        int fd;
        struct csv *c;

        assert_int_equal(mien_buf_reserve(&b, sizes[k] + 64), 0);
        memset(b.data, 'x', sizes[k]);
        b.len = sizes[k];
        mien_buf_printf(&b, ",y\r\nz,w\r\n");
        c = open_text((char *)b.data, b.len, 100, &fd);
        if (sizes[k] > 1 << 20) {
            assert_int_equal(csv_read(c, &cell, &n, &e), MIEN_ERR_LIMIT);
            assert_non_null(strstr(e.msg, "line 1:"));
        } else {
            assert_int_equal(csv_read(c, &cell, &n, &e), 1);
            assert_int_equal(n, 2);
            assert_int_equal(cell[0].len, sizes[k]);
            assert_string_equal(cell[1].s, "y");
            assert_int_equal(csv_read(c, &cell, &n, &e), 1);
            assert_string_equal(cell[1].s, "w");
            assert_int_equal(csv_read(c, &cell, &n, &e), 0);
        }
        csv_free(c);
        mien_buf_free(&b);
        close(fd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc4180),    cmocka_unit_test(test_tabs),
        cmocka_unit_test(test_separators), cmocka_unit_test(test_utf16),
        cmocka_unit_test(test_broken),     cmocka_unit_test(test_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
