/* What the reader and the writer of safetensors files share, and reading other programs' files. */
#ifndef MIEN_TENSOR_ST_FORMAT_H
#define MIEN_TENSOR_ST_FORMAT_H

#include <stdbool.h>

#include "mien/safetensors.h"

#define ST_METADATA "__metadata__" /* the header's key of the texts */

/* Sets count and bytes from the type and shape. False when they overflow. */
bool st_measure(struct mien_tensor *t);

/* The format's other types, which only st_open_foreign takes, behind those of enum mien_dtype. */
enum { ST_BF16 = MIEN_ST_F64 + 1, ST_BOOL, ST_I8, ST_I16, ST_U16, ST_U32 };

/* As mien_st_open, for files of other programs: tensors may be of the types above, and needn't be
   aligned. */
struct mien_safetensors *st_open_foreign(const char *path, struct mien_err *e);

#endif
