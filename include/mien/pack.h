/*
 * Packs: records as tensors in a safetensors file, for a trainer to map; mien-pack(5).
 *
 *     struct mien_pack p;
 *     if (mien_pack_open(&p, "train.pack", &e) < 0)
 *         ... e.msg ...
 *     for (size_t i = 0; i < p.n && p.kind == MIEN_PACK_PIXELS; i++) {
 *         if (p.age[i] != MIEN_PACK_UNKNOWN)
 *             learn(mien_pack_pixels(&p, i), p.height, p.width, p.age[i]);
 *     }
 *     mien_pack_close(&p);
 *
 * What a network reads is one large tensor, the pack's kind: pixels, encoded images or features of
 * all records, which must agree in shape and preprocessing. Labels and names have tensors of their
 * own, and the rest of each record is kept encoded, so that records come back without loss.
 *
 * The file is mapped, not read: it must not be cut short while it is open. Threads: several may
 * read an open pack.
 */
#ifndef MIEN_PACK_H
#define MIEN_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "mien/err.h"
#include "mien/prep.h"
#include "mien/record.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The kinds of packs; MIEN_PACK_AUTO leaves the choice to the first record. */
enum mien_pack_kind { MIEN_PACK_AUTO, MIEN_PACK_PIXELS, MIEN_PACK_IMAGE, MIEN_PACK_FEATURES };

/* "pixels", "image" or "features", which is also the tensor's name. */
const char *mien_pack_kind_name(enum mien_pack_kind kind);

/* An age, a gender or a band's ends that the record doesn't have. */
#define MIEN_PACK_UNKNOWN 255

/* An open pack, read-only. Everything that the functions below rely on was checked when it was
   opened, so i need only be less than n. */
struct mien_pack {
    size_t n;                 /* records, at least 1 */
    enum mien_pack_kind kind; /* never MIEN_PACK_AUTO */
    int height, width;        /* of pixels */
    int dim;                  /* of features */
    struct mien_prep prep; /* what pixels or features went through; "" when the records don't say */
    const uint8_t *age;    /* [n]: 0-100 or MIEN_PACK_UNKNOWN */
    const uint8_t *gender; /* [n]: 0 female, 1 male or MIEN_PACK_UNKNOWN */
    const uint8_t *band;   /* [n][2]: youngest and oldest age or MIEN_PACK_UNKNOWN twice; or NULL */
    struct mien_pack_file *file;
};

/* Maps the pack at path. Returns 0; MIEN_ERR_FORMAT when it can't be opened, isn't a pack, or has
   tensors that don't fit together; or MIEN_ERR_MEM. On failure there is nothing to close. */
MIEN_CHECKED int mien_pack_open(struct mien_pack *p, const char *path, struct mien_err *e);

/* The same for n packs as one: the records of the first, then those of the next, and so on; a path may
   be there twice. They must agree in kind, shape and preprocessing, but whole images (crop=whole) go
   with crops, whose preprocessing is then that of all: else MIEN_ERR_FORMAT, with what doesn't.
   records, unless NULL, receives how many each of them has. */
MIEN_CHECKED int mien_pack_open_all(struct mien_pack *p, const char *const *path, size_t n,
                                    size_t *records, struct mien_err *e);

/* Closes it: what the functions below returned is gone. Harmless for a zeroed pack. */
void mien_pack_close(struct mien_pack *p);

/* Record i of a pack of the right kind: u8[height, width, 3], f32[dim], or *len encoded bytes. */
const unsigned char *mien_pack_pixels(const struct mien_pack *p, size_t i);
const float *mien_pack_features(const struct mien_pack *p, size_t i);
const unsigned char *mien_pack_image(const struct mien_pack *p, size_t i, size_t *len);

/* Texts of *len bytes without a terminating zero; of length 0 where the record has none. */
const char *mien_pack_id(const struct mien_pack *p, size_t i, size_t *len);
const char *mien_pack_subject(const struct mien_pack *p, size_t i, size_t *len);

/* Restores record i as it was packed; of a pack without records, which another program has made,
   the fields that its tensors have. Fields may point into the pack, which must stay open as long as
   they are used. Returns 0, MIEN_ERR_MEM, or MIEN_ERR_FORMAT when the record is damaged. */
MIEN_CHECKED int mien_pack_record(const struct mien_pack *p, size_t i, struct mien_rec *r,
                                  struct mien_err *e);

/* Tells the system that the data of these n records are wanted soon: it reads them from the disk
   meanwhile, so that a batch in random order needn't wait for each. Only time depends on it. */
void mien_pack_will_need(const struct mien_pack *p, const uint32_t *index, size_t n);

#ifdef __cplusplus
}
#endif

#endif
