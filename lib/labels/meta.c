#include "meta.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mat.h"
#include "record/stream.h"
#include "sniff.h"
#include "table.h"
#include "util/file.h"

struct meta {
    const char *name;
    const struct meta_rule *rule;
    /* One of them is the file, the others NULL. */
    struct imdb *imdb;
    struct table *table;
    struct mien_reader *stream;
    uint64_t count, dropped[IMDB_DROPS], outside;
};

int meta_compile(struct meta_rule *r, struct mien_err *e)
{
    r->rule.any_age = r->keep.any_age;
    if (r->rule.names != NULL && !(r->names = names_new(r->rule.names, &r->rule, e)))
        return MIEN_ERR_ARG;
    if (r->rule.file != NULL && !(r->file_names = names_new(r->rule.file, &r->rule, e)))
        return MIEN_ERR_ARG;
    return 0;
}

void meta_rule_free(struct meta_rule *r)
{
    names_free(r->names);
    names_free(r->file_names);
}

/* --- Opening -------------------------------------------------------------------------------- */

/* The labels that the file's own name tells. */
static struct labels base_of(const struct meta *m)
{
    struct labels base;
    labels_init(&base);
    /* A name that tells nothing is no mistake. */
    if (m->rule->file_names != NULL)
        (void)!names_match(m->rule->file_names, m->name, strlen(m->name), &base, NULL);
    return base;
}

static int open_table(struct meta *m, int fd, const void *head, size_t n, struct mien_err *e)
{
    struct labels base = base_of(m);
    m->table = table_new(fd, head, n, &m->rule->rule, m->rule->names, &base, e);
    return m->table == NULL ? MIEN_ERR_FORMAT : 0;
}

static int open_mat(struct meta *m, int fd, const void *head, struct mien_err *e)
{
    struct mat_rows *rows;
    int rc = imdb_read(fd, head, &m->imdb, &rows, e);
    if (rc < 0 || m->imdb != NULL)
        return rc;
    struct labels base = base_of(m);
    m->table = table_of_mat(rows, &m->rule->rule, m->rule->names, &base, e);
    return m->table == NULL ? MIEN_ERR_FORMAT : 0;
}

static int open_stream(struct meta *m, int fd, const void *head, size_t n, struct mien_err *e)
{
    if (m->rule->names == NULL && n > 0)
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "these are records; --names labels them by their names");
    /* Where that can be, what was looked at is read again. */
    bool again = n > 0 && lseek(fd, -(off_t)n, SEEK_CUR) >= 0;
    const struct meta_rule *r = m->rule;
    m->stream = r->new_reader != NULL ? r->new_reader(r->ctx, fd, r->limit, e)
                                      : mien_reader_new(fd, r->limit, e);
    if (m->stream == NULL)
        return MIEN_ERR_SYS;
    if (!again)
        reader_begin_with(m->stream, head, n);
    return 0;
}

static int open_any(struct meta *m, int fd, struct mien_err *e)
{
    unsigned char head[MAT_HEAD];
    ssize_t n = file_read(fd, head, sizeof head);
    if (n < 0 && errno == EISDIR)
        return mien_err_set(e, MIEN_ERR_FORMAT, "a folder; mien-images reads the images in it");
    if (n < 0)
        return mien_err_sys(e, "cannot read");
    int mat = mat_sniff(head, (size_t)n, e);
    if (mat < 0)
        return mat;
    if (mat > 0)
        return open_mat(m, fd, head, e);
    if (n == 0 && m->rule->names == NULL)
        return mien_err_set(e, MIEN_ERR_FORMAT, "the input is empty");
    if (n == 0 || (n >= 4 && !memcmp(head, "MIEN", 4)))
        return open_stream(m, fd, head, (size_t)n, e);
    const char *other = sniff_other(head, (size_t)n);
    if (other != NULL)
        return mien_err_set(e, MIEN_ERR_FORMAT, "%s", other);
    return open_table(m, fd, head, (size_t)n, e);
}

struct meta *meta_open(int fd, const char *name, const struct meta_rule *rule, struct mien_err *e)
{
    struct meta *m = calloc(1, sizeof *m);
    if (m == NULL) {
        mien_err_mem(e, sizeof *m, "a reader of labels");
        return NULL;
    }
    m->name = name;
    m->rule = rule;
    if (open_any(m, fd, e) < 0) {
        meta_close(m);
        return NULL;
    }
    return m;
}

void meta_close(struct meta *m)
{
    if (m == NULL)
        return;
    imdb_free(m->imdb);
    table_free(m->table);
    mien_reader_free(m->stream);
    free(m);
}

