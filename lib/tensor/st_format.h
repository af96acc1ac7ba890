/* What the reader and the writer of safetensors files share. */
#ifndef MIEN_TENSOR_ST_FORMAT_H
#define MIEN_TENSOR_ST_FORMAT_H

#include <stdbool.h>

#include "mien/safetensors.h"

#define ST_METADATA "__metadata__" /* the header's key of the texts */

/* Sets count and bytes from the type and shape. False when they overflow. */
bool st_measure(struct mien_tensor *t);

#endif
