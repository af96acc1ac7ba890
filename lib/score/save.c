/*
 * Saved scores: lines of text of a word and its values, separated by tabs, in this order.
 *
 *     mien-score  1
 *     rule        0  18  25               enum score_point, over, challenge
 *     bins        0  10  20  ...          the youngest age of each
 *     by          group,gender            as --by takes it; nothing without
 *     records     8 numbers               in the order of struct score_run
 *     confusion   nbins x nbins numbers   label by label; and the other tables of all records
 *     ...
 *     total                               then, of all records:
 *     gender      4 numbers               label by label
 *     count       i  sum  units  n ...    enum score_count, and its histogram; a line for each
 *     slice       White, 20-29            then the same of that slice; for each of them
 *     end
 *
 * Zeros at the end of a line are left out. In a slice's name, control characters and % are %XX.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "record/col.h"

#define LARGEST ((uint64_t)1 << 48) /* so that sums of many fit */

/* --- Writing ------------------------------------------------------------------------------- */

/* Without the zeros at the end. */
static int put_numbers(struct mien_buf *out, const uint64_t *n, size_t len)
{
    int rc = 0;
    while (len > 0 && n[len - 1] == 0)
        len--;
    for (size_t i = 0; i < len; i++)
        rc |= mien_buf_printf(out, "\t%" PRIu64, n[i]);
    return rc;
}

static int put_score(const struct score *s, struct mien_buf *out)
{
    int rc = mien_buf_printf(out, "gender");
    rc |= put_numbers(out, &s->gender[0][0], MIEN_GENDERS * MIEN_GENDERS);
    for (int i = 0; i < SCORE_COUNTS; i++) {
        const struct score_histogram *h = &s->count[i];
        rc |= mien_buf_printf(out, "\ncount\t%d\t%" PRId64 "\t%" PRId64, i, h->sum.whole,
                              h->sum.units);
        rc |= put_numbers(out, h->n, h->len);
    }
    return rc | mien_buf_append(out, "\n", 1);
}

static int put_name(const struct score_slice *s, struct mien_buf *out)
{
    int rc = mien_buf_printf(out, "slice\t");
    for (size_t i = 0; i < s->len; i++) {
        unsigned char c = (unsigned char)s->name[i];
        rc |= c < ' ' || c == '%' || c == 127 ? mien_buf_printf(out, "%%%02X", c)
                                              : mien_buf_append(out, &c, 1);
    }
    return rc | mien_buf_append(out, "\n", 1);
}

/* The tables of all records, which are numbers that add up. */
struct table {
    const char *word;
    uint64_t *n;
    size_t len;
};
enum { TABLES = 9 };

static void tables_of(struct score_run *run, struct table out[TABLES])
{
    size_t nbins = (size_t)run->rule->nbins;
    const struct table t[TABLES] = {
        {"confusion", run->bins, run->bins != NULL ? nbins * nbins : 0},
        {"genders", run->baseline.gender, MIEN_GENDERS},
        {"ages", run->baseline.age, MIEN_AGES},
        {"binned", run->baseline.bin, MIEN_AGES},
        {"bands", &run->baseline.band[0][0], (size_t)MIEN_AGES * MIEN_AGES},
        {"below", run->assurance.below, MIEN_AGES},
        {"above", run->assurance.above, MIEN_AGES},
        {"checked", run->assurance.n, MIEN_AGES},
        {"passed", run->assurance.passed, MIEN_AGES},
    };
    memcpy(out, t, sizeof t);
}

/* A table of confidences as numbers, which are its bins' and its levels'. */
enum {
    IN_BIN = 4,
    IN_LEVEL = 3,
    CONFIDENCE_NUMBERS = IN_BIN * CONFIDENCE_BINS + IN_LEVEL * CONFIDENCE_LEVELS
};

static void confidence_numbers(const struct confidence *c, uint64_t n[CONFIDENCE_NUMBERS])
{
    for (int i = 0; i < CONFIDENCE_BINS; i++, n += IN_BIN) {
        n[0] = c->bin[i].n;
        n[1] = c->bin[i].right;
        n[2] = (uint64_t)c->bin[i].sum.whole;
        n[3] = (uint64_t)c->bin[i].sum.units;
    }
    for (int i = 0; i < CONFIDENCE_LEVELS; i++, n += IN_LEVEL) {
        n[0] = c->level[i].n;
        n[1] = (uint64_t)c->level[i].loss.whole;
        n[2] = (uint64_t)c->level[i].loss.units;
    }
}

