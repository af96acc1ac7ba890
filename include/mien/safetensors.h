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

#include "mien/buf.h"
#include "mien/err.h"

/* Element types; the other types of the format are refused. */
enum st_dtype { ST_U8, ST_I32, ST_I64, ST_U64, ST_F16, ST_F32, ST_F64 };

#define ST_MAX_DIMS 8

/* The longest header accepted. The reference implementation allows 100 MB; but parsed JSON takes up
   to thirty times its text, and a header describes a tensor in some hundred bytes. */
#define ST_MAX_HEADER ((size_t)16 << 20)

struct st_tensor {
    const char *name;
    enum st_dtype dtype;
    int ndim; /* 0 for a scalar */
    size_t shape[ST_MAX_DIMS];
    size_t count, bytes; /* elements, and the bytes they take */
    const void *data;    /* little-endian, aligned to the element's size; read-only */
};

/* The bytes of one element, and the type's name in the format ("F32"). */
size_t st_size(enum st_dtype dtype);
const char *st_dtype_name(enum st_dtype dtype);

/* --- Reading ------------------------------------------------------------------------------ */

/* Maps a regular file. Everything that the header says is checked against the file first: a tensor
   that is returned lies within it, aligned, and is as long as its shape and type say. Returns NULL
   with ERR_SYS's, ERR_FORMAT's, ERR_LIMIT's or ERR_MEM's message on failure. The tensors and all
   strings live until st_close. An open file may be read by several threads. */
struct st;
struct st *st_open(const char *path, struct err *e);
void st_close(struct st *s); /* NULL is harmless */

/* The tensor of this name, or NULL. */
const struct st_tensor *st_find(const struct st *s, const char *name);

/* The tensors in the order of their data, paddings included: 0..st_count-1. */
size_t st_count(const struct st *s);
const struct st_tensor *st_at(const struct st *s, size_t i);

/* The text of a metadata key, or NULL. */
const char *st_meta(const struct st *s, const char *key);

/* --- Writing ------------------------------------------------------------------------------ */

/* Collects tensors and metadata; the file has them in the order they were added. Same additions,
   same bytes. */
struct st_writer;
struct st_writer *st_writer_new(struct err *e); /* NULL with ERR_MEM's message */
void st_writer_free(struct st_writer *w);       /* NULL is harmless */

/* Adds a tensor. name and shape are copied; data is the caller's and stays until st_write. Data
   NULL means that the caller writes the data himself behind st_header. Returns 0, ERR_MEM, or
   ERR_ARG: a name that is taken, reserved or no UTF-8, or a size that overflows. */
int st_add(struct st_writer *w, const char *name, enum st_dtype dtype, int ndim,
           const size_t *shape, const void *data, struct err *e);

/* Adds or replaces a string of the metadata. Text that isn't UTF-8 gets '?' for its bytes beyond
   ASCII: a model isn't lost for an odd file name in its provenance. Returns 0 or ERR_MEM. */
int st_add_meta(struct st_writer *w, const char *key, const char *value, struct err *e);

/* Appends the length and the header, padded to a multiple of 64 bytes in all or, when reserve
   isn't 0, to exactly reserve bytes (a multiple of 64). Returns 0, ERR_MEM, or ERR_LIMIT when
   reserve is too small. */
int st_header(const struct st_writer *w, size_t reserve, struct buf *out, struct err *e);

/* Where the data of the tensor added last begin, in bytes behind the header. */
uint64_t st_offset(const struct st_writer *w);

/* Writes the whole file to a descriptor, or to a path (whole or not at all). Returns 0, ERR_MEM or
   ERR_SYS. */
int st_write(const struct st_writer *w, int fd, struct err *e);
int st_save(const struct st_writer *w, const char *path, struct err *e);

#endif
