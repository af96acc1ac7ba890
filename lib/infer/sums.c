/* Convolutions and dense layers: sums of products, what is folded into them, and their kernels. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "net/fold.h"
#include "op.h"

/* Folds into layer i's weights w, and the step's bias, what scales and shifts the channels behind it.
   Returns the last layer that the step then stands for. */
static int fold(const struct compiler *c, struct step *s, int i, float *w)
{
    size_t count = c->p->net.layer[i].param[0].count;
    for (int k; (k = fold_affine_behind(&c->p->net, c->uses, s->last)) >= 0;) {
        fold_affine(&c->from->layer[c->origin[k]], c->weights, w, count, s->bias);
        compile_take_over(c, s, k);
    }
    return s->last;
}

int compile_folded(const struct compiler *c, struct step *s, int i)
{
    return compile_weights(c, s, i) < 0 ? MIEN_ERR_MEM : fold(c, s, i, s->w);
}

/* Takes over the sum of layer i and a value that is there already, if it is the only reader of i.
   Returns the last layer that the step now stands for. */
static int fuse_add(const struct compiler *c, struct step *s, int i)
{
    const struct net *net = &c->p->net;
    for (int k = i + 1; c->uses[i] == 1 && k < net->n; k++) {
        const struct layer *l = &net->layer[k];
        if (l->type != L_ADD || l->nin != 2 || (l->in[0] != i && l->in[1] != i))
            continue;
        int in = l->in[0] == i ? l->in[1] : l->in[0], other = c->value_of[in];
        size_t count = shape_count(l->shape);
        if (other < 0 || shape_count(net->layer[in].shape) != count ||
            shape_count(net->layer[i].shape) != count)
            break;
        s->in[s->nin++] = other;
        return compile_take_over(c, s, k);
    }
    return i;
}

/* The kernels of a convolution or dense layer; that of conv.h does all of them. */
enum kernel { KERNEL_CONV, KERNEL_WINOGRAD, KERNEL_INT8, KERNEL_BF16 };

bool sums_in_bf16(const struct plan *p, const struct layer *l)
{
    return p->bf16 != NULL && conv_bf16_fits(l) && p->net.layer[l->in[0]].type != L_INPUT;
}

static enum kernel kernel_of(const struct plan *p, const struct layer *l)
{
    const struct layer *before = &p->net.layer[l->in[0]];
    if (p->int8 != NULL && before->type != L_INPUT && conv_int8_fits(l, before->shape))
        return KERNEL_INT8;
    if (sums_in_bf16(p, l))
        return KERNEL_BF16;
    return winograd_fits(p->simd, l, before->shape) ? KERNEL_WINOGRAD : KERNEL_CONV;
}

/* Sets the kernel of a convolution or dense layer of weights w up, and the room it needs: returns 0 or
   MIEN_ERR_MEM. */
static int prepare(const struct compiler *c, struct step *s, const float *w)
{
    struct plan *p = c->p;
    const struct layer *l = &p->net.layer[s->layer];
    struct shape in = p->net.layer[l->in[0]].shape;
    const struct tail tail = {s->bias, s->act, s->slope};
    switch (kernel_of(p, l)) {
    case KERNEL_INT8:
        s->conv_int8 = arena_zeros(&p->arena, 1, sizeof *s->conv_int8);
        if (s->conv_int8 == NULL ||
            conv_int8_make(s->conv_int8, &p->arena, p->int8, l, in, w, &tail) < 0)
            return MIEN_ERR_MEM;
        compile_room(&p->scratch, conv_int8_scratch(s->conv_int8, (size_t)plan_group(p, s)));
        compile_room(&p->zeros, conv_int8_zeros(s->conv_int8));
        break;
    case KERNEL_BF16:
        s->conv_bf16 = arena_zeros(&p->arena, 1, sizeof *s->conv_bf16);
        if (s->conv_bf16 == NULL || conv_bf16_make(s->conv_bf16, &p->arena, p->bf16, l, in, w,
                                                   c->mean[l->in[0]], &tail) < 0)
            return MIEN_ERR_MEM;
        compile_room(&p->scratch, conv_bf16_scratch(s->conv_bf16));
        break;
    case KERNEL_WINOGRAD:
        s->winograd = arena_zeros(&p->arena, 1, sizeof *s->winograd);
        if (s->winograd == NULL ||
            winograd_make(s->winograd, &p->arena, p->simd, l, in, w, &tail) < 0)
            return MIEN_ERR_MEM;
        compile_room(&p->scratch, winograd_scratch(s->winograd));
        compile_room(&p->zeros, winograd_zeros(s->winograd));
        break;
    default:
        if (conv_make(&s->conv, &p->arena, p->simd, l, in, w, &tail) < 0)
            return MIEN_ERR_MEM;
        compile_room(&p->scratch, conv_scratch(&s->conv));
        compile_room(&p->zeros, conv_zeros(&s->conv));
    }
    return 0;
}

/* With weights w, into which what is behind has been folded. */
static int compile_sums(const struct compiler *c, struct step *s, int i, const float *w)
{
    int last = s->last;
    if (kernel_of(c->p, &c->p->net.layer[i]) != KERNEL_WINOGRAD)
        last = fuse_add(c, s, last);
    compile_fuse_act(c, s, last);
    return prepare(c, s, w);
}

/* Kernels pack weights, so those of the model do, unless something is folded into them. */
int sums_compile(const struct compiler *c, struct step *s, int i)
{
    const struct layer *l = &c->p->net.layer[i];
    const float *w = compile_param(c, i, "weight");
    float *folded = NULL;
    s->bias = compile_copy(c, compile_param(c, i, "bias"), (size_t)l->units);
    if (s->bias == NULL)
        return MIEN_ERR_MEM;
    if (fold_affine_behind(&c->p->net, c->uses, i) >= 0) {
        folded = aligned_new(l->param[0].count, sizeof *folded);
        if (folded == NULL)
            return MIEN_ERR_MEM;
        memcpy(folded, w, l->param[0].count * sizeof *folded);
        fold(c, s, i, folded);
        w = folded;
    }
    int rc = compile_sums(c, s, i, w);
    free(folded);
    return rc;
}

void sums_run(const struct run *r)
{
    const struct step *s = r->s;
    const float *add = s->nin > 1 ? r->x[1] : NULL; /* what is added to the sums */
    if (s->winograd != NULL) {
        assert(winograd_scratch(s->winograd) <= r->p->scratch && add == NULL);
        winograd_run(s->winograd, r->x[0], r->y, r->n, r->zeros, r->scratch);
    } else if (s->conv_bf16 != NULL) {
        assert(conv_bf16_scratch(s->conv_bf16) <= r->p->scratch);
        const struct reals x = reals_of((void *)r->x[0], r->p->value[s->in[0]].bf16);
        const struct reals y = reals_of(r->y, r->p->value[s->out].bf16);
        conv_bf16_run(s->conv_bf16, x, add, y, r->n, r->scratch);
    } else if (s->conv_int8 != NULL) {
        assert(conv_int8_scratch(s->conv_int8, r->n) <= r->p->scratch);
        conv_int8_run(s->conv_int8, r->x[0], add, r->y, r->n, r->zeros, r->scratch);
    } else {
        assert(conv_scratch(&s->conv) <= r->p->scratch && conv_zeros(&s->conv) <= r->p->zeros);
        conv_run(&s->conv, r->x[0], add, r->y, r->n, r->zeros, r->scratch);
    }
}
