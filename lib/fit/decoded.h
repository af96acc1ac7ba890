/* A pack's images as pixels that a network reads: decoded where the pack holds them encoded, and
   augmented. */
#ifndef MIEN_FIT_DECODED_H
#define MIEN_FIT_DECODED_H

#include <stdatomic.h>

#include "image/augment.h"
#include "net/model.h"
#include "pack_decode.h"
#include "ranks/ranks.h"

struct decoded {
    const struct mien_pack *pack;
    const struct augment *augment; /* NULL: images stay as they are */
    uint64_t seed;
    struct mien_size size;
    struct pack_decode decode; /* of MIEN_PACK_IMAGE */
    int jobs;
    struct pack_decoder **decoder; /* jobs of each, or NULL where they aren't needed */
    unsigned char **plain;         /* an image before augmentation */
    atomic_uchar *bad;             /* records whose image could not be used: pack->n, or NULL */
};

/* Prepares a pack of pixels or of images (d zeroed by the caller) for jobs threads, as m reads
   them. What augment points to must outlive d. Returns 0 or a negative code. */
MIEN_CHECKED int decoded_make(struct decoded *d, const struct model *m,
                              const struct mien_pack *pack, const struct augment *augment,
                              uint64_t seed, int jobs, struct mien_err *e);
void decoded_free(struct decoded *d);

/* Bytes of one image: RGB rows. */
size_t decoded_bytes(const struct decoded *d);

/* Record k's image, as augmentation changes it in this round (an epoch, or a view), counted from 1:
   in the pack or in buf, of decoded_bytes. NULL when its image can't be used. Threads may call it,
   each with a worker number of its own. */
const unsigned char *decoded_get(const struct decoded *d, int worker, size_t k, uint64_t round,
                                 unsigned char *buf);

/* Whether record k was found to be of no use. */
bool decoded_bad(const struct decoded *d, size_t k);

/* Tells all processes which of these n records, or with index NULL of all, any of them has found to
   be of no use. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int decoded_share_bad(struct decoded *d, struct ranks *r, const uint32_t *index,
                                   size_t n, struct mien_err *e);

/* 1 the first time that record k is asked about and was found to be of no use, with the cause; 0;
   or MIEN_ERR_MEM when there was no memory to decode it. Not while threads are in decoded_get. */
MIEN_CHECKED int decoded_tell_bad(struct decoded *d, size_t k, struct mien_err *why);

#endif
