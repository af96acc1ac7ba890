/* Layers of units that read all of their input, and products of two inputs (matmul). */
#include <string.h>

#include "layers.h"

void k_coral(size_t inputs, int units, const real *w, const real *b, const real *x, real *y,
             size_t n)
{
    for (size_t i = 0; i < n; i++, x += inputs, y += units) {
        real rank = 0;
        for (size_t k = 0; k < inputs; k++)
            rank += x[k] * w[k];
        for (int u = 0; u < units; u++)
            y[u] = rank + b[u];
    }
}

/* A matrix of rows x columns, or the transposed one, whose rows are `line` long. */
struct side {
    const real *x;
    size_t down, right;
};

static struct side side_of(const real *x, struct shape s, bool turned, size_t h)
{
    size_t line = (size_t)s.c;
    x += (s.h > 1 ? h : 0) * (size_t)s.w * line;
    return turned ? (struct side){x, 1, line} : (struct side){x, line, 1};
}

/* y (rows, columns) += a (rows, inner) b (inner, columns). */
SIMD static void product(struct side a, struct side b, real *restrict y, size_t ydown,
                         size_t yright, size_t rows, size_t inner, size_t columns)
{
    for (size_t r = 0; r < rows; r++) {
        real *restrict to = y + r * ydown;
        for (size_t k = 0; k < inner; k++) {
            real f = a.x[r * a.down + k * a.right];
            const real *restrict from = b.x + k * b.down;
            if (b.right == 1 && yright == 1) {
                for (size_t c = 0; c < columns; c++)
                    to[c] += f * from[c];
            } else {
                for (size_t c = 0; c < columns; c++)
                    to[c * yright] += f * from[c * b.right];
            }
        }
    }
}

void k_matmul(const struct layer *l, struct shape a, struct shape b, const real *x0, const real *x1,
              real *y, size_t n)
{
    size_t rows = (size_t)l->shape.w, columns = (size_t)l->shape.c;
    size_t inner = (size_t)(l->ta ? a.w : a.c);
    memset(y, 0, n * shape_count(l->shape) * sizeof *y);
    for (size_t i = 0; i < n; i++, x0 += shape_count(a), x1 += shape_count(b)) {
        for (size_t h = 0; h < (size_t)l->shape.h; h++, y += rows * columns)
            product(side_of(x0, a, l->ta, h), side_of(x1, b, l->tb, h), y, columns, 1, rows, inner,
                    columns);
    }
}

void k_matmul_back(const struct layer *l, struct shape a, struct shape b, const real *x0,
                   const real *x1, int by, const real *dy, real *d, size_t n)
{
    size_t rows = (size_t)l->shape.w, columns = (size_t)l->shape.c;
    size_t inner = (size_t)(l->ta ? a.w : a.c), line = (size_t)(by == 0 ? a.c : b.c);
    bool turned = by == 0 ? l->ta : l->tb;
    struct shape of = by == 0 ? a : b;
    memset(d, 0, n * shape_count(of) * sizeof *d);
    for (size_t i = 0; i < n; i++, x0 += shape_count(a), x1 += shape_count(b)) {
        for (size_t h = 0; h < (size_t)l->shape.h; h++, dy += rows * columns) {
            real *to = d + i * shape_count(of) + (of.h > 1 ? h : 0) * (size_t)of.w * line;
            size_t down = turned ? 1 : line, right = turned ? line : 1;
            if (by == 0) /* dy b' */
                product((struct side){dy, columns, 1}, side_of(x1, b, !l->tb, h), to, down, right,
                        rows, columns, inner);
            else /* a' dy */
                product(side_of(x0, a, !l->ta, h), (struct side){dy, columns, 1}, to, down, right,
                        inner, rows, columns);
        }
    }
}
