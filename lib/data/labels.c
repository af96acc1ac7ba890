#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "labels.h"
#include "record/label.h"

#define WORD_MAX 64 /* no label is longer */

static const char *const missing_words[] = {"na",   "n/a",     "nan", "none",
                                            "null", "unknown", "u",   "?"};
static const char *const female_words[] = {"female", "f", "woman", "girl"};
static const char *const male_words[] = {"male", "m", "man", "boy"};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

void labels_init(struct labels *l)
{
    memset(l, 0, sizeof *l);
    l->age = l->band[0] = l->band[1] = l->gender = l->birth.year = l->year = LABEL_UNKNOWN;
    l->score = l->score2 = NAN;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static void trim(const char **s, size_t *n)
{
    while (*n > 0 && is_space(**s)) {
        ++*s;
        --*n;
    }
    while (*n > 0 && is_space((*s)[*n - 1]))
        --*n;
}

static bool is_word(const char *s, size_t n, const char *word)
{
    return strlen(word) == n && !strncasecmp(s, word, n);
}

static bool is_one_of(const char *s, size_t n, const char *const *word, size_t words)
{
    for (size_t i = 0; i < words; i++)
        if (is_word(s, n, word[i]))
            return true;
    return false;
}

bool labels_missing(const char *s, size_t n)
{
    trim(&s, &n);
    return n == 0 || is_one_of(s, n, missing_words, COUNT(missing_words));
}

/* Copies trimmed text to buf in lower case, an en dash becoming a hyphen. Returns false when it is
   longer than any label. */
static bool plain(const char *s, size_t n, char buf[WORD_MAX])
{
    size_t len = 0;
    trim(&s, &n);
    for (size_t i = 0; i < n; i++) {
        if (len == WORD_MAX - 1)
            return false;
        if (n - i >= 3 && !memcmp(s + i, "\xe2\x80\x93", 3)) {
            buf[len++] = '-';
            i += 2;
        } else {
            buf[len++] = (char)tolower((unsigned char)s[i]);
        }
    }
    buf[len] = '\0';
    return true;
}

/* Reads a whole number, a fraction being cut off, and moves *s behind it and the spaces after. */
static bool number(const char **s, int *out)
{
    const char *p = *s;
    long v = 0;
    int digits = 0;
    for (; isdigit((unsigned char)*p); p++, digits++)
        if (v < 1000000)
            v = 10 * v + (*p - '0');
    if (*p == '.')
        for (p++; isdigit((unsigned char)*p); p++)
            ;
    if (!digits)
        return false;
    while (is_space(*p))
        p++;
    *s = p;
    *out = (int)v;
    return true;
}

static bool starts(const char **s, const char *word)
{
    size_t n = strlen(word);
    if (strncmp(*s, word, n) != 0)
        return false;
    *s += n;
    while (is_space(**s))
        ++*s;
    return true;
}

static bool parse_age(const char *s, int *age, int band[2])
{
    bool above, below;
    above = starts(&s, "more than") || starts(&s, "over") || starts(&s, ">=") || starts(&s, ">");
    below = !above && (starts(&s, "less than") || starts(&s, "under") || starts(&s, "<"));
    if (!number(&s, &band[0])) {
        if (above || below || !starts(&s, "-") || !number(&s, age) || *s)
            return false;
        *age = *age > 0 ? -*age : -1; /* a number: let the caller say that it is out of range */
        return true;
    }
    if (above) {
        band[1] = MIEN_AGE_MAX;
    } else if (below) {
        band[1] = band[0] - 1;
        band[0] = 0;
    } else if (starts(&s, "+")) {
        band[1] = MIEN_AGE_MAX;
    } else if (starts(&s, "-") || starts(&s, ",") || starts(&s, "to ")) {
        if (!number(&s, &band[1]))
            return false;
    } else {
        *age = band[0];
        band[0] = LABEL_UNKNOWN;
        return *s == '\0';
    }
    if (band[1] > MIEN_AGE_MAX)
        band[1] = MIEN_AGE_MAX;
    return *s == '\0' && band[0] <= band[1];
}

int labels_age(struct labels *l, const char *s, size_t n, struct mien_err *e)
{
    int age = LABEL_UNKNOWN, band[2] = {LABEL_UNKNOWN, LABEL_UNKNOWN};
    char buf[WORD_MAX], *p = buf;
    bool ok;
    if (labels_missing(s, n))
        return 0;
    ok = plain(s, n, buf);
    if (ok && (*p == '(' || *p == '[')) {
        char *last = p + strlen(p) - 1;
        ok = *last == (*p == '(' ? ')' : ']');
        *last = '\0';
        p++;
        while (is_space(*p))
            p++;
    }
    if (!ok || !parse_age(p, &age, band))
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "'%.*s' is neither an age nor a band of ages within 0-%d",
                            (int)(n < WORD_MAX ? n : WORD_MAX), s, MIEN_AGE_MAX);
    if (band[0] == LABEL_UNKNOWN) {
        l->age = age;
    } else {
        l->band[0] = band[0];
        l->band[1] = band[1];
    }
    return 0;
}

int labels_gender(struct labels *l, const char *s, size_t n, const struct label_codes *codes,
                  struct mien_err *e)
{
    trim(&s, &n);
    if (codes->female && is_word(s, n, codes->female))
        l->gender = FEMALE;
    else if (codes->male && is_word(s, n, codes->male))
        l->gender = MALE;
    else if (labels_missing(s, n))
        return 0;
    else if (is_one_of(s, n, female_words, COUNT(female_words)))
        l->gender = FEMALE;
    else if (is_one_of(s, n, male_words, COUNT(male_words)))
        l->gender = MALE;
    else
        return mien_err_set(e, MIEN_ERR_FORMAT, "unknown gender '%.*s': define it with %s",
                            (int)(n < WORD_MAX ? n : WORD_MAX), s, "--female and --male");
    return 0;
}

