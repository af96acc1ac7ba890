/* What a trainer's two passes share: the images that a layer works on, and the parts of a batch. */
#ifndef MIEN_TRAIN_PASS_H
#define MIEN_TRAIN_PASS_H

#include "trainer_state.h"
#include "tree.h"

/* Images [first, first + n) of the batch as layer i reads and makes them. */
struct images {
    int i;
    const struct layer *l;
    struct shape in; /* of its first input */
    int worker;
    size_t first, n;
    size_t icount, count; /* elements an image, of the first input and of the output */
    size_t rows;          /* pixels of the output, of all n images */
    const real *x;        /* (n, in.h, in.w, in.c) */
    real *y;              /* (n, h, w, c) */
    struct reals xs, ys;  /* the same, of layers that take bfloat16: x and y may then be NULL */
};
struct images pass_images(const struct trainer *t, int i, size_t first, size_t n, int worker);

/* The loss's gradients with respect to what images have and a layer's parameters. dx is overwritten;
   dw, from the first parameter on, and db, the second's, are added to, so that parts of a batch can
   be summed. NULL: it isn't wanted; dx or dw is. */
struct gradients {
    const real *dy; /* (n, h, w, c), of the output */
    real *dx;       /* (n, in.h, in.w, in.c), of the first input */
    real *dw, *db;
    struct reals dys, dxs; /* as dy and dx, of layers that take bfloat16 */
};

/* The k-th parameter of a layer, or NULL. */
static inline real *pass_param(const struct trainer *t, const struct layer *l, int k)
{
    return k < l->nparam ? t->w + l->param[k].at : NULL;
}

/* What computes products of layer i for a worker. */
static inline struct products pass_products(const struct trainer *t, int i, int worker)
{
    bool conv = t->net->layer[i].type == L_CONV;
    const struct packed_weights *packed = &t->state[i].packed;
    return (struct products){conv ? t->kernels.conv : t->kernels.other, t->packing[worker],
                             packed->forth.at != NULL ? &packed->forth : NULL,
                             packed->back.at != NULL ? &packed->back : NULL};
}

/* The images of part k. */
void pass_part(const struct trainer *t, size_t k, size_t *first, size_t *n);

/* Cuts this process's images of the batch into t->npart parts for the current layer. */
void pass_cut_images(struct trainer *t);

/* The same, and calls fn with the trainer for each of them. */
void pass_over_parts(struct trainer *t, void (*fn)(void *, int worker, size_t part));

/* The same where parts are leaves of the tree (tree.h), each of which adds to its own t->part_len =
   len elements of t->part; then adds up what lies within this process's leaves. The sums of the
   roots stay where those of their first leaves were: see pass_root. */
void pass_sum_leaves(struct trainer *t, void (*fn)(void *, int worker, size_t part), size_t len);

/* The images of a leaf. */
void pass_leaf(const struct trainer *t, size_t leaf, size_t *first, size_t *n);

/* This process's roots, and where the sum of one of them is. */
struct tree pass_roots(const struct trainer *t);
real *pass_root(const struct trainer *t, const struct tree_node *root);

/* The same of the whole batch, for what a layer can't go on without. */
const real *pass_sum_batch(struct trainer *t, void (*fn)(void *, int worker, size_t part),
                           size_t len);

/* Where the gradient (n, h, w, c) of input layer `in` is to be computed; nowhere: it isn't wanted. */
struct reals pass_destination(struct trainer *t, int in);

/* Hands a finished gradient of input layer `in` over, which may be the current layer's own. */
void pass_deliver(struct trainer *t, int in, struct reals dx);

/* Part k, as pass_cut_images cuts, of the gradient of the current layer's first input, at t->dx. */
void pass_input_part(struct trainer *t, int worker, size_t k);

/* The gradient of the current layer's first input alone, at t->dx unless that is nowhere. */
void pass_input_gradient(struct trainer *t);

#endif
