/* Ages and bands of ages, as labels.h describes them. */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "labels.h"
#include "words.h"

/* What a text says: an age, or a band. */
struct age_text {
    int age, band[2]; /* LABEL_UNKNOWN for what it isn't */
    bool bare;        /* an age that is a number and nothing more */
};

static int whole(double v, const struct label_ages *how)
{
    return (int)floor(how->round ? v + 0.5 : v);
}

/* Reads a number of years, or one with its unit, and more units behind it: "1 year 6 months". */
static bool years(const char **s, const struct label_ages *how, double *out, bool *unit)
{
    static const struct {
        const char *words;
        double per_year;
    } units[] = {{"years|year|yrs|yr|yo|y", 1},
                 {"months|month|mos|mo", 12},
                 {"weeks|week|wks|wk", 365.25 / 7},
                 {"days|day", 365.25}};
    double sum = 0, v;
    *unit = false;
    for (int i = 0; i < 3; i++) {
        const char *p = *s;
        size_t k = 0;
        if (!word_number(&p, how->decimal_comma, &v))
            break;
        while (k < sizeof units / sizeof *units && !word_accept_one(&p, units[k].words))
            k++;
        /* "2y3m": months, where years have gone before. */
        bool m = k == sizeof units / sizeof *units && *unit && word_accept(&p, "m");
        if (k == sizeof units / sizeof *units && !m) {
            if (*unit)
                break;
            *s = p;
            *out = v;
            return true;
        }
        sum += v / (m ? 12 : units[k].per_year);
        *unit = true;
        *s = p;
        if (word_accept_one(&p, "and |, ") && isdigit((unsigned char)*p))
            *s = p;
    }
    word_accept_one(s, "of age|old");
    *out = sum + 1e-9; /* twelve months are a year */
    return *unit;
}

static bool parse_band(const char **s, const struct label_ages *how, struct age_text *t)
{
    double low, high;
    bool unit;
    bool above = word_accept_one(s, "more than|older than|over|above|at least|>=|>");
    bool upto = !above && word_accept_one(s, "up to|at most|<=");
    bool below = !above && !upto && word_accept_one(s, "less than|younger than|under|below|<");
    bool between = word_accept_one(s, "between |from ");
    if (!years(s, how, &low, &unit))
        return false;
    t->band[0] = whole(low, how);
    t->band[1] = MIEN_AGE_MAX;
    if (above)
        return true;
    if (below || upto) {
        t->band[1] = t->band[0] - below;
        t->band[0] = 0;
        return true;
    }
    if (word_accept_one(s, "or older|or more|or over|or above|and older|and over|and above|and up|"
                           "and more|& over|& older|plus|+"))
        return word_accept_one(s, "years old|years") || true;
    if (word_accept_one(s, "or younger|or less|or under|and younger|and under|and below")) {
        t->band[1] = t->band[0];
        t->band[0] = 0;
        return true;
    }
    if (t->band[0] % 10 == 0 && word_accept(s, "s")) {
        t->band[1] = t->band[0] + 9;
        return true;
    }
    if (word_accept_one(s, "-|,|;|..|~|_|/|:|to |until ") || (between && word_accept(s, "and "))) {
        if (!years(s, how, &high, &unit))
            return false;
        t->band[1] = whole(high, how);
        return true;
    }
    t->age = t->band[0];
    t->band[0] = LABEL_UNKNOWN;
    t->bare = !unit;
    return true;
}

/* Takes the brackets off, and says which ends of the band are not in it: [20, 30) and (20, 30] are
   intervals, while (20, 30) is how Python writes a pair. */
static bool take_brackets(char *p, bool *no_low, bool *no_high)
{
    char *last = p + strlen(p) - 1, open = *p, close = *last;
    if ((open != '(' && open != '[') || (close != ')' && close != ']'))
        return open != '(' && open != '[' && close != ')' && close != ']';
    *no_low = open == '(' && close == ']';
    *no_high = open == '[' && close == ')';
    *p = ' ';
    *last = '\0';
    return true;
}

