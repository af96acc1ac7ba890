/* Moving values. */
#include <string.h>

#include "kernels.h"

void k_place(const real *x, int c, real *y, int at, int width, size_t rows)
{
    for (size_t r = 0; r < rows; r++)
        memcpy(y + r * (size_t)width + at, x + r * (size_t)c, (size_t)c * sizeof *x);
}

void k_pad(const struct layer *l, struct shape in, const real *x, real *y, size_t n)
{
    struct shape out = l->shape;
    memset(y, 0, n * shape_count(out) * sizeof *y);
    for (size_t i = 0; i < n; i++, y += shape_count(out)) {
        for (int r = 0; r < in.h; r++, x += (size_t)in.w * (size_t)in.c) {
            real *line = y + ((size_t)(r + l->pt) * (size_t)out.w + (size_t)l->pl) * (size_t)out.c;
            k_place(x, in.c, line, l->cb, out.c, (size_t)in.w);
        }
    }
}
