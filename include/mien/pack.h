/*
 * Packs: records as tensors in a safetensors file, for a trainer to map; mien-pack(5).
 *
 * What a network reads is one large tensor, the pack's kind: pixels, encoded images or features of
 * all records, which must agree in shape and preprocessing. Labels and names have tensors of their
 * own, and the rest of each record is kept encoded, so that records come back without loss.
 */
#ifndef MIEN_PACK_H
#define MIEN_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mien/err.h"
#include "mien/prep.h"
#include "mien/record.h"

enum mien_pack_kind { MIEN_PACK_AUTO, MIEN_PACK_PIXELS, MIEN_PACK_IMAGE, MIEN_PACK_FEATURES };

#define MIEN_PACK_UNKNOWN 255 /* an age, a gender or a band's ends that the record doesn't have */

/* Bytes of all records one after another: record i has those from offset[i] to offset[i + 1]. */
struct mien_pack_bytes {
    const unsigned char *bytes;
    const uint64_t *offset; /* n + 1; NULL when the pack has no such tensor */
};

/* An open pack, read-only. Everything that the functions below rely on was checked when it was
   opened, so i need only be less than n. Several threads may read it. */
struct mien_pack {
    size_t n;                 /* records, at least 1 */
    enum mien_pack_kind kind; /* never MIEN_PACK_AUTO */
    int height, width;        /* of pixels */
    int dim;                  /* of features */
    struct mien_prep prep; /* what pixels or features went through; "" when the records don't say */
    const uint8_t *age;    /* [n]: 0-100 or MIEN_PACK_UNKNOWN */
    const uint8_t *gender; /* [n]: 0 female, 1 male or MIEN_PACK_UNKNOWN */
    const uint8_t
        *band; /* [n][2]: youngest and oldest age or MIEN_PACK_UNKNOWN twice; NULL if none */

    struct mien_safetensors *st; /* what follows is for the functions below */
    const void *data;
    struct mien_pack_bytes image, id, subject, record;
    const int32_t *fields;
};

/* Maps the pack at path. Returns 0, or MIEN_ERR_FORMAT when it can't be read, is no pack, or has
   tensors that don't fit together. On failure there is nothing to close. */
int mien_pack_open(struct mien_pack *p, const char *path, struct mien_err *e);
void mien_pack_close(struct mien_pack *p);

/* Record i of a pack of the right kind: u8[height, width, 3], f32[dim], or len encoded bytes. */
const unsigned char *mien_pack_pixels(const struct mien_pack *p, size_t i);
const float *mien_pack_features(const struct mien_pack *p, size_t i);
const unsigned char *mien_pack_image(const struct mien_pack *p, size_t i, size_t *len);

/* Texts without a terminating zero, of length 0 where the record has none. */
const char *mien_pack_id(const struct mien_pack *p, size_t i, size_t *len);
const char *mien_pack_subject(const struct mien_pack *p, size_t i, size_t *len);

/* Restores record i as it was packed; of a pack without records, which another program has made,
   the fields that its tensors have. Fields may point into the pack, which must stay open as long as
   they are used. Returns 0, MIEN_ERR_MEM, or MIEN_ERR_FORMAT when the record is damaged. */
int mien_pack_record(const struct mien_pack *p, size_t i, struct mien_rec *r, struct mien_err *e);

/* Tells the system that the data of these n records are wanted soon: it reads them from the disk
   meanwhile, so that a batch in random order needn't wait for each. Only time depends on it. */
void mien_pack_will_need(const struct mien_pack *p, const uint32_t *index, size_t n);

/* "pixels", "image" or "features", which is also the tensor's name. */
const char *mien_pack_kind_name(enum mien_pack_kind kind);

#endif