static int put_confidence(const char *word, const struct confidence *c, struct mien_buf *out)
{
    uint64_t n[CONFIDENCE_NUMBERS];
    confidence_numbers(c, n);
    return mien_buf_printf(out, "\n%s", word) | put_numbers(out, n, CONFIDENCE_NUMBERS);
}

/* The keys as score_keys takes them. */
static int put_keys(const struct score_run *run, struct mien_buf *out)
{
    int rc = 0;
    char name[16];
    for (size_t i = 0; i < run->nkeys; i++) {
        const struct column *key = &run->keys[i];
        rc |= i > 0 ? mien_buf_append(out, ",", 1) : 0;
        rc |= key->id == COL_NAMED
                  ? mien_buf_append(out, key->name, key->len)
                  : mien_buf_printf(
                        out, "%s", key->id == (int)SCORE_KEY_BIN ? "bin" : col_name(key->id, name));
    }
    return rc;
}

int score_run_save(struct score_run *run, struct mien_buf *out)
{
    const struct score_rule *rule = run->rule;
    struct table table[TABLES];
    const uint64_t records[] = {run->records,     run->errors, run->bad,      run->no_gender,
                                run->no_p_gender, run->no_age, run->no_p_age, run->several_bins};
    int rc = mien_buf_printf(out, "mien-score\t1\nrule\t%d\t%d\t%d\nbins", (int)rule->point,
                             rule->over, rule->challenge);
    for (int i = 0; i < rule->nbins; i++)
        rc |= mien_buf_printf(out, "\t%d", rule->bin_first[i]);
    rc |= mien_buf_printf(out, "\nby\t");
    rc |= put_keys(run, out);
    rc |= mien_buf_printf(out, "\nrecords");
    rc |= put_numbers(out, records, sizeof records / sizeof *records);
    tables_of(run, table);
    for (int i = 0; i < TABLES; i++)
        rc |= mien_buf_printf(out, "\n%s", table[i].word) |
              put_numbers(out, table[i].n, table[i].len);
    rc |= put_confidence("confident-gender", &run->conf_gender, out) |
          put_confidence("confident-age", &run->conf_age, out);
    rc |= mien_buf_printf(out, "\ntotal\n") | put_score(&run->total, out);
    for (size_t i = 0; i < run->nslice; i++)
        rc |= put_name(&run->slice[i], out) | put_score(&run->slice[i].score, out);
    return (rc | mien_buf_printf(out, "end\n")) < 0 ? MIEN_ERR_MEM : 0;
}

/* --- Reading ------------------------------------------------------------------------------- */

struct lines {
    const char *at, *end; /* at: behind what was read of the line */
    unsigned line;
};

static int malformed(const struct lines *l, struct mien_err *e)
{
    return mien_err_set(e, MIEN_ERR_FORMAT, "line %u isn't one of a saved score", l->line);
}

/* Whether the next line begins with a word; if so what follows is read next. */
static bool begins(struct lines *l, const char *word)
{
    size_t n = strlen(word), left = (size_t)(l->end - l->at);
    if (left <= n || memcmp(l->at, word, n) != 0 || (l->at[n] != '\t' && l->at[n] != '\n'))
        return false;
    l->at += n;
    l->line++;
    return true;
}

/* The next number of the line, none of which is too large. */
static bool number(struct lines *l, uint64_t *out)
{
    uint64_t n = 0;
    if (l->end - l->at < 2 || l->at[0] != '\t' || l->at[1] < '0' || l->at[1] > '9')
        return false;
    for (l->at++; l->at < l->end && *l->at >= '0' && *l->at <= '9' && n < LARGEST; l->at++)
        n = 10 * n + (uint64_t)(*l->at - '0');
    *out = n;
    return n < LARGEST;
}

static bool end_of_line(struct lines *l)
{
    if (l->at == l->end || *l->at != '\n')
        return false;
    l->at++;
    return true;
}

/* The line's numbers, up to len of them; those that aren't there are 0. */
static bool numbers(struct lines *l, uint64_t *n, size_t len)
{
    size_t i = 0;
    while (i < len && number(l, &n[i]))
        i++;
    memset(n + i, 0, (len - i) * sizeof *n);
    return end_of_line(l);
}

