/*
 * Operators as the room infer knows them: how a layer becomes a step of a plan, and how that runs.
 * Each is defined in the file op_FAMILY.c of its family; the table is made of net/op_list.h.
 */
#ifndef MIEN_INFER_OP_H
#define MIEN_INFER_OP_H

#include "layers/layers.h"
#include "plan_state.h"

/* A network on its way to a plan. */
struct compiler {
    struct plan *p;
    const float *weights; /* of the model */
    const struct net *from;
    int *uses;     /* how many layers read a layer's output; outputs count once more */
    int *value_of; /* the value that holds a layer's output */
    int *origin;   /* the layer's index in `from`, whose parameters lie in weights */
    /* For bfloat16, of layers that convolutions read: what their output's channels are on average. */
    float **mean;
    struct arena means;
};

/* A step on n images. */
struct run {
    const struct plan *p;
    const struct step *s;
    const struct layer *l;
    struct shape in; /* of the first input */
    /* Its inputs, those that it took over included, and its output; bfloat16s where the values are
       such, of steps that compile_bfloats knows. */
    const float *x[NET_MAX_IN];
    float *y;
    size_t n, count, rows; /* images, elements of an image's output, pixels of all n outputs */
    const float *zeros;
    void *scratch;
};

struct infer_op {
    /* Prepares step s, which is layer i of c->p->net alone so far: copies its parameters, takes
       over layers behind it, asks for room. NULL: there is nothing to prepare. Returns 0 or
       MIEN_ERR_MEM. */
    int (*compile)(const struct compiler *c, struct step *s, int i);
    /* NULL for operators that need no step: what they would make is their input. */
    void (*run)(const struct run *r);
};

const struct infer_op *infer_op_of(enum layer_type type);

/* --- For compiling -------------------------------------------------------------------------- */

/* Layer i's parameter of this name, or NULL. */
const float *compile_param(const struct compiler *c, int i, const char *name);

/* A copy of n floats, or of NULL zeros, which the plan owns; NULL without memory. */
float *compile_copy(const struct compiler *c, const float *src, size_t n);

/* Copies of layer i's weights and bias, zeros where it has no bias. */
int compile_weights(const struct compiler *c, struct step *s, int i);

/* The same, with what scales and shifts the channels behind the layer folded in. Returns the last
   layer that the step then stands for, or MIEN_ERR_MEM. */
int compile_folded(const struct compiler *c, struct step *s, int i);

/* The step makes layer k's output too, of which the layer before it had no other reader: returns
   k. */
int compile_take_over(const struct compiler *c, struct step *s, int k);

/* Takes over the activation that reads layer i, if it is the only reader. */
void compile_fuse_act(const struct compiler *c, struct step *s, int i);

/* At least `need` bytes or floats of room, where steps share it. */
void compile_room(size_t *room, size_t need);

/* Sets c->mean, once the layers are there: NULL for those of no convolution in bfloat16, and for all
   of a network that reads features. */
int compile_expected(struct compiler *c, const struct model *m, struct mien_err *e);

/* Chooses the values that are bfloat16, once all steps are there. */
void compile_bfloats(struct plan *p);

/* Whether a layer is a convolution that multiplies bfloat16s. */
bool sums_in_bf16(const struct plan *p, const struct layer *l);

/* A convolution or dense layer, with what can be applied to its sums, and the kernel for it. */
int sums_compile(const struct compiler *c, struct step *s, int i);
void sums_run(const struct run *r);

#endif
