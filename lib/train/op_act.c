/* Activations. */
#include <string.h>

#include "op.h"

/* --- The relus ------------------------------------------------------------------------------ */

static void relu_forward(struct trainer *t, const struct images *v)
{
    const struct tail tail = {NULL, k_act(v->l->type), pass_param(t, v->l, 0)};
    if (v->y != v->x)
        memcpy(v->y, v->x, v->n * v->count * sizeof *v->y);
    k_tail(v->y, v->rows, v->l->shape.c, &tail);
}

SIMD static void g_relu(const real *restrict y, real *restrict d, size_t n)
{
    for (size_t i = 0; i < n; i++)
        d[i] = y[i] > 0 ? d[i] : 0;
}

SIMD static void g_relu6(const real *restrict y, real *restrict d, size_t n)
{
    for (size_t i = 0; i < n; i++)
        d[i] = y[i] > 0 && y[i] < 6 ? d[i] : 0;
}

static void relu_backward(struct trainer *t, const struct images *v, const struct gradients *g)
{
    size_t count = v->n * v->count;
    (void)t;
    if (g->dx != g->dy)
        memcpy(g->dx, g->dy, count * sizeof *g->dx);
    if (v->l->type == L_RELU)
        g_relu(v->y, g->dx, count);
    else
        g_relu6(v->y, g->dx, count);
}

const struct train_op train_relu = {
    .forward = relu_forward,
    .backward = relu_backward,
};
const struct train_op train_relu6 = {
    .forward = relu_forward,
    .backward = relu_backward,
};

static void g_prelu(const real *slope, const real *x, const real *dy, real *dx, real *dslope,
                    size_t rows, int c)
{
    for (size_t r = 0; r < rows; r++, x += c, dy += c) {
        for (int i = 0; i < c; i++) {
            if (dslope != NULL)
                dslope[i] += x[i] < 0 ? dy[i] * x[i] : 0;
            if (dx != NULL)
                dx[i] = x[i] < 0 ? dy[i] * slope[i] : dy[i];
        }
        if (dx != NULL)
            dx += c;
    }
}

static void prelu_backward(struct trainer *t, const struct images *v, const struct gradients *g)
{
    g_prelu(pass_param(t, v->l, 0), v->x, g->dy, g->dx, g->dw, v->rows, v->l->shape.c);
}

const struct train_op train_prelu = {
    .forward = relu_forward,
    .backward = prelu_backward,
};

/* --- Others --------------------------------------------------------------------------------- */

static void sigmoid_forward(struct trainer *t, const struct images *v)
{
    (void)t;
    k_sigmoid(v->x, v->y, v->n * v->count);
}

SIMD static void g_sigmoid(const real *restrict y, const real *restrict dy, real *restrict dx,
                           size_t n)
{
    for (size_t i = 0; i < n; i++)
        dx[i] = dy[i] * y[i] * (1 - y[i]);
}

static void sigmoid_backward(struct trainer *t, const struct images *v, const struct gradients *g)
{
    (void)t;
    g_sigmoid(v->y, g->dy, g->dx, v->n * v->count);
}

const struct train_op train_sigmoid = {.forward = sigmoid_forward, .backward = sigmoid_backward};

static void softmax_forward(struct trainer *t, const struct images *v)
{
    (void)t;
    k_softmax(v->x, v->y, v->count, v->n);
}

static void g_softmax(const real *y, const real *dy, real *dx, size_t count, size_t n)
{
    for (size_t i = 0; i < n; i++, y += count, dy += count, dx += count) {
        real dot = 0;
        for (size_t k = 0; k < count; k++)
            dot += y[k] * dy[k];
        for (size_t k = 0; k < count; k++)
            dx[k] = y[k] * (dy[k] - dot);
    }
}

static void softmax_backward(struct trainer *t, const struct images *v, const struct gradients *g)
{
    (void)t;
    g_softmax(v->y, g->dy, g->dx, v->count, v->n);
}

const struct train_op train_softmax = {.forward = softmax_forward, .backward = softmax_backward};
