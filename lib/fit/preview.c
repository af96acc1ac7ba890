#include "preview.h"

#include <stdlib.h>
#include <string.h>

#include "decoded.h"
#include "util/hash.h"

/* Record k with the pixels of epoch 1. Returns 0, 1 for an image of no use, or a negative code. */
static int make_record(struct decoded *images, size_t k, struct mien_rec *r, struct mien_err *e)
{
    const struct mien_size size = images->size;
    int rc = mien_pack_record(images->pack, k, r, e);
    if (rc < 0)
        return rc;
    mien_rec_del(r, MIEN_TAG_IMAGE);
    mien_rec_del(r, MIEN_TAG_IMAGE_KIND);
    if (images->pack->kind == MIEN_PACK_IMAGE && mien_rec_set_prep(r, &images->decode.prep) < 0)
        return mien_err_mem(e, MIEN_PREP_MAX, "a record");
    unsigned char *px = mien_rec_alloc(r, MIEN_TAG_PIXELS, MIEN_U8, 3,
                                       (uint32_t[]){(uint32_t)size.h, (uint32_t)size.w, 3});
    if (px == NULL)
        return mien_err_mem(e, decoded_bytes(images), "a record");
    const unsigned char *changed = decoded_get(images, 0, k, 1, px);
    if (changed == NULL)
        return decoded_tell_bad(images, k, e);
    if (changed != px) /* as it is in the pack */
        memcpy(px, changed, decoded_bytes(images));
    return 0;
}

int fit_preview(const struct model *m, const struct mien_pack *train, const struct fit_config *c,
                size_t n, struct mien_writer *to, struct mien_err *e)
{
    struct decoded images = {0};
    struct mien_rec r = {0};
    struct rng rng = {hash_mix(c->seed ^ hash_mix(1))}; /* epoch 1's */
    uint32_t *order = NULL;
    if (train->kind == MIEN_PACK_FEATURES)
        return mien_err_set(e, MIEN_ERR_ARG, "features can't be shown: give pixels or images");
    int rc = decoded_make(&images, m, train, augment_any(&c->augment) ? &c->augment : NULL,
                          hash_mix(c->seed), 1, e);
    if (rc == 0 && (order = calloc(train->n, sizeof *order)) == NULL)
        rc = mien_err_mem(e, train->n * sizeof *order, "the order of records");
    for (size_t i = 0; rc == 0 && i < train->n; i++)
        order[i] = (uint32_t)i;
    if (rc == 0 && !c->in_order)
        rng_shuffle(&rng, order, train->n);
    for (size_t i = 0, done = 0; rc == 0 && i < train->n && done < n; i++) {
        rc = make_record(&images, order[i], &r, e);
        if (rc > 0 && c->on_bad != NULL)
            c->on_bad(c->ctx, train, order[i], e);
        done += rc == 0;
        rc = rc == 0 ? mien_write(to, &r, e) : rc > 0 ? 0 : rc;
    }
    mien_rec_free(&r);
    decoded_free(&images);
    free(order);
    return rc;
}
