/* Layers of units that read all of their input. */
#include "op.h"

const struct infer_op infer_dense = {sums_compile, sums_run};

static void coral_run(const struct run *r)
{
    k_coral(shape_count(r->in), r->l->units, r->s->w, r->s->bias, r->x[0], r->y, r->n);
}

const struct infer_op infer_coral = {compile_weights, coral_run};
