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
    s->depthwise = depthwise_make(p->simd, l, in, s->w, &tail);
    compile_room(&p->scratch, depthwise_scratch(&s->depthwise));
    compile_room(&p->zeros, (size_t)in.c);
    return 0;
}

static void dwconv_run(const struct run *r)
{
    depthwise_run(&r->s->depthwise, r->x[0], r->y, r->n, r->zeros, r->scratch);
}

const struct infer_op infer_dwconv = {dwconv_compile, dwconv_run};
