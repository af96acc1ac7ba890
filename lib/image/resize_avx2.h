/* Inside resampling: the two passes with AVX2, on top of the portable ones. */
#ifndef MIEN_IMAGE_RESIZE_AVX2_H
#define MIEN_IMAGE_RESIZE_AVX2_H

#include <stdbool.h>

#include "resize_axis.h"

/* Whether this processor has AVX2, and the passes for it: bit for bit as the portable ones. */
bool resize_have_avx2(void);
void resize_rows_avx2(const struct axis *x, const unsigned char *src, int h, unsigned char *dst);
void resize_columns_avx2(const struct axis *y, const unsigned char *src, size_t n,
                         unsigned char *dst);

#endif
