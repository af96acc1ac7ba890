/* Normalization. */
#include "net/fold.h"
#include "op.h"

/* A bn layer of its own: a scale and a shift for each channel. */
static int bn_compile(const struct compiler *c, struct step *s, int i)
{
    int channels = c->p->net.layer[i].shape.c;
    s->w = compile_copy(c, NULL, (size_t)channels);
    s->bias = compile_copy(c, NULL, (size_t)channels);
    if (s->w == NULL || s->bias == NULL)
        return MIEN_ERR_MEM;
    for (int ch = 0; ch < channels; ch++) {
        double scale, shift;
        fold_scale(&c->from->layer[c->origin[i]], c->weights, ch, &scale, &shift);
        s->w[ch] = (real)scale;
        s->bias[ch] = (real)shift;
    }
    return 0;
}

static void bn_run(const struct run *r)
{
    k_scale(r->y, r->x[0], r->rows, r->l->shape.c, r->s->w, r->s->bias);
}

const struct infer_op infer_bn = {bn_compile, bn_run};

static void l2norm_run(const struct run *r)
{
    k_l2norm(r->l, r->x[0], r->y, r->n);
}

const struct infer_op infer_l2norm = {NULL, l2norm_run};

static int norm_compile(const struct compiler *c, struct step *s, int i)
{
    const struct layer *l = &c->p->net.layer[i];
    if (l->nparam == 0)
        return 0;
    s->w = compile_copy(c, compile_param(c, i, "gamma"), (size_t)l->shape.c);
    s->bias = compile_copy(c, compile_param(c, i, "beta"), (size_t)l->shape.c);
    return s->w == NULL || s->bias == NULL ? MIEN_ERR_MEM : 0;
}

static void norm_run(const struct run *r)
{
    k_norm(r->l, r->s->w, r->s->bias, r->x[0], r->y, r->n);
}

const struct infer_op infer_norm = {norm_compile, norm_run};

static void lrn_run(const struct run *r)
{
    k_lrn(r->l, r->x[0], r->y, r->rows);
}

const struct infer_op infer_lrn = {NULL, lrn_run};
