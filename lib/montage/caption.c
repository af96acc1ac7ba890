#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "internal.h"
#include "record/col.h"
#include "record/label.h"

static const char *const letter[] = {"F", "M"};

static bool label_gender(const struct mien_rec *r, int *gender)
{
    return mien_rec_int(r, MIEN_TAG_GENDER, gender) && (*gender == 0 || *gender == 1);
}

void caption_of(struct caption *c, const struct mien_rec *r, double tolerance)
{
    *c = (struct caption){0};
    const struct mien_field *box = mien_rec_find(r, MIEN_TAG_BOX);
    if (box != NULL)
        memcpy(c->box, box->data, sizeof c->box);

    c->faceless = mien_rec_faceless(r);

    size_t len;
    const char *id = mien_rec_text(r, MIEN_TAG_ID, &len);
    size_t photo = id == NULL ? 0 : caption_photo_id(id, len);
    if (id != NULL && photo < len)
        snprintf(c->number, sizeof c->number, "%.*s", (int)(len - photo - 1), id + photo + 1);

    int from, to, gender;
    bool has_age = rec_label_ages(r, &from, &to), has_gender = label_gender(r, &gender);
    char age[12] = "";
    if (has_age)
        snprintf(age, sizeof age, from == to ? "%d" : "%d-%d", from, to);
    snprintf(c->label, sizeof c->label, "%s%s%s", age, has_age && has_gender ? " " : "",
             has_gender ? letter[gender] : "");

    struct col_value v, low, high;
    if (col_get(r, COL_PRED_AGE, &v) && col_get(r, COL_PRED_AGE_LOW, &low) &&
        col_get(r, COL_PRED_AGE_HIGH, &high)) {
        snprintf(c->age, sizeof c->age, "%.0f", v.number);
        snprintf(c->interval, sizeof c->interval, "(%.0f-%.0f)", low.number, high.number);
        c->judged = has_age;
        c->age_wrong = has_age && fmax(from - v.number, v.number - to) > tolerance;
    } else if (mien_rec_has(r, MIEN_TAG_CONF_AGE)) {
        snprintf(c->age, sizeof c->age, "?");
    }
    if (col_get(r, COL_PRED_GENDER, &v)) {
        int mode = (int)v.number;
        col_get(r, mode == 1 ? COL_P_MALE : COL_P_FEMALE, &v);
        snprintf(c->gender, sizeof c->gender, "%s", letter[mode]);
        if (v.number > 0.995) /* no guess is certain */
            snprintf(c->sure, sizeof c->sure, ">99%%");
        else
            snprintf(c->sure, sizeof c->sure, "%.0f%%", 100 * v.number);
        c->judged |= has_gender;
        c->gender_wrong = has_gender && mode != gender;
    } else if (mien_rec_has(r, MIEN_TAG_CONF_GENDER)) {
        snprintf(c->gender, sizeof c->gender, "?");
    }
}

bool caption_wrong(const struct caption *c)
{
    return c->age_wrong || c->gender_wrong;
}

size_t caption_photo_id(const char *id, size_t len)
{
    size_t n = len;
    while (n > 0 && len - n < 9 && id[n - 1] >= '0' && id[n - 1] <= '9')
        n--;
    return n < len && n > 0 && id[n - 1] == '#' ? n - 1 : len;
}

int caption_say_words(struct sheet_text *t, enum sheet_ink ink, bool line, const char *s,
                      size_t len)
{
    for (size_t at = 0, n; at < len; at += n + 1) {
        const char *space = memchr(s + at, ' ', len - at);
        n = space != NULL ? (size_t)(space - s) - at : len - at;
        if (sheet_say(t, ink, line && at == 0, s + at, n) < 0)
            return MIEN_ERR_MEM;
    }
    return 0;
}

