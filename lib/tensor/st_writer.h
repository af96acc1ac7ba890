/* Writing safetensors files; mien/safetensors.h reads them. */
#ifndef MIEN_TENSOR_ST_WRITER_H
#define MIEN_TENSOR_ST_WRITER_H

#include "mien/buf.h"
#include "mien/safetensors.h"

/* Collects tensors and metadata; the file has them in the order they were added. Same additions,
   same bytes. */
struct st_writer;
struct st_writer *st_writer_new(struct mien_err *e); /* NULL with MIEN_ERR_MEM's message */
void st_writer_free(struct st_writer *w);            /* NULL is harmless */

/* Adds a tensor. name and shape are copied; data is the caller's and stays until st_write. Data
   NULL means that the caller writes the data behind st_header. Returns 0, MIEN_ERR_MEM, or
   MIEN_ERR_ARG: a name that is taken, reserved or not UTF-8, or a size that overflows. */
MIEN_CHECKED int st_add(struct st_writer *w, const char *name, enum mien_dtype dtype, int ndim,
                        const size_t *shape, const void *data, struct mien_err *e);

/* Adds or replaces a string of the metadata. Text that isn't UTF-8 gets '?' for its bytes beyond
   ASCII: a model isn't lost for an odd file name in its provenance. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int st_add_meta(struct st_writer *w, const char *key, const char *value,
                             struct mien_err *e);

/* Appends the length and the header, padded to a multiple of 64 bytes in all or, when reserve
   isn't 0, to exactly reserve bytes (a multiple of 64). Returns 0, MIEN_ERR_MEM, or MIEN_ERR_LIMIT
   when reserve is too small. */
MIEN_CHECKED int st_header(const struct st_writer *w, size_t reserve, struct mien_buf *out,
                           struct mien_err *e);

/* Where the data of the tensor added last begin, in bytes behind the header. */
uint64_t st_offset(const struct st_writer *w);

/* Writes the whole file to a descriptor, or to a path (whole or not at all). Returns 0,
   MIEN_ERR_MEM or MIEN_ERR_SYS. */
MIEN_CHECKED int st_write(const struct st_writer *w, int fd, struct mien_err *e);
MIEN_CHECKED int st_save(const struct st_writer *w, const char *path, struct mien_err *e);

#endif
