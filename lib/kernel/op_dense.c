#include "kernels.h"

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
