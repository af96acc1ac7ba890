/*
 * safetensors files: named tensors and text, mapped into memory with no parsing beyond the header.
 *
 *     struct mien_safetensors *s = mien_st_open("face.model", &e);
 *     if (s == NULL)
 *         ... e.msg ...
 *     const struct mien_tensor *t = mien_st_find(s, "conv1.weight");
 *     if (t != NULL && t->dtype == MIEN_ST_F32 && t->ndim == 4)
 *         show(t->data, t->shape);
 *     mien_st_close(s);
 *
 * A file is an 8-byte little-endian length, a header of that length in JSON, and the tensors' data.
 * The header maps each name to a type, a shape (row-major) and a byte range of the data, and
 * __metadata__ to an object of strings. The ranges cover the data without holes or overlap.
 * The format is Hugging Face's: https://github.com/huggingface/safetensors.
 *
 * Files that mien writes have their header padded with spaces so that the data start at a multiple
 * of 64, and a tensor starts at a multiple of its element's size: where it wouldn't, a tensor named
 * _pad0, _pad1, ... of a few zero bytes stands before it. Packs and models are described in
 * mien-pack(5).
 *
 * Threads: several may read an open file.
 */
#ifndef MIEN_SAFETENSORS_H
#define MIEN_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "mien/err.h"

#ifdef __cplusplus
extern "C" {
#endif

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

/* A tensor has at most as many dimensions. */
#define MIEN_ST_MAX_DIMS 8

/* The longest header accepted: some twenty thousand tensors. The reference implementation allows
   100 MB; but parsed JSON takes up to fifty times its text. */
#define MIEN_ST_MAX_HEADER ((size_t)2 << 20)

/* A tensor. It and its data are the file's, read-only. */
struct mien_tensor {
    const char *name;
    enum mien_dtype dtype;
    int ndim;                       /* 0 for a scalar */
    size_t shape[MIEN_ST_MAX_DIMS]; /* the slowest dimension first */
    size_t count, bytes;            /* elements, and the bytes they take */
    const void *data;               /* little-endian, aligned to the element's size */
};

/* The bytes of one element, and the type's name in the format ("F32"). */
size_t mien_st_size(enum mien_dtype dtype);
const char *mien_st_dtype_name(enum mien_dtype dtype);

/* Maps a regular file. Everything that the header says is checked against the file first: a tensor
   that is returned lies within it, aligned, and is as long as its shape and type say. The file must
   not be cut short while it is open. The tensors and all strings live until mien_st_close. Returns
   NULL with a message on failure: the file can't be opened, breaks the format, has a header of more
   than MIEN_ST_MAX_HEADER bytes, or there is no memory. */
struct mien_safetensors;
struct mien_safetensors *mien_st_open(const char *path, struct mien_err *e);
void mien_st_close(struct mien_safetensors *s); /* NULL is harmless */

/* The tensor of this name, or NULL. */
const struct mien_tensor *mien_st_find(const struct mien_safetensors *s, const char *name);

/* The tensors in the order of their data, paddings included; i is less than mien_st_count. */
size_t mien_st_count(const struct mien_safetensors *s);
const struct mien_tensor *mien_st_at(const struct mien_safetensors *s, size_t i);

/* The text of a metadata key, or NULL. */
const char *mien_st_meta(const struct mien_safetensors *s, const char *key);

#ifdef __cplusplus
}
#endif

#endif
