#include "const.h"

#include <assert.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_COUNT = INT_MAX, MAX_MADE = 1 << 22 };

size_t extents(const int *dim, int n)
{
    size_t count = 1;
    for (int k = 0; k < n; k++)
        count *= (size_t)dim[k];
    return count;
}

static int make(struct constant *t, bool whole, int most, struct mien_err *e)
{
    double count = 1;
    for (int k = 0; k < t->rank; k++)
        count *= t->dim[k];
    if (count > most)
        return mien_err_set(e, MIEN_ERR_LIMIT, "a tensor of %.0f elements is too large", count);
    t->count = (size_t)count;
    size_t size = (t->count + 1) * (whole ? sizeof *t->i : sizeof *t->f);
    void *p = calloc(1, size);
    if (p == NULL)
        return mien_err_mem(e, size, "a constant");
    t->f = whole ? NULL : p;
    t->i = whole ? p : NULL;
    return 0;
}

int constant_new(struct constant *t, bool whole, struct mien_err *e)
{
    return make(t, whole, MAX_COUNT, e);
}

int constant_made(struct constant *t, bool whole, struct mien_err *e)
{
    return make(t, whole, MAX_MADE, e);
}

void constant_free(struct constant *t)
{
    free(t->f);
    free(t->i);
    *t = (struct constant){0};
}

int constant_copy(struct constant *to, const struct constant *from, struct mien_err *e)
{
    *to = *from;
    to->f = NULL;
    to->i = NULL;
    int rc = constant_new(to, from->i != NULL, e);
    if (rc < 0)
        return rc;
    assert((to->i != NULL) == (from->i != NULL));
    if (to->i != NULL)
        memcpy(to->i, from->i, to->count * sizeof *to->i);
    else
        memcpy(to->f, from->f, to->count * sizeof *to->f);
    return 0;
}

void constant_set(struct constant *t, size_t k, double v)
{
    if (t->f != NULL)
        t->f[k] = (float)v;
    else
        t->i[k] = !(v > -0x1p63) ? INT64_MIN : v >= 0x1p63 ? INT64_MAX : (int64_t)floor(v);
}

int constant_int(const struct constant *t, size_t k)
{
    double v = constant_get(t, k);
    return !(v > -(double)INT_MAX) ? -INT_MAX : v > (double)INT_MAX ? INT_MAX : (int)v;
}

int constant_permute(struct constant *to, const struct constant *from, const int *order,
                     struct mien_err *e)
{
    size_t step[CONST_MAX_RANK], stride[CONST_MAX_RANK] = {0}, at = 0;
    int index[CONST_MAX_RANK] = {0}, n = from->rank;
    *to = (struct constant){.rank = n};
    for (int k = n - 1; k >= 0; k--)
        stride[k] = k == n - 1 ? 1 : stride[k + 1] * (size_t)from->dim[k + 1];
    for (int k = 0; k < n; k++) {
        to->dim[k] = from->dim[order[k]];
        step[k] = stride[order[k]];
    }
    int rc = constant_new(to, from->i != NULL, e);
    assert(rc < 0 || (to->i != NULL) == (from->i != NULL));
    for (size_t k = 0; rc == 0 && k < to->count; k++) {
        if (to->i != NULL)
            to->i[k] = from->i[at];
        else
            to->f[k] = from->f[at];
        for (int d = n - 1; d >= 0; d--) { /* to the next element */
            at += step[d];
            if (++index[d] < to->dim[d])
                break;
            at -= step[d] * (size_t)to->dim[d];
            index[d] = 0;
        }
    }
    return rc;
}
