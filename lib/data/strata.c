#include "strata.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/file.h"
#include "util/hash.h"

/* The levels of each label; the last one is that of records without it. */
enum { AGES = 22, GENDERS = 3, GROUPS = 256 };

/* Records are counted by cell, the combination of three levels, by each level alone and in all. */
enum {
    CELLS = AGES * GENDERS * GROUPS,
    OF_AGE = CELLS,
    OF_GENDER = OF_AGE + AGES,
    OF_GROUP = OF_GENDER + GENDERS,
    OF_ALL = OF_GROUP + GROUPS,
    COUNTERS = OF_ALL + 1
};

/* How much more a cell counts than a level: tried on subjects of very different sizes, this keeps
   the cells to a third of the deviation, and all records to within 0.02% of their shares. */
#define CELL_WEIGHT 8

struct member {
    uint64_t key;
    uint32_t record, cell;
};

struct set { /* of one key */
    uint64_t key;
    uint32_t first, n; /* members, when these are sorted by key */
};

struct strata {
    struct strata_by by;
    struct columns_unseen unseen;
    uint64_t group[GROUPS - 1]; /* hashes of the names seen */
    int ngroup;
    struct mien_buf member; /* struct member[] */
    unsigned char *part;    /* of each record; NULL before strata_assign */
};

int strata_by_parse(void *dst, const char *s, struct mien_err *e)
{
    struct strata_by by = {0};
    for (const char *p = s;; p++) {
        size_t n = strcspn(p, ",");
        struct column c = column_of(p, n);
        if (c.id == MIEN_TAG_AGE)
            by.age = true;
        else if (c.id == MIEN_TAG_GENDER)
            by.gender = true;
        else if (c.id == 0 || !(col_forms(c.id) & COL_TEXT))
            return mien_err_set(e, MIEN_ERR_ARG,
                                "'%s' is not a list of age, gender, group and other fields of text",
                                s);
        else if (by.ngroup == STRATA_GROUPS)
            return mien_err_set(e, MIEN_ERR_ARG, "more than %d groups", STRATA_GROUPS);
        else
            by.group[by.ngroup++] = c;
        p += n;
        if (*p == '\0')
            break;
    }
    *(struct strata_by *)dst = by;
    return 0;
}

struct strata *strata_new(struct strata_by by, struct mien_err *e)
{
    struct strata *s = calloc(1, sizeof *s);
    if (s == NULL)
        mien_err_mem(e, sizeof *s, "strata");
    else
        s->by = by;
    if (s != NULL)
        columns_expect(&s->unseen, by.group, by.ngroup);
    return s;
}

void strata_free(struct strata *s)
{
    if (s == NULL)
        return;
    mien_buf_free(&s->member);
    free(s->part);
    free(s);
}

/* --- Adding -------------------------------------------------------------------------------- */

/* The level of the record's groups together, or -1 when there are too many. */
static int group_level(struct strata *s, const struct mien_rec *r)
{
    struct col_value v;
    uint64_t h = 0;
    bool any = false;
    for (size_t k = 0; k < s->by.ngroup; k++) {
        bool has = column_get(r, &s->by.group[k], &v) && (v.forms & COL_TEXT);
        /* Of one alone, as ever, its name's; else in their order. */
        h = has ? hash_bytes(h + k, v.text, v.len) : h + k;
        any |= has;
    }
    if (!any)
        return GROUPS - 1;
    int i = 0;
    while (i < s->ngroup && s->group[i] != h)
        i++;
    if (i == GROUPS - 1)
        return -1;
    s->group[i] = h;
    s->ngroup += i == s->ngroup;
    return i;
}

int strata_add(struct strata *s, uint64_t key, const struct mien_rec *r, struct mien_err *e)
{
    int age = AGES - 1, gender = GENDERS - 1, group = GROUPS - 1;
    double years;
    columns_see(&s->unseen, r);
    if (s->by.age && split_age(r, &years) && years < 5 * (AGES - 1))
        age = (int)(years / 5);
    if (s->by.gender && (!mien_rec_int(r, MIEN_TAG_GENDER, &gender) || gender >= GENDERS))
        gender = GENDERS - 1;
    if (s->by.ngroup > 0 && (group = group_level(s, r)) < 0)
        return mien_err_set(e, MIEN_ERR_LIMIT, "more than %d groups to stratify by", GROUPS - 1);
    size_t n = s->member.len / sizeof(struct member);
    if (n == UINT32_MAX)
        return mien_err_set(e, MIEN_ERR_LIMIT, "more than %u records to stratify", UINT32_MAX);
    struct member m = {key, (uint32_t)n, (uint32_t)((age * GENDERS + gender) * GROUPS + group)};
    return mien_buf_append(&s->member, &m, sizeof m) < 0 ? mien_err_mem(e, s->member.len, "strata")
                                                         : 0;
}

/* Adds the records of a stream and, unless keep is NULL, writes all of it there. */
static int add_all(struct strata *s, enum split_by by, uint64_t seed, struct mien_reader *rd,
                   struct mien_writer *keep, struct mien_err *e)
{
    struct mien_rec r = {0};
    struct mien_err why;
    uint64_t key;
    int rc;
    while ((rc = mien_read(rd, &r, e)) > 0) {
        if (split_key(&r, by, seed, &key, &why) >= 0 && (rc = strata_add(s, key, &r, e)) < 0)
            goto out;
        if (keep != NULL && (rc = mien_write(keep, &r, &why)) < 0)
            goto not_kept;
    }
    if (rc < 0 || keep == NULL || (rc = mien_writer_end(keep, &why)) == 0)
        goto out;
not_kept:
    mien_err_set(e, rc, "a temporary file: %s", why.msg);
out:
    mien_rec_free(&r);
    return rc;
}

