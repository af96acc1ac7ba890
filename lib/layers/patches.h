/*
 * Patches of images as rows of matrices, which make a convolution a product. No BLAS is needed to
 * plan with these.
 */
#ifndef MIEN_LAYERS_PATCHES_H
#define MIEN_LAYERS_PATCHES_H

#include "layers.h"

/* Rows of k elements made at once: enough for the product to be efficient, few enough to stay in
   the second-level cache for common sizes. */
size_t k_tile_rows(size_t k);

/* Elements of the patches of layer l that are made at once; 0 where its input is the matrix. */
size_t k_conv_scratch(const struct layer *l, struct shape in);

/* The patches of output pixels [from, from + count) of one image as rows of kh x kw x channels,
   of the input's channels [c0, c0 + nc). x has elements of `size` bytes, whose zero is all zeros. */
void k_im2col(const struct layer *l, struct shape in, const void *x, size_t size, int c0, int nc,
              size_t from, size_t count, void *col);

/* The same of terms [term, term + terms) of each patch, without groups; pixels are counted over all
   images. */
void k_im2col_terms(const struct layer *l, struct shape in, const void *x, size_t size, size_t term,
                    size_t terms, size_t from, size_t count, void *col);

#endif