/* The length of a file's name up to its first extension of an image: that tells nothing. */
static size_t stem(const char *name, size_t len)
{
    static const char *const extensions[] = {".jpg", ".jpeg", ".png", ".webp", ".heic", ".avif"};
    for (size_t i = 1; i < len; i++) {
        for (size_t k = 0; k < sizeof extensions / sizeof extensions[0]; k++) {
            size_t n = strlen(extensions[k]);
            if (n <= len - i && strncasecmp(name + i, extensions[k], n) == 0)
                return i;
        }
    }
    return len;
}

int caption_say_id(struct sheet_text *t, const char *id, size_t len)
{
    size_t photo = caption_photo_id(id, len), from = photo;
    while (from > 0 && id[from - 1] != '/')
        from--;
    if (sheet_say(t, SHEET_FAINT, true, id + from, stem(id + from, photo - from)) < 0)
        return MIEN_ERR_MEM;
    return sheet_lengthen(t, id + photo, len - photo);
}

static int say(struct sheet_text *t, enum sheet_ink ink, bool *line, const char *s)
{
    if (s[0] == '\0')
        return 0;
    int rc = sheet_say(t, ink, *line, s, strlen(s));
    *line = false;
    return rc;
}

/* A face of several takes one line; the only one has its prediction in a line below its label. */
int caption_say(struct sheet_text *t, const struct caption *c, bool numbered)
{
    bool line = true;
    int rc = 0;
    if (numbered) {
        rc |= say(t, SHEET_FAINT, &line, c->number);
        rc |= sheet_lengthen(t, ":", 1);
    }
    rc |= say(t, SHEET_PLAIN, &line, c->label);
    if (numbered && c->label[0] != '\0' && (c->age[0] != '\0' || c->gender[0] != '\0'))
        rc |= sheet_lengthen(t, ",", 1);
    line |= !numbered;
    enum sheet_ink age = c->age_wrong ? SHEET_WRONG : SHEET_PLAIN;
    enum sheet_ink gender = c->gender_wrong ? SHEET_WRONG : SHEET_PLAIN;
    rc |= say(t, age, &line, c->age);
    rc |= say(t, age, &line, c->interval);
    rc |= say(t, gender, &line, c->gender);
    rc |= say(t, gender, &line, c->sure);
    if (c->faceless)
        rc |= caption_say_words(t, SHEET_FAINT, true, "no face", strlen("no face"));
    return rc < 0 ? MIEN_ERR_MEM : 0;
}

/* --- The legend ---------------------------------------------------------------------------- */

void legend_see(struct legend *l, const struct caption *c, bool on_photo)
{
    l->boxes |= on_photo && c->box[2] > c->box[0] && c->box[3] > c->box[1];
    l->labels |= c->label[0] != '\0';
    l->predictions |= c->interval[0] != '\0' || c->sure[0] != '\0';
    l->withheld |= c->age[0] == '?' || c->gender[0] == '?';
    l->judged |= c->judged;
}

static int say_faint(struct sheet_text *t, const char *s)
{
    return caption_say_words(t, SHEET_FAINT, false, s, strlen(s));
}

int legend_say(struct sheet_text *t, const struct legend *l, double tolerance)
{
    static const char square[] = "\u25a0";
    char wrong[80];
    int rc = 0;
    snprintf(wrong, sizeof wrong, "wrong: age off by more than %g years, or the other gender.",
             tolerance);
    if (l->predictions && l->labels)
        rc |= say_faint(t, "First the label, 28 F, then the prediction,");
    if (l->predictions)
        rc |= say_faint(t, "31 (25-38) F 98%: age, its 80% interval, gender and its probability.");
    if (l->withheld)
        rc |= say_faint(t, "?: not sure enough.");
    if (l->boxes) {
        rc |= sheet_say(t, SHEET_BOX, false, square, strlen(square));
        rc |= say_faint(t, "a face.");
    }
    if (l->judged) {
        rc |= sheet_say(t, SHEET_WRONG, false, square, strlen(square));
        rc |= say_faint(t, wrong);
    }
    return rc < 0 ? MIEN_ERR_MEM : 0;
}
