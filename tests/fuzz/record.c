/* Record streams: read as a filter reads them, and behind damage; every record as text and JSON,
   counted, copied, and written again. */
#include "fuzz.h"

#include "mien/record.h"
#include "record/census.h"
#include "record/col.h"
#include "record/text.h"
#include "util/bytes.h"

#include <zlib.h>

enum { LIMIT = 1 << 16, HEADER = 16 };

/* Where a record goes; what it becomes doesn't matter, but that it can be looked at does. */
struct sink {
    struct census census;
    struct mien_buf text;
    struct mien_rec copy;
    uint64_t count;
};

static struct mien_writer *writer; /* to nowhere */

static void look(struct sink *s, const struct mien_rec *r)
{
    struct mien_err e;
    struct column cols[64];
    mien_buf_clear(&s->text);
    size_t n = col_defaults(r, cols, 64);
    FUZZ_CHECK(n <= 64 && text_header(&s->text, cols, n) == 0);
    FUZZ_CHECK(text_tsv(&s->text, r, cols, n) == 0);
    FUZZ_CHECK(text_json(&s->text, r, NULL, 0, true) == 0);
    FUZZ_CHECK(census_add(&s->census, r, &e) != MIEN_ERR_MEM);
    FUZZ_CHECK(mien_rec_copy(&s->copy, r) == 0);
    mien_rec_fail(&s->copy, "a test");
    FUZZ_CHECK(mien_write(writer, r, &e) == 0 && mien_write(writer, &s->copy, &e) == 0);
    s->count++;
}

/* Reads everything. Returns how many records there were. */
static uint64_t read_all(const uint8_t *data, size_t size, bool resync)
{
    struct mien_err e = {{0}};
    struct mien_rec r = {0};
    struct sink s = {0};
    if (writer == NULL)
        writer = mien_writer_new(open("/dev/null", O_WRONLY), &e);
    struct mien_reader *rd = mien_reader_new(fuzz_fd(data, size), LIMIT, &e);
    FUZZ_CHECK(rd != NULL && writer != NULL);
    if (resync)
        mien_reader_resync(rd);
    int rc;
    size_t failures = 0;
    while ((rc = mien_read(rd, &r, &e)) > 0 || (resync && rc == MIEN_ERR_FORMAT)) {
        if (rc > 0)
            look(&s, &r);
        else
            FUZZ_CHECK(++failures <= size + 1);
    }
    if (rc < 0)
        fuzz_error(rc, &e);
    FUZZ_CHECK(mien_reader_count(rd) == s.count);
    FUZZ_CHECK(mien_reader_bytes(rd) <= size && mien_reader_skipped(rd) <= size);
    FUZZ_CHECK(rc < 0 || mien_reader_bytes(rd) == size);
    mien_buf_clear(&s.text);
    FUZZ_CHECK(census_table(&s.census, &s.text) == 0);
    mien_reader_free(rd);
    census_free(&s.census);
    mien_buf_free(&s.text);
    mien_rec_free(&s.copy);
    mien_rec_free(&r);
    return s.count;
}

/* Reads a part of it, which must be whole segments. Returns how many records there were. */
static uint64_t read_range(const uint8_t *data, size_t size, uint64_t offset, uint64_t bytes)
{
    struct mien_err e = {{0}};
    struct mien_rec r = {0};
    struct mien_reader *rd = mien_reader_new(fuzz_fd(data, size), LIMIT, &e);
    FUZZ_CHECK(rd != NULL && mien_reader_range(rd, offset, bytes, &e) == 0);
    int rc;
    while ((rc = mien_read(rd, &r, &e)) > 0)
        ;
    if (rc < 0)
        fuzz_error(rc, &e);
    uint64_t n = mien_reader_count(rd);
    FUZZ_CHECK(mien_reader_bytes(rd) <= bytes);
    mien_reader_free(rd);
    mien_rec_free(&r);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t n = read_all(data, size, false);
    FUZZ_CHECK(read_range(data, size, 0, size) == n);
    uint64_t from = size > 0 ? crc32(0, data, (uInt)size) % size : 0;
    FUZZ_CHECK(read_range(data, size, from, size) <= size && read_range(data, size, 0, from) <= n);
    FUZZ_CHECK(read_all(data, size, true) >= n);
    return 0;
}

#ifdef MIEN_FUZZ
/* Altered records mostly have a right length and checksum, else no field would ever be read. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    size = LLVMFuzzerMutate(data, size, max);
    if (seed % 8 == 0)
        return size;
    for (size_t at = 0, len; size - at >= HEADER; at += HEADER + len) {
        uint8_t *head = data + at;
        if (seed % 3 != 0) {
            memcpy(head, "MIEN\1", 5);
            head[5] &= 1;
        }
        len = get_le32(head + 8);
        if (len > size - at - HEADER) {
            len = size - at - HEADER;
            put_le32(head + 8, (uint32_t)len);
        }
        put_le32(head + 12, (uint32_t)crc32(crc32(0, head, 12), head + HEADER, (uInt)len));
    }
    return size;
}
#endif
