#include "decoded.h"

#include <stdlib.h>

#include "util/hash.h"

enum { FINE, BAD, TOLD, NO_MEMORY };

size_t decoded_bytes(const struct decoded *d)
{
    return (size_t)d->size.h * (size_t)d->size.w * 3;
}

int decoded_make(struct decoded *d, const struct model *m, const struct mien_pack *pack,
                 const struct augment *augment, uint64_t seed, int jobs, struct mien_err *e)
{
    struct shape in = m->net.layer[0].shape;
    *d = (struct decoded){.pack = pack, .augment = augment, .seed = seed, .size = {in.h, in.w}};
    if (pack->kind != MIEN_PACK_IMAGE)
        return 0;
    int rc = pack_decode_plan(&d->decode, pack, &m->prep, d->size, e);
    if (rc < 0)
        return rc;
    d->jobs = jobs;
    d->decoder = calloc((size_t)jobs, sizeof *d->decoder);
    d->plain = calloc((size_t)jobs, sizeof *d->plain);
    d->bad = calloc(pack->n, sizeof *d->bad);
    if (d->decoder == NULL || d->plain == NULL || d->bad == NULL)
        return mien_err_mem(e, pack->n, "decoding");
    for (int j = 0; j < jobs; j++) {
        d->decoder[j] = pack_decoder_new(e);
        d->plain[j] = malloc(decoded_bytes(d));
        if (d->decoder[j] == NULL)
            return MIEN_ERR_MEM;
        if (d->plain[j] == NULL)
            return mien_err_mem(e, decoded_bytes(d), "decoding");
    }
    return 0;
}

void decoded_free(struct decoded *d)
{
    for (int j = 0; d->decoder != NULL && j < d->jobs; j++)
        pack_decoder_free(d->decoder[j]);
    for (int j = 0; d->plain != NULL && j < d->jobs; j++)
        free(d->plain[j]);
    free(d->decoder);
    free(d->plain);
    free(d->bad);
}

const unsigned char *decoded_get(const struct decoded *d, int worker, size_t k, uint64_t round,
                                 unsigned char *buf)
{
    const unsigned char *pixels;
    struct mien_err why;
    if (d->pack->kind == MIEN_PACK_PIXELS) {
        pixels = mien_pack_pixels(d->pack, k);
    } else {
        unsigned char *to = d->augment != NULL ? d->plain[worker] : buf;
        int rc = pack_decode(&d->decode, d->pack, k, d->decoder[worker], to, &why);
        if (rc == MIEN_ERR_MEM)
            atomic_store(&d->bad[k], NO_MEMORY);
        else if (rc < 0 && atomic_load(&d->bad[k]) == FINE)
            atomic_store(&d->bad[k], BAD);
        if (rc < 0)
            return NULL;
        pixels = to;
    }
    if (d->augment == NULL)
        return pixels;
    /* The seed is the record's and the round's alone, whatever the order and the threads. */
    uint64_t seed = hash_mix(d->seed ^ hash_mix(round)) ^ hash_mix(k);
    augment_pixels(d->augment, pixels, d->size.h, d->size.w, buf, seed);
    return buf;
}

bool decoded_bad(const struct decoded *d, size_t k)
{
    return d->bad != NULL && atomic_load(&d->bad[k]) != FINE;
}

int decoded_share_bad(struct decoded *d, struct ranks *r, const uint32_t *index, size_t n,
                      struct mien_err *e)
{
    size_t size = (size_t)ranks_size(r);
    if (d->bad == NULL || size == 1)
        return 0;
    unsigned char *bad = calloc(size, n);
    if (bad == NULL)
        return mien_err_mem(e, size * n, "a batch");
    unsigned char *own = bad + (size_t)r->rank * n;
    for (size_t i = 0; i < n; i++)
        own[i] = decoded_bad(d, index != NULL ? index[i] : i);
    ranks_gather_each(r, bad, n);
    for (size_t i = 0; i < size * n; i++) {
        size_t k = index != NULL ? index[i % n] : i % n;
        if (bad[i] && atomic_load(&d->bad[k]) == FINE)
            atomic_store(&d->bad[k], BAD);
    }
    free(bad);
    return 0;
}

int decoded_tell_bad(struct decoded *d, size_t k, struct mien_err *why)
{
    int state = d->bad != NULL ? atomic_load(&d->bad[k]) : FINE;
    if (state == NO_MEMORY)
        return mien_err_mem(why, decoded_bytes(d), "a decoded image");
    if (state != BAD)
        return 0;
    atomic_store(&d->bad[k], TOLD);
    int rc = pack_decode(&d->decode, d->pack, k, d->decoder[0], d->plain[0], why);
    return rc == MIEN_ERR_MEM ? rc : rc < 0;
}
