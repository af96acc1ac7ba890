/* Normalisation. */
#include "net/fold.h"
#include "op.h"

/* A bn layer of its own: a scale and a shift for each channel. */
static int bn_compile(const struct compiler *c, struct step *s, int i)
{
    int channels = c->p->net.layer[i].shape.c;
    s->w = compile_copy(NULL, (size_t)channels);
    s->bias = compile_copy(NULL, (size_t)channels);
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
    k_l2norm(r->x[0], r->y, r->count, r->n);
}

const struct infer_op infer_l2norm = {NULL, l2norm_run};