static int days_of(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

int labels_birth(struct labels *l, const char *s, size_t n, struct mien_err *e)
{
    struct label_date d;
    char buf[WORD_MAX];
    const char *p = buf;
    if (labels_missing(s, n))
        return 0;
    if (!plain(s, n, buf) || !number(&p, &d.year) || !starts(&p, "-") || !number(&p, &d.month) ||
        !starts(&p, "-") || !number(&p, &d.day) || *p || d.year > 9999 || d.month < 1 ||
        d.month > 12 || d.day < 1 || d.day > days_of(d.year, d.month))
        return mien_err_set(e, MIEN_ERR_FORMAT, "'%.*s' is not a date, YYYY-MM-DD",
                            (int)(n < WORD_MAX ? n : WORD_MAX), s);
    l->birth = d;
    return 0;
}

int labels_year(struct labels *l, const char *s, size_t n, struct mien_err *e)
{
    char buf[WORD_MAX];
    const char *p = buf;
    int year;
    if (labels_missing(s, n))
        return 0;
    if (!plain(s, n, buf) || !number(&p, &year) || *p || year > 9999)
        return mien_err_set(e, MIEN_ERR_FORMAT, "'%.*s' is not a year",
                            (int)(n < WORD_MAX ? n : WORD_MAX), s);
    l->year = year;
    return 0;
}

/* The calendar repeats every 146,097 days. Counting years from 1 March puts the leap day at a
   year's end and makes the months' lengths a formula (Hinnant, "chrono-Compatible Low-Level Date
   Algorithms", 2013). */
struct label_date labels_datenum(double days)
{
    struct label_date d = {LABEL_UNKNOWN, 0, 0};
    long z, era, doe, yoe, doy, month;
    if (!(days >= 1 && days < 3652426))
        return d;
    z = (long)days - 61; /* since 1 March of the year 0 */
    era = z >= 0 ? z / 146097 : -1;
    doe = z - era * 146097;
    yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    month = (5 * doy + 2) / 153;
    d.day = (int)(doy - (153 * month + 2) / 5 + 1);
    d.month = (int)(month < 10 ? month + 3 : month - 9);
    d.year = (int)(yoe + era * 400 + (d.month <= 2));
    return d;
}

void labels_derive_age(struct labels *l)
{
    if (l->age != LABEL_UNKNOWN || l->band[0] != LABEL_UNKNOWN || l->year == LABEL_UNKNOWN ||
        l->birth.year == LABEL_UNKNOWN)
        return;
    l->age = l->year - l->birth.year - (l->birth.month >= 7);
}

bool labels_age_known(const struct labels *l)
{
    return l->age >= 0 && l->age <= MIEN_AGE_MAX;
}

bool labels_age_outside(const struct labels *l)
{
    return l->age != LABEL_UNKNOWN && !labels_age_known(l);
}

static int set_text(struct mien_rec *r, int tag, struct label_text t)
{
    return t.s ? mien_rec_set_text(r, tag, t.s, t.len) : 0;
}

static int set_real(struct mien_rec *r, int tag, float v)
{
    return isnan(v) ? 0 : mien_rec_set_f32(r, tag, v);
}

/* Writes YYYY-MM-DD: snprintf would take a third of the time of a large .mat file. */
static int set_birth(struct mien_rec *r, struct label_date d)
{
    char s[10] = {(char)('0' + d.year / 1000 % 10),
                  (char)('0' + d.year / 100 % 10),
                  (char)('0' + d.year / 10 % 10),
                  (char)('0' + d.year % 10),
                  '-',
                  (char)('0' + d.month / 10),
                  (char)('0' + d.month % 10),
                  '-',
                  (char)('0' + d.day / 10),
                  (char)('0' + d.day % 10)};
    return mien_rec_set_text(r, MIEN_TAG_BIRTH, s, sizeof s);
}

int labels_to_rec(const struct labels *l, struct mien_rec *r)
{
    int rc = 0;
    rc |= set_text(r, MIEN_TAG_ID, l->id);
    rc |= set_text(r, MIEN_TAG_SUBJECT, l->subject);
    if (labels_age_known(l))
        rc |= mien_rec_set_u8(r, MIEN_TAG_AGE, l->age);
    if (l->band[0] != LABEL_UNKNOWN)
        rc |= rec_set_age_band(r, l->band[0], l->band[1]);
    if (l->gender != LABEL_UNKNOWN)
        rc |= mien_rec_set_u8(r, MIEN_TAG_GENDER, l->gender);
    rc |= set_text(r, MIEN_TAG_GROUP, l->group);
    if (l->birth.year != LABEL_UNKNOWN)
        rc |= set_birth(r, l->birth);
    if (l->year != LABEL_UNKNOWN)
        rc |= mien_rec_set_i32(r, MIEN_TAG_YEAR, l->year);
    if (l->has_box)
        rc |= mien_rec_set_f32v(r, MIEN_TAG_BOX, l->box, 4);
    rc |= set_real(r, MIEN_TAG_SCORE, l->score);
    rc |= set_real(r, MIEN_TAG_SCORE2, l->score2);
    rc |= set_text(r, MIEN_TAG_SPLIT, l->split);
    return rc ? MIEN_ERR_MEM : 0;
}