int strata_survey(struct strata *s, enum split_by by, uint64_t seed, int fd, size_t limit,
                  struct mien_err *e)
{
    off_t start = lseek(fd, 0, SEEK_CUR);
    int again = start >= 0 ? fd : file_temp(e);
    if (again < 0)
        return again;
    struct mien_writer *keep = NULL;
    struct mien_reader *rd = mien_reader_new(fd, limit, e);
    int rc = MIEN_ERR_MEM;
    if (rd == NULL || (again != fd && (keep = mien_writer_new(again, e)) == NULL))
        goto out;
    rc = add_all(s, by, seed, rd, keep, e);
    struct mien_err why;
    if (rc == 0 && s->member.len > 0 && (rc = columns_seen(&s->unseen, &why)) < 0)
        mien_err_set(e, rc, "--stratify: %s", why.msg);
    if (rc < 0)
        goto out;
    if (lseek(again, again == fd ? start : 0, SEEK_SET) < 0)
        rc = mien_err_sys(e, "cannot rewind to the first record");
out:
    mien_reader_free(rd);
    mien_writer_free(keep);
    if (rc < 0 && again != fd)
        close(again);
    return rc < 0 ? rc : again;
}

/* --- Assigning ----------------------------------------------------------------------------- */

static int by_key(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->cell > y->cell) - (x->cell < y->cell);
}

static int by_size(const void *a, const void *b)
{
    const struct set *x = a, *y = b;
    if (x->n != y->n)
        return x->n > y->n ? -1 : 1;
    return (x->key > y->key) - (x->key < y->key);
}

/* Finds the sets of n members, sorted by key, and sorts them. Returns their number, or
   MIEN_ERR_MEM. */
static int64_t find_sets(const struct member *m, size_t n, struct mien_buf *sets)
{
    size_t first = 0;
    for (size_t i = 1; i <= n; i++) {
        if (i < n && m[i].key == m[first].key)
            continue;
        struct set x = {m[first].key, (uint32_t)first, (uint32_t)(i - first)};
        if (mien_buf_append(sets, &x, sizeof x) < 0)
            return MIEN_ERR_MEM;
        first = i;
    }
    size_t nset = sets->len / sizeof(struct set);
    if (nset > 0)
        qsort(sets->data, nset, sizeof(struct set), by_size);
    return (int64_t)nset;
}

static void counters_of(uint32_t cell, size_t counter[5])
{
    counter[0] = cell;
    counter[1] = OF_AGE + cell / GROUPS / GENDERS;
    counter[2] = OF_GENDER + cell / GROUPS % GENDERS;
    counter[3] = OF_GROUP + cell % GROUPS;
    counter[4] = OF_ALL;
}

/* Gives a set to a part. ahead[counter][part] is how far the part is ahead of its share of the
   records given out so far, in units of 1/SPLIT_ONE: whole numbers, so that every machine gets the
   same. */
static int assign(const struct split *parts, const struct member *m, size_t n,
                  int64_t (*ahead)[SPLIT_MAX])
{
    double sum[SPLIT_MAX] = {0};
    size_t counter[5];
    for (size_t i = 0; i < n; i++) {
        counters_of(m[i].cell, counter);
        for (int k = 0; k < 5; k++) {
            for (int p = 0; p < parts->n; p++)
                ahead[counter[k]][p] -= parts->upto[p] - (p > 0 ? parts->upto[p - 1] : 0);
        }
    }
    for (size_t i = 0; i < n; i++) {
        counters_of(m[i].cell, counter);
        for (int k = 0; k < 5; k++) {
            for (int p = 0; p < parts->n; p++)
                sum[p] += (double)ahead[counter[k]][p] * (k == 0 ? CELL_WEIGHT : 1);
        }
    }
    int best = 0;
    for (int p = 1; p < parts->n; p++)
        best = sum[p] < sum[best] ? p : best;
    for (size_t i = 0; i < n; i++) {
        counters_of(m[i].cell, counter);
        for (int k = 0; k < 5; k++)
            ahead[counter[k]][best] += SPLIT_ONE;
    }
    return best;
}

int strata_assign(struct strata *s, const struct split *parts, struct mien_err *e)
{
    size_t n = s->member.len / sizeof(struct member);
    struct member *m = (struct member *)(void *)s->member.data;
    struct mien_buf sets = {0};
    int64_t(*ahead)[SPLIT_MAX] = calloc(COUNTERS, sizeof *ahead), nset = MIEN_ERR_MEM;
    s->part = malloc(n > 0 ? n : 1);
    if (n > 0)
        qsort(m, n, sizeof *m, by_key);
    if (ahead != NULL && s->part != NULL)
        nset = find_sets(m, n, &sets);
    const struct set *set = (const struct set *)(const void *)sets.data;
    for (int64_t i = 0; i < nset; i++) {
        int p = assign(parts, m + set[i].first, set[i].n, ahead);
        for (uint32_t k = 0; k < set[i].n; k++)
            s->part[m[set[i].first + k].record] = (unsigned char)p;
    }
    free(ahead);
    mien_buf_free(&sets);
    return nset < 0 ? mien_err_mem(e, n * 17, "strata") : 0;
}

int strata_part(const struct strata *s, uint64_t i)
{
    return s->part != NULL && i < s->member.len / sizeof(struct member) ? s->part[i] : -1;
}
