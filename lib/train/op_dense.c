/* Layers of units that read all of their input, and products of two inputs (matmul). */
#include <assert.h>

#include "grad.h"
#include "op.h"

static void dense_forward(struct trainer *t, const struct images *v)
{
    const struct tail tail = {pass_param(t, v->l, 1), train_tail(&t->memory, v->i), NULL};
    const struct products products = pass_products(t, v->i, v->worker);
    k_dense(&products, v->l, v->icount, pass_param(t, v->l, 0), &tail, v->x, v->y, v->n);
}

static void g_dense(const struct products *p, const struct layer *l, size_t inputs, const real *w,
                    const real *x, const real *dy, real *dx, real *dw, real *db, size_t n)
{
    if (db != NULL)
        g_add_rows(NULL, reals_floats(dy), (size_t)l->units, n, l->units, db);
    if (dw != NULL)
        gemm(p, 1, 0, (int)inputs, l->units, (int)n, reals_floats(x), (int)inputs, reals_floats(dy),
             l->units, true, dw, l->units);
    if (dx != NULL)
        gemm(p, 0, 1, (int)n, (int)inputs, l->units, reals_floats(dy), l->units, reals_floats(w),
             l->units, false, dx, (int)inputs);
}

static void dense_backward(struct trainer *t, const struct images *v, const struct gradients *g)
{
    const struct products products = pass_products(t, v->i, v->worker);
    g_dense(&products, v->l, v->icount, pass_param(t, v->l, 0), v->x, g->dy, g->dx, g->dw, g->db,
            v->n);
}

const struct train_op train_dense = {
    .forward = dense_forward,
    .backward = dense_backward,
};

static void coral_forward(struct trainer *t, const struct images *v)
{
    k_coral(v->icount, v->l->units, pass_param(t, v->l, 0), pass_param(t, v->l, 1), v->x, v->y,
            v->n);
}

static void g_coral(size_t inputs, int units, const real *w, const real *x, const real *dy,
                    real *dx, real *dw, real *db, size_t n)
{
    assert(w != NULL);
    if (db != NULL)
        g_add_rows(NULL, reals_floats(dy), (size_t)units, n, units, db);
    for (size_t i = 0; i < n; i++, x += inputs, dy += units) {
        real rank = 0; /* the gradient of what all units share */
        for (int u = 0; u < units; u++)
            rank += dy[u];
        for (size_t k = 0; dw != NULL && k < inputs; k++)
            dw[k] += rank * x[k];
        for (size_t k = 0; dx != NULL && k < inputs; k++)
            dx[i * inputs + k] = rank * w[k];
    }
}

static void coral_backward(struct trainer *t, const struct images *v, const struct gradients *g)
{
    g_coral(v->icount, v->l->units, pass_param(t, v->l, 0), v->x, g->dy, g->dx, g->dw, g->db, v->n);
}

const struct train_op train_coral = {.forward = coral_forward, .backward = coral_backward};

/* Input k of images v. */
static const real *side(const struct trainer *t, const struct images *v, int k, struct shape *s)
{
    *s = t->net->layer[v->l->in[k]].shape;
    return t->state[v->l->in[k]].act.f + v->first * shape_count(*s);
}

static void matmul_forward(struct trainer *t, const struct images *v)
{
    struct shape a, b;
    const real *x0 = side(t, v, 0, &a), *x1 = side(t, v, 1, &b);
    k_matmul(v->l, a, b, x0, x1, v->y, v->n);
}

static void matmul_input(struct trainer *t, const struct images *v, int k, const real *dy, real *dx)
{
    struct shape a, b;
    const real *x0 = side(t, v, 0, &a), *x1 = side(t, v, 1, &b);
    k_matmul_back(v->l, a, b, x0, x1, k, dy, dx, v->n);
}

const struct train_op train_matmul = {.forward = matmul_forward, .backward_input = matmul_input};