/* --- Records -------------------------------------------------------------------------------- */

static int next_imdb(struct meta *m, struct mien_rec *r, struct mien_err *e)
{
    while (m->count < imdb_count(m->imdb)) {
        struct labels l;
        imdb_labels(m->imdb, m->count++, &l);
        enum imdb_drop why = imdb_judge(&m->rule->keep, &l);
        m->dropped[why]++;
        if (why != IMDB_KEEP)
            continue;
        mien_rec_clear(r);
        if (l.id.len == 0)
            return mien_err_set(e, MIEN_ERR_FORMAT, "entry %llu: no path",
                                (unsigned long long)m->count);
        return labels_to_rec(&l, r) < 0 ? mien_err_mem(e, l.id.len, "a record") : 1;
    }
    return 0;
}

static int next_row(struct meta *m, struct mien_rec *r, struct mien_err *e)
{
    int rc = table_next(m->table, r, e);
    m->count += rc != 0;
    return rc;
}

/* Sets the labels of a record from its id. A name that doesn't match is not the image's fault: its
   record is passed on as it came. */
static int next_named(struct meta *m, struct mien_rec *r, struct mien_err *e)
{
    for (;;) {
        int rc = mien_read(m->stream, r, e);
        if (rc <= 0) /* what is broken ends the reading */
            return rc == MIEN_ERR_FORMAT ? MIEN_ERR_LIMIT : rc;
        m->count++;
        struct labels l;
        size_t len = 0;
        const char *id = mien_rec_text(r, MIEN_TAG_ID, &len);
        if (mien_rec_has(r, MIEN_TAG_ERROR))
            return 1;
        labels_init(&l);
        if (names_match(m->rule->names, id != NULL ? id : "", len, &l, e) < 0)
            return MIEN_ERR_FORMAT;
        if (!m->rule->keep.any_age && labels_age_outside(&l)) {
            m->outside++;
            continue;
        }
        return labels_to_rec(&l, r) < 0 ? mien_err_mem(e, len, "a record") : 1;
    }
}

int meta_next(struct meta *m, struct mien_rec *r, struct mien_err *e)
{
    return m->imdb != NULL    ? next_imdb(m, r, e)
           : m->table != NULL ? next_row(m, r, e)
                              : next_named(m, r, e);
}

bool meta_is_stream(const struct meta *m)
{
    return m->stream != NULL;
}

uint64_t meta_count(const struct meta *m)
{
    return m->count;
}

const struct mien_reader *meta_stream(const struct meta *m)
{
    return m->stream;
}

uint64_t meta_bytes(const struct meta *m)
{
    return m->stream != NULL ? mien_reader_bytes(m->stream) : 0;
}

/* --- What is said --------------------------------------------------------------------------- */

const char *meta_ignored(const struct meta *m)
{
    return m->table != NULL ? table_ignored(m->table) : "";
}

static int imdb_summary(const struct meta *m, struct mien_buf *out)
{
    static const char *const why[IMDB_DROPS] = {NULL, "face score too low", "a second face",
                                                "age not 0-100", "gender unknown"};
    unsigned long long left = imdb_count(m->imdb);
    int rc = mien_buf_printf(out, "%s: %llu entries\n", m->name, left);
    for (int i = IMDB_SCORE; i < IMDB_DROPS; i++) {
        left -= m->dropped[i];
        rc |= mien_buf_printf(out, "  %-18s %8llu dropped %8llu left\n", why[i],
                              (unsigned long long)m->dropped[i], left);
    }
    return rc;
}

int meta_summary(const struct meta *m, uint64_t bad, struct mien_buf *out)
{
    unsigned long long count = m->count, nbad = bad, outside = m->outside;
    if (m->imdb != NULL)
        return imdb_summary(m, out);
    if (m->table != NULL) {
        unsigned long long repeats = table_repeats(m->table);
        int rc = mien_buf_printf(out, "%s: %llu rows, %llu of them bad", m->name, count, nbad);
        if (repeats > 0)
            rc |= mien_buf_printf(out, ", and %llu repeated", repeats);
        if (table_foreign(m->table) > 0)
            rc |= mien_buf_printf(out,
                                  "; %llu have a path that isn't UTF-8, as of Windows: iconv -f "
                                  "WINDOWS-1252 -t UTF-8 converts that",
                                  (unsigned long long)table_foreign(m->table));
        return rc | mien_buf_printf(out, "\n");
    }
    return mien_buf_printf(out,
                           "%s: %llu records, %llu dropped with an age not 0-100, %llu with a "
                           "name that doesn't match\n",
                           m->name, count, outside, nbad);
}
