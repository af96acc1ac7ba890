/*
 * safetensors files: named tensors and text, mapped into memory with no parsing beyond the header.
 *
 * A file is an 8-byte little-endian length, a header of that length in JSON, and the tensors' data.
 * The header maps each name to a type, a shape (row-major) and a byte range of the data, and
 * __metadata__ to an object of strings. The ranges cover the data without holes or overlap.
 * The format is Hugging Face's: https://github.com/huggingface/safetensors.
 *
 * Written here, the header is padded with spaces so that the data start at a multiple of 64, and a
 * tensor starts at a multiple of its element's size: where it wouldn't, a tensor named _pad0,
 * _pad1, ... of a few zero bytes stands before it. Packs and models are described in mien-pack(5).
 */
#ifndef MIEN_SAFETENSORS_H
#define MIEN_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "mien/err.h"

/* Element types; the other types of the format are refused. */
enum mien_dtype {
    MIEN_ST_U8,
    MIEN_ST_I32,
    MIEN_ST_I64,
    MIEN_ST_U64,
    MIEN_ST_F16,
    MIEN_ST_F32,
    MIEN_ST_F64
};

#define MIEN_ST_MAX_DIMS 8

/* The longest header accepted: some twenty thousand tensors. The reference implementation allows
   100 MB; but parsed JSON takes up to fifty times its text. */
#define MIEN_ST_MAX_HEADER ((size_t)2 << 20)

struct mien_tensor {
    const char *name;
    enum mien_dtype dtype;
    int ndim; /* 0 for a scalar */
    size_t shape[MIEN_ST_MAX_DIMS];
    size_t count, bytes; /* elements, and the bytes they take */
    const void *data;    /* little-endian, aligned to the element's size; read-only */
};

/* The bytes of one element, and the type's name in the format ("F32"). */
size_t mien_st_size(enum mien_dtype dtype);
const char *mien_st_dtype_name(enum mien_dtype dtype);

/* Maps a regular file. Everything that the header says is checked against the file first: a tensor
   that is returned lies within it, aligned, and is as long as its shape and type say. Returns NULL
   with MIEN_ERR_SYS's, MIEN_ERR_FORMAT's, MIEN_ERR_LIMIT's or MIEN_ERR_MEM's message on failure.
   The tensors and all strings live until mien_st_close. An open file may be read by several
   threads. */
struct mien_safetensors;
struct mien_safetensors *mien_st_open(const char *path, struct mien_err *e);
void mien_st_close(struct mien_safetensors *s); /* NULL is harmless */

/* The tensor of this name, or NULL. */
const struct mien_tensor *mien_st_find(const struct mien_safetensors *s, const char *name);

/* The tensors in the order of their data, paddings included: 0..st_count-1. */
size_t mien_st_count(const struct mien_safetensors *s);
const struct mien_tensor *mien_st_at(const struct mien_safetensors *s, size_t i);

/* The text of a metadata key, or NULL. */
const char *mien_st_meta(const struct mien_safetensors *s, const char *key);

#endif
