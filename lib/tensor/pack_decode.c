#include "mien/pack_decode.h"

#include <stdlib.h>
#include <string.h>

#include "mien/num.h"

struct pack_decoder {
    struct img_jpeg *jpeg;
    struct img_resizer *resizer;
    struct img scratch, cut;
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
    *d = (struct pack_decode){.size = size};
    d->crop = (struct img_crop){
        .margin = 0.4, .inner = 1, .target = size, .max_bytes = REC_DEFAULT_LIMIT};
    prep_get(model, "crop", crop, sizeof crop);
    if (strcmp(crop, "align") == 0)
        return err_set(e, ERR_FORMAT,
                       "the model wants faces turned by their eyes, which encoded images aren't");
    int whole = strcmp(crop, "whole") == 0 ? 1 : without_boxes(p, e);
    if (whole < 0)
        return whole;
    d->crop.whole = whole;
    if (get_real(model, "margin", 0, 10, &d->crop.margin, e) < 0 ||
        get_real(model, "inner", 0.01, 1, &d->crop.inner, e) < 0 ||
        get_filter(model, &d->filter, e) < 0)
        return ERR_FORMAT;
    if (img_crop_describe(&d->crop, &d->prep) < 0 ||
        prep_set(&d->prep, "size", "%dx%d", size.h, size.w) < 0 ||
        prep_set(&d->prep, "filter", "%s", img_filter_name(d->filter)) < 0)
        return err_set(e, ERR_FORMAT, "the preprocessing's description grows too long");
    return 0;
}

struct pack_decoder *pack_decoder_new(struct err *e)
{
    struct pack_decoder *w = calloc(1, sizeof *w);
    if (w == NULL) {
        err_mem(e, sizeof *w, "a decoder");
        return NULL;
    }
    if ((w->jpeg = img_jpeg_new(e)) != NULL && (w->resizer = img_resizer_new(e)) != NULL)
        return w;
    pack_decoder_free(w);
    return NULL;
}

void pack_decoder_free(struct pack_decoder *w)
{
    if (w == NULL)
        return;
    img_jpeg_free(w->jpeg);
    img_resizer_free(w->resizer);
    img_free(&w->scratch);
    img_free(&w->cut);
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
    struct img_jpeg_info info;
    struct img_cut cut;
    size_t n;
    int rc = 0;
    const unsigned char *bytes = pack_image(p, i, &n);
    const float *box = d->crop.whole ? NULL : find_box(p, i, w, &rc, e);
    if (rc < 0 || (rc = img_jpeg_open(w->jpeg, bytes, n, &d->limits, &info, e)) < 0 ||
        (rc = img_crop_plan(&d->crop, &info, box, &cut, e)) < 0)
        return rc;
    struct img_hw has = img_cut_size(&cut, &info);
    if (has.h == d->size.h && has.w == d->size.w)
        return img_cut_read(w->jpeg, &info, &cut, &w->scratch, dst, e);
    if ((rc = img_alloc(&w->cut, has.h, has.w, e)) < 0 ||
        (rc = img_cut_read(w->jpeg, &info, &cut, &w->scratch, w->cut.px, e)) < 0)
        return rc;
    return img_resize(w->resizer, w->cut.px, has.h, has.w, dst, d->size, d->filter, e);
}
