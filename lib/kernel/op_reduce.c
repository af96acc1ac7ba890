#include <math.h>

#include "axes.h"
#include "kernels.h"

/* The greatest of the elements (sign 1) or the least (-1). */
static double extreme(const struct walk *k, const real *x, size_t from, int sign)
{
    double best = x[from];
    WALK (k, from, at)
        best = sign * (double)x[at] > sign * best ? (double)x[at] : best;
    return best;
}

static double reduced(const struct walk *k, enum reduction kind, const real *x, size_t from)
{
    double sum = 0, product = 1, top;
    switch (kind) {
    case REDUCE_MAX:
        return extreme(k, x, from, 1);
    case REDUCE_MIN:
        return extreme(k, x, from, -1);
    case REDUCE_PROD:
        WALK (k, from, at)
            product *= x[at];
        return product;
    case REDUCE_L1:
        WALK (k, from, at)
            sum += fabs((double)x[at]);
        return sum;
    case REDUCE_L2:
    case REDUCE_SUMSQ:
        WALK (k, from, at)
            sum += (double)x[at] * x[at];
        return kind == REDUCE_L2 ? sqrt(sum) : sum;
    case REDUCE_LOGSUMEXP:
        top = extreme(k, x, from, 1); /* so that exp can't overflow */
        WALK (k, from, at)
            sum += exp(x[at] - top);
        return top + log(sum);
    default:
        WALK (k, from, at)
            sum += x[at];
        return kind == REDUCE_MEAN     ? sum / (double)k->count
               : kind == REDUCE_LOGSUM ? log(sum)
                                       : sum;
    }
}

void k_reduce(const struct layer *l, struct shape in, const real *x, real *y, size_t n)
{
    struct walk k = walk_along(in, l->axes, 1);
    for (size_t i = 0; i < n; i++, x += shape_count(in), y += k.outputs) {
        for (size_t o = 0; o < k.outputs; o++)
            y[o] = (real)reduced(&k, (enum reduction)l->kind, x, walk_from(&k, o));
    }
}
