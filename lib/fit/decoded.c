#include "decoded.h"

#include <stdlib.h>

#include "util/hash.h"

enum { FINE, BAD, TOLD };

size_t decoded_bytes(const struct decoded *p)
{
    return (size_t)p->size.h * (size_t)p->size.w * 3;
}

int decoded_make(struct decoded *p, const struct model *m, const struct mien_pack *pack,
                 const struct augment *augment, uint64_t seed, int jobs, struct mien_err *e)
{
    struct shape in = m->net.layer[0].shape;
    *p = (struct decoded){.pack = pack, .augment = augment, .seed = seed, .size = {in.h, in.w}};
    if (pack->kind != MIEN_PACK_IMAGE)
        return 0;
    int rc = pack_decode_plan(&p->decode, pack, &m->prep, p->size, e);
    if (rc < 0)
        return rc;
    p->jobs = jobs;
    p->decoder = calloc((size_t)jobs, sizeof *p->decoder);
    p->decoded = calloc((size_t)jobs, sizeof *p->decoded);
    p->bad = calloc(pack->n, sizeof *p->bad);
    if (p->decoder == NULL || p->decoded == NULL || p->bad == NULL)
        return mien_err_mem(e, pack->n, "decoding");
    for (int j = 0; j < jobs; j++) {
        p->decoder[j] = pack_decoder_new(e);
        p->decoded[j] = malloc(decoded_bytes(p));
        if (p->decoder[j] == NULL)
            return MIEN_ERR_MEM;
        if (p->decoded[j] == NULL)
            return mien_err_mem(e, decoded_bytes(p), "decoding");
    }
    return 0;
}

void decoded_free(struct decoded *p)
{
    for (int j = 0; p->decoder != NULL && j < p->jobs; j++)
        pack_decoder_free(p->decoder[j]);
    for (int j = 0; p->decoded != NULL && j < p->jobs; j++)
        free(p->decoded[j]);
    free(p->decoder);
    free(p->decoded);
    free(p->bad);
}

const unsigned char *decoded_get(const struct decoded *p, int worker, size_t k, uint64_t round,
                                 unsigned char *buf)
{
    const unsigned char *picture;
    struct mien_err why;
    if (p->pack->kind == MIEN_PACK_PIXELS) {
        picture = mien_pack_pixels(p->pack, k);
    } else {
        unsigned char *to = p->augment != NULL ? p->decoded[worker] : buf;
        if (pack_decode(&p->decode, p->pack, k, p->decoder[worker], to, &why) < 0) {
            if (atomic_load(&p->bad[k]) == FINE)
                atomic_store(&p->bad[k], BAD);
            return NULL;
        }
        picture = to;
    }
    if (p->augment == NULL)
        return picture;
    /* The seed is the record's and the round's alone, whatever the order and the threads. */
    uint64_t seed = hash_mix(p->seed ^ hash_mix(round)) ^ hash_mix(k);
    augment_pixels(p->augment, picture, p->size.h, p->size.w, buf, seed);
    return buf;
}

bool decoded_bad(const struct decoded *p, size_t k)
{
    return p->bad != NULL && atomic_load(&p->bad[k]) != FINE;
}

bool decoded_tell_bad(struct decoded *p, size_t k, struct mien_err *why)
{
    if (p->bad == NULL || atomic_load(&p->bad[k]) != BAD)
        return false;
    atomic_store(&p->bad[k], TOLD);
    return pack_decode(&p->decode, p->pack, k, p->decoder[0], p->decoded[0], why) < 0;
}
