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

enum pack_kind { PACK_AUTO, PACK_PIXELS, PACK_IMAGE, PACK_FEATURES };

#define PACK_UNKNOWN 255 /* an age, a gender or a band's ends that the record doesn't have */

/* --- Writing ------------------------------------------------------------------------------ */

/* Writes a pack to the file at path, which appears whole or not at all. The large tensor goes
   straight there; the others wait in unnamed temporary files, so that memory stays under 2 MiB and
   a record or two whatever the number of records.
   PACK_AUTO takes what the first record has: features, else pixels, else the image.
   Returns NULL with ERR_SYS's or ERR_MEM's message on failure. */
struct pack_writer;
struct pack_writer *pack_writer_new(const char *path, enum pack_kind kind, struct err *e);
void pack_writer_free(struct pack_writer *w); /* without pack_writer_end before it, no file stays;
                                                 NULL is harmless */

/* Adds a record. Returns 0; ERR_FORMAT when it doesn't belong into this pack, with the cause, and
   the pack is as before: it lacks what the pack holds, or its shape, its preprocessing or a label
   isn't right. ERR_SYS or ERR_MEM end the pack. */
int pack_add(struct pack_writer *w, const struct rec *r, struct err *e);

/* Completes the file. made says in its metadata what wrote it, in a line. Returns 0, ERR_SYS or
   ERR_MEM, or ERR_ARG when there are no records. */
int pack_writer_end(struct pack_writer *w, const char *made, struct err *e);

/* --- Reading ------------------------------------------------------------------------------ */

/* Bytes of all records one after another: record i has those from offset[i] to offset[i + 1]. */
struct pack_bytes {
    const unsigned char *bytes;
    const uint64_t *offset; /* n + 1; NULL when the pack has no such tensor */
};

/* An open pack, read-only. Everything that the functions below rely on was checked when it was
   opened, so i need only be less than n. Several threads may read it. */
struct pack {
    size_t n;              /* records, at least 1 */
    enum pack_kind kind;   /* never PACK_AUTO */
    int height, width;     /* of pixels */
    int dim;               /* of features */
    struct prep prep;      /* what pixels or features went through; "" when the records don't say */
    const uint8_t *age;    /* [n]: 0-100 or PACK_UNKNOWN */
    const uint8_t *gender; /* [n]: 0 female, 1 male or PACK_UNKNOWN */
    const uint8_t *band;   /* [n][2]: youngest and oldest age or PACK_UNKNOWN twice; NULL if none */

    struct st *st; /* what follows is for the functions below */
    const void *data;
    struct pack_bytes image, id, subject, record;
    const int32_t *fields;
};

/* Maps the pack at path. Returns 0, or ERR_FORMAT when it can't be read, is no pack, or has
   tensors that don't fit together. On failure there is nothing to close. */
int pack_open(struct pack *p, const char *path, struct err *e);
void pack_close(struct pack *p);

/* Record i of a pack of the right kind: u8[height, width, 3], f32[dim], or len encoded bytes. */
const unsigned char *pack_pixels(const struct pack *p, size_t i);
const float *pack_features(const struct pack *p, size_t i);
const unsigned char *pack_image(const struct pack *p, size_t i, size_t *len);

/* Texts without a terminating zero, of length 0 where the record has none. */
const char *pack_id(const struct pack *p, size_t i, size_t *len);
const char *pack_subject(const struct pack *p, size_t i, size_t *len);

/* Restores record i as it was packed. Its fields point into the pack, which must stay open as long
   as they are used. Returns 0, ERR_MEM, or ERR_FORMAT when the pack keeps no records (another
   program may have made it) or this one is damaged. */
int pack_record(const struct pack *p, size_t i, struct rec *r, struct err *e);

/* Tells the system that the data of these n records are wanted soon: it reads them from the disk
   meanwhile, so that a batch in random order needn't wait for each. Only time depends on it. */
void pack_will_need(const struct pack *p, const uint32_t *index, size_t n);

/* "pixels", "image" or "features", which is also the tensor's name. */
const char *pack_kind_name(enum pack_kind kind);

#endif
