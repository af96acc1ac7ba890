/*
 * Operators as the room train knows them: how a trainer runs a layer forward and backward. Each is
 * defined in the file op_FAMILY.c of its family; the table is made of net/op_list.h.
 */
#ifndef MIEN_TRAIN_OP_H
#define MIEN_TRAIN_OP_H

#include "pass.h"

struct train_op {
    /* Before the parts of a batch are run forward, for what depends on all of it; or NULL. */
    void (*before)(struct trainer *t);
    /* Images v's outputs. */
    void (*forward)(struct trainer *t, const struct images *v);
    /* From their gradient dy (n, h, w, c) that of their first inputs, dx (n, in.h, in.w, in.c), and
       of the parameters: dw from the first one on, db the second's. Either of dx and dw is there. */
    void (*backward)(struct trainer *t, const struct images *v, const struct gradients *g);
    /* Of a layer of several inputs instead: the gradient by its k-th one, dx, overwritten. */
    void (*backward_input)(struct trainer *t, const struct images *v, int k, const real *dy,
                           real *dx);
    /* That gradient is dy for an input of the output's shape. */
    bool hands_on;
    /* Instead, the current layer's whole batch: from its state's dact the gradients of its input
       and parameters. */
    void (*backward_batch)(struct trainer *t);
};

const struct train_op *train_op_of(enum layer_type type);

#endif
