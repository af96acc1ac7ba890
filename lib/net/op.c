/* The table of operators, and what their shape rules share. */
#include "op.h"

#include <assert.h>

#define DECLARE(type, word) extern const struct op op_##word;
OPS(DECLARE)

const struct op *op_of(enum layer_type type)
{
#define ENTRY(type, word) [L_##type] = &op_##word,
    static const struct op *const ops[] = {OPS(ENTRY)};
    return ops[type];
}

const char op_too_large[] = "its output is empty or too large";

int op_bad(const struct layer *l, struct mien_err *e, const char *what)
{
    return mien_err_set(e, MIEN_ERR_ARG, "layer '%s': %s", l->name, what);
}

struct param *op_param(struct layer *l, const char *name, int ndim, size_t a, size_t b, size_t c,
                       size_t d)
{
    assert(l->nparam < NET_MAX_PARAMS);
    struct param *p = &l->param[l->nparam++];
    *p = (struct param){.name = name, .ndim = ndim, .dim = {a, b, c, d}, .trained = true};
    p->count = 1;
    /* Beyond 2^31, which net_add refuses, it goes no further: no product wraps. */
    for (int i = 0; i < ndim && p->count <= (size_t)1 << 31; i++)
        p->count *= p->dim[i];
    return p;
}

void op_weight(struct layer *l, double fan_in, double fan_out, int ndim, size_t a, size_t b,
               size_t c, size_t d)
{
    struct param *p = op_param(l, "weight", ndim, a, b, c, d);
    p->fan_in = fan_in;
    p->fan_out = fan_out;
}

void op_bias(struct layer *l)
{
    op_param(l, "bias", 1, (size_t)l->units, 1, 1, 1);
}

/* Resolves one dimension's padding and returns the output's extent, or 0 when there is none. */
static int window(int in, int k, int s, enum pad_mode mode, bool ceil, int *before, int *after)
{
    if (mode == PAD_SAME) {
        int out = (in + s - 1) / s, total = (out - 1) * s + k - in;
        if (total < 0)
            total = 0;
        *before = total / 2;
        *after = total - *before;
    }
    int room = in + *before + *after - k;
    if (room < 0)
        return 0;
    /* A last window that reaches beyond the padding begins before it. */
    int more = ceil && room % s != 0 && (room / s + 1) * s < in + *before;
    return room / s + 1 + more;
}

int op_reach(int k, int dilation)
{
    return (k - 1) * dilation + 1;
}

int op_slide(struct layer *l, struct shape in, struct mien_err *e)
{
    int kh = op_reach(l->kh, l->dh), kw = op_reach(l->kw, l->dw);
    if (l->kh < 1 || l->kw < 1 || l->sh < 1 || l->sw < 1 || l->kh > 1024 || l->kw > 1024 ||
        l->sh > 1024 || l->sw > 1024)
        return op_bad(l, e, "kernel and stride must be 1 to 1024");
    if (l->dh < 1 || l->dw < 1 || l->dh > 1024 || l->dw > 1024)
        return op_bad(l, e, "dilation must be 1 to 1024");
    if (l->pt < 0 || l->pb < 0 || l->pl < 0 || l->pr < 0)
        return op_bad(l, e, "a padding can't be negative");
    if (l->pad == PAD_VALID)
        l->pt = l->pb = l->pl = l->pr = 0;
    if (l->pad == PAD_EXPLICIT && (l->pt >= kh || l->pb >= kh || l->pl >= kw || l->pr >= kw))
        return op_bad(l, e, "the padding is as large as the kernel");
    l->shape.h = window(in.h, kh, l->sh, l->pad, l->ceil, &l->pt, &l->pb);
    l->shape.w = window(in.w, kw, l->sw, l->pad, l->ceil, &l->pl, &l->pr);
    if (l->shape.h == 0 || l->shape.w == 0)
        return op_bad(l, e, "the kernel is larger than its input");
    l->shape.c = in.c;
    return 0;
}
