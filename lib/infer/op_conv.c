/* Convolutions. */
#include "op.h"

const struct infer_op infer_conv = {sums_compile, sums_run};

static int dwconv_compile(const struct compiler *c, struct step *s, int i)
{
    struct plan *p = c->p;
    const struct layer *l = &p->net.layer[i];
    struct shape in = p->net.layer[l->in[0]].shape;
    int last = compile_folded(c, s, i);
    if (last < 0)
        return last;
    compile_fuse_act(c, s, last);
    const struct tail tail = {s->bias, s->act, s->slope};
    s->depthwise = depthwise_make(p->simd, l, in, s->w, &tail, false);
    compile_room(&p->scratch, depthwise_scratch(&s->depthwise));
    compile_room(&p->zeros, (size_t)in.c);
    return 0;
}

static void dwconv_run(const struct run *r)
{
    depthwise_run(&r->s->depthwise, r->x[0], r->y, r->n, r->zeros, r->scratch);
}

const struct infer_op infer_dwconv = {dwconv_compile, dwconv_run};

/* --- tconv ---------------------------------------------------------------------------------- */

/* A product of matrices makes what every input pixel adds to the output pixels under the kernel;
   these are added up then. */
static struct layer product_of(const struct layer *l, struct shape in)
{
    struct layer product = layer_make("", L_CONV);
    product.units = l->kh * l->kw * l->units;
    product.shape = (struct shape){in.h, in.w, product.units};
    return product;
}

static size_t product_bytes(const struct layer *l, struct shape in)
{
    return shape_count(product_of(l, in).shape) * sizeof(float);
}

static int tconv_compile(const struct compiler *c, struct step *s, int i)
{
    struct plan *p = c->p;
    const struct layer *l = &p->net.layer[i];
    struct shape in = p->net.layer[l->in[0]].shape;
    int last = compile_folded(c, s, i);
    if (last < 0)
        return last;
    compile_fuse_act(c, s, last);
    if (l->groups > 1)
        return 0;
    struct layer product = product_of(l, in);
    const struct tail none = {NULL, ACT_NONE, NULL};
    if (conv_make(&s->conv, &p->arena, p->simd, &product, in, s->w, &none) < 0)
        return MIEN_ERR_MEM;
    compile_room(&p->scratch, product_bytes(l, in) + conv_scratch(&s->conv));
    compile_room(&p->zeros, conv_zeros(&s->conv));
    return 0;
}

static void tconv_run(const struct run *r)
{
    const struct step *s = r->s;
    const struct tail tail = {s->bias, s->act, s->slope};
    if (r->l->groups > 1) {
        k_tconv(r->l, r->in, s->w, &tail, r->x[0], r->y, r->n);
        return;
    }
    float *product = r->scratch;
    void *rest = (char *)r->scratch + product_bytes(r->l, r->in);
    for (size_t i = 0; i < r->n; i++) {
        conv_run(&s->conv, r->x[0] + i * shape_count(r->in), NULL, product, 1, r->zeros, rest);
        k_tconv_add(r->l, r->in, product, &tail, r->y + i * r->count);
    }
}

const struct infer_op infer_tconv = {tconv_compile, tconv_run};