static bool parse(char *p, const struct label_ages *how, struct age_text *t)
{
    struct label_ages within = *how;
    bool no_low = false, no_high = false;
    if (!take_brackets(p, &no_low, &no_high))
        return false;
    within.decimal_comma = how->decimal_comma && *p != ' ';
    const char *s = p;
    while (word_is_blank(*s))
        s++;
    if (*s == '-') { /* a number: let the caller say that it is out of range */
        double v;
        s++;
        t->age = word_number(&s, true, &v) && *s == '\0' ? (v >= 1 ? -(int)v : -1) : LABEL_UNKNOWN;
        return t->age != LABEL_UNKNOWN;
    }
    if (!parse_band(&s, &within, t) || *s != '\0')
        return false;
    if (t->band[0] == LABEL_UNKNOWN)
        return true;
    t->band[0] += no_low;
    t->band[1] -= no_high;
    if (t->band[1] > MIEN_AGE_MAX)
        t->band[1] = MIEN_AGE_MAX;
    return t->band[0] <= t->band[1];
}

static int unclear(const char *s, size_t n, struct mien_err *e)
{
    return mien_err_set(e, MIEN_ERR_FORMAT,
                        "'%.*s' is neither an age nor a band of ages within 0-%d",
                        (int)(n < WORD_MAX ? n : WORD_MAX), s, MIEN_AGE_MAX);
}

/* A number that stands alone: an age, or that of a class. */
static int take_number(struct labels *l, int v, const struct label_ages *how, struct mien_err *e)
{
    v += how->offset;
    if (how->nclass == 0) {
        l->age = v;
        return 0;
    }
    if (v < 0 || v >= how->nclass)
        return mien_err_set(e, MIEN_ERR_FORMAT, "class %d is not one of the %d of --age-classes", v,
                            how->nclass);
    memcpy(l->band, how->class[v], sizeof l->band);
    return 0;
}

int labels_age(struct labels *l, const char *s, size_t n, const struct label_ages *how,
               struct mien_err *e)
{
    struct age_text t = {.age = LABEL_UNKNOWN, .band = {LABEL_UNKNOWN, LABEL_UNKNOWN}};
    char buf[WORD_MAX];
    word_trim(&s, &n);
    /* Most are a few digits, which need no more looking at. */
    if (n > 0 && n <= 3 && isdigit((unsigned char)s[0]) && isdigit((unsigned char)s[n / 2]) &&
        isdigit((unsigned char)s[n - 1])) {
        int v = 0;
        for (size_t i = 0; i < n; i++)
            v = 10 * v + (s[i] - '0');
        return take_number(l, v, how, e);
    }
    if (labels_unknown(s, n))
        return 0;
    if (!word_plain(s, n, buf) || buf[0] == '\0' || !parse(buf, how, &t))
        return unclear(s, n, e);
    if (t.band[0] != LABEL_UNKNOWN) {
        memcpy(l->band, t.band, sizeof l->band);
        return 0;
    }
    if (t.bare)
        return take_number(l, t.age, how, e);
    l->age = t.age;
    return 0;
}

int labels_months(struct labels *l, const char *s, size_t n, const struct label_ages *how,
                  struct mien_err *e)
{
    char buf[WORD_MAX];
    const char *p = buf;
    double v;
    if (labels_unknown(s, n))
        return 0;
    if (!word_plain(s, n, buf) || !word_number(&p, true, &v) ||
        (word_accept_one(&p, "months|month|mos|mo|m"), *p != '\0'))
        return mien_err_set(e, MIEN_ERR_FORMAT, "'%.*s' is not a number of months",
                            (int)(n < WORD_MAX ? n : WORD_MAX), s);
    l->age = whole(v / 12 + 1e-9, how);
    return 0;
}

int labels_classes(struct label_ages *how, const char *list, struct mien_err *e)
{
    static const struct label_ages plain;
    how->nclass = 0;
    for (const char *s = list;; s++) {
        size_t len = strcspn(s, ",");
        struct labels l;
        labels_init(&l);
        if (how->nclass == LABEL_CLASSES)
            return mien_err_set(e, MIEN_ERR_ARG, "more than %d classes", LABEL_CLASSES);
        int rc = labels_age(&l, s, len, &plain, NULL);
        if (l.band[0] == LABEL_UNKNOWN && labels_age_known(&l))
            l.band[0] = l.band[1] = l.age;
        if (rc < 0 || l.band[0] == LABEL_UNKNOWN)
            return mien_err_set(e, MIEN_ERR_ARG, "'%.*s' is not a band of ages", (int)len, s);
        memcpy(how->class[how->nclass++], l.band, sizeof l.band);
        s += len;
        if (*s == '\0')
            return 0;
    }
}