static bool sum(struct lines *l, struct score_sum *out)
{
    bool minus = l->end - l->at > 2 && l->at[0] == '\t' && l->at[1] == '-';
    uint64_t n, units;
    if (minus && l->at[2] >= '0' && l->at[2] <= '9') {
        n = 0;
        for (l->at += 2; l->at < l->end && *l->at >= '0' && *l->at <= '9' && n < LARGEST; l->at++)
            n = 10 * n + (uint64_t)(*l->at - '0');
    } else if (!number(l, &n)) {
        return false;
    }
    if (n >= LARGEST || !number(l, &units) || units >= (uint64_t)SCORE_SUM_UNITS)
        return false;
    *out = (struct score_sum){minus ? -(int64_t)n : (int64_t)n, (int64_t)units};
    return true;
}

/* The text up to the end of the line. */
static bool rest(struct lines *l, const char **text, size_t *len)
{
    const char *end = memchr(l->at, '\n', (size_t)(l->end - l->at));
    if (end == NULL || *l->at != '\t')
        return false;
    *text = l->at + 1;
    *len = (size_t)(end - l->at - 1);
    l->at = end + 1;
    return true;
}

static bool read_bins(struct lines *l, struct score_rule *rule)
{
    char text[8 * MIEN_AGES] = "";
    uint64_t n;
    size_t len = 0;
    while (number(l, &n)) {
        if (n >= MIEN_AGES || len > sizeof text - 8)
            return false;
        len += (size_t)snprintf(text + len, 8, "%s%d", len > 0 ? "," : "", (int)n);
    }
    return end_of_line(l) && score_bins(rule, text, NULL) == 0;
}

static int read_head(struct lines *l, struct score_rule *rule, char by[SCORE_BY],
                     struct mien_err *e)
{
    uint64_t version, n[3];
    const char *text;
    size_t len;
    if (!begins(l, "mien-score"))
        return mien_err_set(e, MIEN_ERR_FORMAT, "this is not a saved score");
    if (!numbers(l, &version, 1) || version != 1)
        return mien_err_set(e, MIEN_ERR_FORMAT, "a score saved by another version");
    if (!begins(l, "rule") || !numbers(l, n, 3) || n[0] > SCORE_MODE || n[1] > MIEN_AGE_MAX ||
        n[2] > MIEN_AGE_MAX || !begins(l, "bins") || !read_bins(l, rule) || !begins(l, "by") ||
        !rest(l, &text, &len) || len >= SCORE_BY)
        return malformed(l, e);
    rule->point = (enum score_point)n[0];
    rule->over = (int)n[1];
    rule->challenge = (int)n[2];
    snprintf(by, SCORE_BY, "%.*s", (int)len, text);
    return 0;
}

int score_saved_rule(const void *text, size_t len, struct score_rule *rule, char by[SCORE_BY],
                     struct mien_err *e)
{
    struct lines l = {text, (const char *)text + len, 0};
    return read_head(&l, rule, by, e);
}

/* A histogram's line, behind its word. */
static int read_count(struct lines *l, struct score *s, struct mien_err *e)
{
    enum { LONGEST = 2000 }; /* tenths of a year, and more */
    uint64_t i, n[LONGEST];
    size_t len = 0;
    if (!number(l, &i) || i >= SCORE_COUNTS)
        return malformed(l, e);
    struct score_histogram h = {.n = n};
    if (!sum(l, &h.sum))
        return malformed(l, e);
    while (len < LONGEST && number(l, &n[len]))
        h.total += n[len++];
    if (!end_of_line(l) || s->count[i].total > UINT64_MAX / 4)
        return malformed(l, e);
    h.len = len;
    struct score one = {.count = {{0}}};
    one.count[i] = h;
    return score_merge(s, &one) < 0 ? mien_err_mem(e, sizeof n, "a score") : 0;
}

static int read_score(struct lines *l, struct score *s, struct mien_err *e)
{
    struct score one = {.count = {{0}}};
    if (!begins(l, "gender") || !numbers(l, &one.gender[0][0], MIEN_GENDERS * MIEN_GENDERS))
        return malformed(l, e);
    int rc = score_merge(s, &one);
    while (rc == 0 && begins(l, "count"))
        rc = read_count(l, s, e);
    return rc;
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* A slice's name into the run's scratch. */
static int read_name(struct lines *l, struct mien_buf *name, struct mien_err *e)
{
    const char *text;
    size_t len;
    if (!rest(l, &text, &len))
        return malformed(l, e);
    mien_buf_clear(name);
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '%') {
            int high = i + 2 < len ? hex(text[i + 1]) : -1, low = high >= 0 ? hex(text[i + 2]) : -1;
            if (low < 0)
                return malformed(l, e);
            c = (char)(16 * high + low);
            i += 2;
        }
        if (mien_buf_append(name, &c, 1) < 0)
            return mien_err_mem(e, len, "a slice");
    }
    return 0;
}

