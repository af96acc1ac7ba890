#include "pack_decode.h"

#include <stdlib.h>
#include <string.h>

#include "util/num.h"

struct pack_decoder {
    struct mien_cutter *cutter;
    struct mien_rec rec;
};

/* A number of the model's preprocessing; *v stays where it names none. */
static int get_real(const struct mien_prep *p, const char *key, double lo, double hi, double *v,
                    struct mien_err *e)
{
    char text[MIEN_PREP_MAX];
    struct mien_err cause;
    if (mien_prep_get(p, key, text, sizeof text) == NULL || num_real(text, lo, hi, v, &cause) == 0)
        return 0;
    return mien_err_set(e, MIEN_ERR_FORMAT, "the preprocessing's %s: %s", key, cause.msg);
}

static int get_filter(const struct mien_prep *p, enum mien_resampling *f, struct mien_err *e)
{
    char text[MIEN_PREP_MAX];
    *f = MIEN_TRIANGLE;
    if (mien_prep_get(p, "filter", text, sizeof text) == NULL)
        return 0;
    for (*f = MIEN_BOX; *f <= MIEN_LANCZOS3; ++*f) {
        if (strcmp(text, mien_resampling_name(*f)) == 0)
            return 0;
    }
    return mien_err_set(e, MIEN_ERR_FORMAT, "unknown filter '%s' in the preprocessing", text);
}

/* Whether no record has a box: 1 or 0, or MIEN_ERR_MEM. Most often the first one tells. */
static int without_boxes(const struct mien_pack *p, struct mien_err *e)
{
    struct mien_rec r = {0};
    int rc = 1;
    for (size_t i = 0; rc == 1 && i < p->n; i++) {
        int got = mien_pack_record(p, i, &r, e);
        if (got == MIEN_ERR_MEM)
            rc = got;
        else if (got == 0 && mien_rec_has(&r, MIEN_TAG_BOX))
            rc = 0;
    }
    mien_rec_free(&r);
    return rc;
}

int pack_decode_plan(struct pack_decode *d, const struct mien_pack *p,
                     const struct mien_prep *model, struct mien_size size, struct mien_err *e)
{
    char crop[MIEN_PREP_MAX] = "";
    struct mien_crop *how = &d->how;
    *d = (struct pack_decode){0};
    *how = (struct mien_crop){
        .margin = 0.4, .inner = 1, .target = size, .size = size, .max_bytes = MIEN_RECORD_LIMIT};
    mien_prep_get(model, "crop", crop, sizeof crop);
    if (strcmp(crop, "align") == 0)
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "the model expects aligned faces: pack their pixels, not images");
    int whole = strcmp(crop, "whole") == 0 ? 1 : without_boxes(p, e);
    if (whole < 0)
        return whole;
    how->whole = whole;
    if (get_real(model, "margin", 0, 10, &how->margin, e) < 0 ||
        get_real(model, "inner", 0.01, 1, &how->inner, e) < 0 ||
        get_filter(model, &how->resampling, e) < 0)
        return MIEN_ERR_FORMAT;
    return mien_crop_describe(how, &d->prep) == 0
               ? 0
               : mien_err_set(e, MIEN_ERR_FORMAT,
                              "the description of the preprocessing is too long");
}

struct pack_decoder *pack_decoder_new(struct mien_err *e)
{
    struct pack_decoder *w = calloc(1, sizeof *w);
    if (w == NULL) {
        mien_err_mem(e, sizeof *w, "a decoder");
        return NULL;
    }
    if ((w->cutter = mien_cutter_new(e)) != NULL)
        return w;
    pack_decoder_free(w);
    return NULL;
}

void pack_decoder_free(struct pack_decoder *w)
{
    if (w == NULL)
        return;
    mien_cutter_free(w->cutter);
    mien_rec_free(&w->rec);
    free(w);
}

/* The record's box, within w->rec; NULL with the reason in e. */
static const float *find_box(const struct mien_pack *p, size_t i, struct pack_decoder *w, int *rc,
                             struct mien_err *e)
{
    *rc = mien_pack_record(p, i, &w->rec, e);
    if (*rc < 0)
        return NULL;
    const struct mien_field *f = mien_rec_find(&w->rec, MIEN_TAG_BOX);
    if (f == NULL)
        *rc = mien_err_set(e, MIEN_ERR_FORMAT, "no face box, where other records have one");
    return f != NULL ? f->data : NULL;
}

int pack_decode(const struct pack_decode *d, const struct mien_pack *p, size_t i,
                struct pack_decoder *w, unsigned char *dst, struct mien_err *e)
{
    size_t n;
    int rc = 0;
    const unsigned char *bytes = mien_pack_image(p, i, &n);
    struct mien_cut t = {.out = dst};
    t.box = d->how.whole ? NULL : find_box(p, i, w, &rc, e);
    if (rc < 0 || (rc = mien_cutter_plan(w->cutter, &d->how, bytes, n, &t, 1, e)) < 0 ||
        (rc = mien_cutter_run(w->cutter, &t, 1, e)) < 0)
        return rc;
    return t.rc < 0 ? mien_err_set(e, t.rc, "%s", t.err.msg) : 0;
}
