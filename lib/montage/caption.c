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

    struct col_value v, w;
    if (col_get(r, COL_PRED_AGE, &v) && col_get(r, COL_PRED_AGE_SD, &w)) {
        snprintf(c->age, sizeof c->age, "%.0f\u00b1%.0f", v.number, w.number);
        c->age_wrong = has_age && fmax(from - v.number, v.number - to) > tolerance;
    } else if (mien_rec_has(r, MIEN_TAG_CONF_AGE)) {
        snprintf(c->age, sizeof c->age, "?");
    }
    if (col_get(r, COL_PRED_GENDER, &v)) {
        int mode = (int)v.number;
        col_get(r, mode == 1 ? COL_P_MALE : COL_P_FEMALE, &w);
        snprintf(c->gender, sizeof c->gender, "%s %.0f%%", letter[mode], 100 * w.number);
        c->gender_wrong = has_gender && mode != gender;
    } else if (mien_rec_has(r, MIEN_TAG_CONF_GENDER)) {
        snprintf(c->gender, sizeof c->gender, "?");
    }
}

size_t caption_photo_id(const char *id, size_t len)
{
    size_t n = len;
    while (n > 0 && len - n < 9 && id[n - 1] >= '0' && id[n - 1] <= '9')
        n--;
    return n < len && n > 0 && id[n - 1] == '#' ? n - 1 : len;
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
    line |= !numbered;
    rc |= say(t, c->age_wrong ? SHEET_WRONG : SHEET_PLAIN, &line, c->age);
    rc |= say(t, c->gender_wrong ? SHEET_WRONG : SHEET_PLAIN, &line, c->gender);
    return rc < 0 ? MIEN_ERR_MEM : 0;
}
