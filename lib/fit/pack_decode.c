#include "pack_decode.h"

#include <stdlib.h>
#include <string.h>

#include "util/num.h"

struct pack_decoder {
    struct cutter *cutter;
    struct rec rec;
};

/* A number of the model's preprocessing; *v stays where it names none. */
static int get_real(const struct prep *p, const char *key, double lo, double hi, double *v,
                    struct err *e)
{
    char text[PREP_MAX];
    struct err cause;
    if (prep_get(p, key, text, sizeof text) == NULL || num_real(text, lo, hi, v, &cause) == 0)
        return 0;
    return err_set(e, ERR_FORMAT, "the preprocessing's %s: %s", key, cause.msg);
}

static int get_filter(const struct prep *p, enum img_filter *f, struct err *e)
{
    char text[PREP_MAX];
    *f = IMG_TRIANGLE;
    if (prep_get(p, "filter", text, sizeof text) == NULL)
        return 0;
    for (*f = IMG_BOX; *f <= IMG_LANCZOS3; ++*f) {
        if (strcmp(text, img_filter_name(*f)) == 0)
            return 0;
    }
    return err_set(e, ERR_FORMAT, "the preprocessing's filter '%s' is not known", text);
}

/* Whether no record has a box: 1 or 0, or ERR_MEM. Most often the first one tells. */
static int without_boxes(const struct pack *p, struct err *e)
{
    struct rec r = {0};
    int rc = 1;
    for (size_t i = 0; rc == 1 && p->record.offset != NULL && i < p->n; i++) {
        int got = pack_record(p, i, &r, e);
        if (got == ERR_MEM)
            rc = got;
        else if (got == 0 && rec_has(&r, TAG_BOX))
            rc = 0;
    }
    rec_free(&r);
    return rc;
}

int pack_decode_plan(struct pack_decode *d, const struct pack *p, const struct prep *model,
                     struct img_hw size, struct err *e)
{
    char crop[PREP_MAX] = "";
    struct cutter_how *how = &d->how;
    *d = (struct pack_decode){.how.size = size};
    how->crop = (struct img_crop){
        .margin = 0.4, .inner = 1, .target = size, .max_bytes = REC_DEFAULT_LIMIT};
    prep_get(model, "crop", crop, sizeof crop);
    if (strcmp(crop, "align") == 0)
        return err_set(e, ERR_FORMAT,
                       "the model wants faces turned by their eyes, which encoded images aren't");
    int whole = strcmp(crop, "whole") == 0 ? 1 : without_boxes(p, e);
    if (whole < 0)
        return whole;
    how->crop.whole = whole;
    if (get_real(model, "margin", 0, 10, &how->crop.margin, e) < 0 ||
        get_real(model, "inner", 0.01, 1, &how->crop.inner, e) < 0 ||
        get_filter(model, &how->filter, e) < 0)
        return ERR_FORMAT;
    return cutter_describe(how, &d->prep) == 0
               ? 0
               : err_set(e, ERR_FORMAT, "the preprocessing's description grows too long");
}

struct pack_decoder *pack_decoder_new(struct err *e)
{
    struct pack_decoder *w = calloc(1, sizeof *w);
    if (w == NULL) {
        err_mem(e, sizeof *w, "a decoder");
        return NULL;
    }
    if ((w->cutter = cutter_new(e)) != NULL)
        return w;
    pack_decoder_free(w);
    return NULL;
}

void pack_decoder_free(struct pack_decoder *w)
{
    if (w == NULL)
        return;
    cutter_free(w->cutter);
    rec_free(&w->rec);
    free(w);
}

/* The record's box, within w->rec; NULL with the reason in e. */
static const float *find_box(const struct pack *p, size_t i, struct pack_decoder *w, int *rc,
                             struct err *e)
{
    *rc = pack_record(p, i, &w->rec, e);
    if (*rc < 0)
        return NULL;
    const struct rec_field *f = rec_find(&w->rec, TAG_BOX);
    if (f == NULL)
        *rc = err_set(e, ERR_FORMAT, "no face box, where other records have one");
    return f != NULL ? f->data : NULL;
}

int pack_decode(const struct pack_decode *d, const struct pack *p, size_t i, struct pack_decoder *w,
                unsigned char *dst, struct err *e)
{
    size_t n;
    int rc = 0;
    const unsigned char *bytes = pack_image(p, i, &n);
    struct cutting t = {.out = dst};
    t.box = d->how.crop.whole ? NULL : find_box(p, i, w, &rc, e);
    if (rc == 0)
        rc = cutter_plan(w->cutter, &d->how, bytes, n, &t, 1, e);
    if (rc == 0)
        rc = cutter_cut(w->cutter, &t, 1, e);
    return rc < 0 || t.rc == 0 ? rc : err_set(e, t.rc, "%s", t.err.msg);
}
