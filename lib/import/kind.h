/* Which program a file with a network is of, by its first bytes, and what to do with it. */
#ifndef MIEN_IMPORT_KIND_H
#define MIEN_IMPORT_KIND_H

#include "mien/buf.h"
#include "mien/err.h"

enum import_kind { IMPORT_ONNX, IMPORT_TFJS, IMPORT_SAFETENSORS, IMPORT_OTHER };

/* The kind of the file, or MIEN_ERR_SYS. Of IMPORT_OTHER, of safetensors, and of folders, *what names it ("a Keras
   model in HDF5") and *how tells how to convert it; both are constant. */
MIEN_CHECKED int import_kind(const char *path, const char **what, const char **how,
                             struct mien_err *e);

/* Appends a line for each format that is known. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int import_formats(struct mien_buf *out);

#endif