static bool same_rule(struct score_run *run, const struct score_rule *rule, const char *by)
{
    mien_buf_clear(&run->name);
    return rule->point == run->rule->point && rule->over == run->rule->over &&
           rule->challenge == run->rule->challenge && rule->nbins == run->rule->nbins &&
           memcmp(rule->bin_of, run->rule->bin_of, sizeof rule->bin_of) == 0 &&
           put_keys(run, &run->name) == 0 && run->name.len == strlen(by) &&
           (*by == '\0' || memcmp(run->name.data, by, run->name.len) == 0);
}

static int read_confidence(struct lines *l, const char *word, struct confidence *c,
                           struct mien_err *e)
{
    uint64_t all[CONFIDENCE_NUMBERS], *n = all;
    if (!begins(l, word) || !numbers(l, all, CONFIDENCE_NUMBERS))
        return malformed(l, e);
    for (int i = 0; i < CONFIDENCE_BINS; i++, n += IN_BIN) {
        if (n[3] >= (uint64_t)SCORE_SUM_UNITS)
            return malformed(l, e);
        c->bin[i].n += n[0];
        c->bin[i].right += n[1];
        score_sum_merge(&c->bin[i].sum, (struct score_sum){(int64_t)n[2], (int64_t)n[3]});
        c->n += n[0];
    }
    for (int i = 0; i < CONFIDENCE_LEVELS; i++, n += IN_LEVEL) {
        if (n[2] >= (uint64_t)SCORE_SUM_UNITS)
            return malformed(l, e);
        c->level[i].n += n[0];
        score_sum_merge(&c->level[i].loss, (struct score_sum){(int64_t)n[1], (int64_t)n[2]});
    }
    return 0;
}

/* What there is of all records but their score. */
static int read_tables(struct lines *l, struct score_run *run, struct mien_err *e)
{
    uint64_t *const to[] = {&run->records,     &run->errors, &run->bad,      &run->no_gender,
                            &run->no_p_gender, &run->no_age, &run->no_p_age, &run->several_bins};
    enum { N = sizeof to / sizeof *to };
    uint64_t n[MIEN_AGES * MIEN_AGES];
    struct table table[TABLES];
    size_t nbins = (size_t)run->rule->nbins;
    if (run->bins == NULL && (run->bins = calloc(nbins * nbins, sizeof *run->bins)) == NULL)
        return mien_err_mem(e, nbins * nbins * sizeof *run->bins, "a confusion matrix");
    if (!begins(l, "records") || !numbers(l, n, N))
        return malformed(l, e);
    for (size_t i = 0; i < N; i++)
        *to[i] += n[i];
    tables_of(run, table);
    for (int t = 0; t < TABLES; t++) {
        if (!begins(l, table[t].word) || !numbers(l, n, table[t].len))
            return malformed(l, e);
        for (size_t i = 0; i < table[t].len; i++)
            table[t].n[i] += n[i];
    }
    int rc = read_confidence(l, "confident-gender", &run->conf_gender, e);
    return rc < 0 ? rc : read_confidence(l, "confident-age", &run->conf_age, e);
}

int score_run_load(struct score_run *run, const void *text, size_t len, struct mien_err *e)
{
    struct lines l = {text, (const char *)text + len, 0};
    struct score_rule rule = {0};
    char by[SCORE_BY];
    int rc = read_head(&l, &rule, by, e);
    if (rc == 0 && !same_rule(run, &rule, by))
        rc = mien_err_set(e, MIEN_ERR_FORMAT,
                          "saved with another --point, --bins, --over, --challenge or --by");
    if (rc == 0)
        rc = read_tables(&l, run, e);
    if (rc == 0 && (!begins(&l, "total") || !end_of_line(&l)))
        rc = malformed(&l, e);
    if (rc == 0)
        rc = read_score(&l, &run->total, e);
    while (rc == 0 && begins(&l, "slice")) {
        rc = read_name(&l, &run->name, e);
        long long i =
            rc == 0 ? score_run_slice(run, (const char *)run->name.data, run->name.len) : 0;
        if (i < 0)
            rc = mien_err_mem(e, run->name.len, "a slice");
        if (rc == 0)
            rc = read_score(&l, &run->slice[i].score, e);
    }
    if (rc == 0 && (!begins(&l, "end") || !end_of_line(&l) || l.at != l.end))
        rc = mien_err_set(e, MIEN_ERR_FORMAT,
                          "the saved score is cut short or damaged after line %u", l.line);
    return rc;
}
