/* What the reader and the writer of packs share: their tensors and what these may hold. */
#ifndef MIEN_TENSOR_PACK_FORMAT_H
#define MIEN_TENSOR_PACK_FORMAT_H

#include "mien/pack.h"
#include "mien/safetensors.h"

/* In the metadata, as format and version. */
#define PACK_FORMAT  "mien-pack"
#define PACK_VERSION "1"

/* The large tensor of each kind, and the field that it is made of. */
extern const struct pack_kind {
    const char *name;
    int tag;
} pack_kinds[MIEN_PACK_FEATURES + 1];

/* The tensors, in the order of the file: wider elements first, so that nothing but the first of
   them needs padding. Bodies of records are multiples of 8 bytes long and stand behind offsets, so
   that they too are aligned to 8. */
enum pack_column {
    PACK_DATA, /* the large tensor, named and shaped by the pack's kind */
    PACK_IMAGE_OFFSETS,
    PACK_ID_OFFSETS,
    PACK_SUBJECT_OFFSETS,
    PACK_RECORD_OFFSETS,
    PACK_RECORD,
    PACK_RECORD_FIELDS,
    PACK_ID,
    PACK_SUBJECT,
    PACK_AGE,
    PACK_GENDER,
    PACK_AGE_BAND,
    PACK_COLUMNS
};

extern const struct pack_column_type {
    const char *name;
    enum mien_dtype dtype;
} pack_columns[PACK_COLUMNS];

/* Whether labels are possible; band has two ages. */
bool pack_valid_age(int age);
bool pack_valid_band(const uint8_t *band);

/* A pack's metadata of that key, or NULL; of one file, not of several opened as one. */
const char *pack_meta(const struct mien_pack *p, const char *key);

#endif
