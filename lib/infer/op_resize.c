#include "op.h"

static void resize_run(const struct run *r)
{
    k_resize(r->l, r->in, r->x[0], r->y, r->n, false);
}

const struct infer_op infer_resize = {NULL, resize_run};
