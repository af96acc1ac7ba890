#include <ctype.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "labels.h"
#include "record/label.h"
#include "words.h"

void labels_init(struct labels *l)
{
    memset(l, 0, sizeof *l);
    l->age = l->band[0] = l->band[1] = l->gender = l->birth.year = l->year = l->taken.year =
        LABEL_UNKNOWN;
    l->score = l->score2 = NAN;
}

bool labels_missing(const char *s, size_t n)
{
    word_trim(&s, &n);
    if (n == 0)
        return true;
    if (n > 12 || isdigit((unsigned char)*s))
        return false; /* most: quickly */
    return word_is_one_of(s, n,
                          "na|n/a|n.a.|nan|none|null|nil|unknown|not known|unk|u|?|<na>|#n/a|"
                          "undefined|unspecified|missing");
}

/* Whether text is -1, or -1.0 and the like. */
static bool is_minus_one(const char *s, size_t n)
{
    size_t i = 2;
    if (n < 2 || s[0] != '-' || s[1] != '1')
        return false;
    if (n > 2 && s[i++] != '.')
        return false;
    while (i < n && s[i] == '0')
        i++;
    return i == n;
}

bool labels_unknown(const char *s, size_t n)
{
    word_trim(&s, &n);
    return labels_missing(s, n) || is_minus_one(s, n);
}

/* Whether text is the code, or within it where that is a range of numbers. */
static bool meets_code(const char *s, size_t n, const char *code, size_t len)
{
    double v, low, high;
    if (len == n && strncasecmp(s, code, n) == 0)
        return true;
    if (!word_to_number(s, n, &v))
        return false;
    if (word_to_number(code, len, &low))
        return v == low;
    for (size_t i = 1; i + 1 < len; i++)
        if (code[i] == '-')
            return word_to_number(code, i, &low) &&
                   word_to_number(code + i + 1, len - i - 1, &high) && v >= low && v <= high;
    return false;
}

static bool meets_codes(const char *s, size_t n, const char *codes)
{
    for (const char *p = codes; p != NULL; p++) {
        size_t len = strcspn(p, ",");
        if (meets_code(s, n, p, len))
            return true;
        p += len;
        if (*p == '\0')
            break;
    }
    return false;
}

int labels_gender(struct labels *l, const char *s, size_t n, const struct label_codes *codes,
                  struct mien_err *e)
{
    word_trim(&s, &n);
    if (meets_codes(s, n, codes->female))
        l->gender = FEMALE;
    else if (meets_codes(s, n, codes->male))
        l->gender = MALE;
    else if (labels_unknown(s, n))
        return 0;
    else if (word_is_one_of(s, n, "female|f|woman|women|girl|females"))
        l->gender = FEMALE;
    else if (word_is_one_of(s, n, "male|m|man|men|boy|males"))
        l->gender = MALE;
    else
        return mien_err_set(e, MIEN_ERR_FORMAT, "unknown gender '%.*s': define it with %s",
                            (int)(n < WORD_MAX ? n : WORD_MAX), s, "--female and --male");
    return 0;
}

void labels_derive_age(struct labels *l)
{
    if (l->age != LABEL_UNKNOWN || l->band[0] != LABEL_UNKNOWN || l->year == LABEL_UNKNOWN ||
        l->birth.year == LABEL_UNKNOWN)
        return;
    bool taken = l->taken.year != LABEL_UNKNOWN;
    int month = taken ? l->taken.month : 7, day = taken ? l->taken.day : 0;
    bool later = l->birth.month > month || (l->birth.month == month && l->birth.day > day);
    l->age = l->year - l->birth.year - later;
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
