/* Constant tensors: weights, and what is computed of them and of shapes at import. */
#ifndef MIEN_ONNX_CONST_H
#define MIEN_ONNX_CONST_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mien/err.h"

enum { CONST_MAX_RANK = 8 };

/* Elements in order, the last dimension the fastest. Whole numbers of all types, and truth values,
   are in i, reals in f; the other is NULL. Zeroed it is none. */
struct constant {
    int rank, dim[CONST_MAX_RANK];
    size_t count;
    float *f;
    int64_t *i;
};

/* Makes room for the elements of t's rank and dim, and counts them: zeros. Returns 0, MIEN_ERR_MEM,
   or MIEN_ERR_LIMIT for more than 2^31. */
MIEN_CHECKED int constant_new(struct constant *t, bool whole, struct mien_err *e);
/* The same for what no bytes of a file stand behind: at most 2^22 elements. */
MIEN_CHECKED int constant_made(struct constant *t, bool whole, struct mien_err *e);
void constant_free(struct constant *t);
MIEN_CHECKED int constant_copy(struct constant *to, const struct constant *from,
                               struct mien_err *e);

static inline bool constant_is(const struct constant *t)
{
    return t->f != NULL || t->i != NULL;
}
static inline double constant_get(const struct constant *t, size_t k)
{
    assert(constant_is(t));
    return t->f != NULL ? (double)t->f[k] : (double)t->i[k];
}
/* A whole number is rounded down, and kept within 64 bits. */
void constant_set(struct constant *t, size_t k, double v);

/* An element as a whole number, kept within [-2^31 + 1, 2^31 - 1]. */
int constant_int(const struct constant *t, size_t k);

/* The product of n extents, none above 2^31. */
size_t extents(const int *dim, int n);

/* Writes the axes of `from`, in this order, to `to`. Returns as constant_new. */
MIEN_CHECKED int constant_permute(struct constant *to, const struct constant *from,
                                  const int *order, struct mien_err *e);

#endif
