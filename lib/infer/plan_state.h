/*
 * A plan as its two sources see it: compile.c makes steps of a network's layers, plan.c gives their
 * values room and runs them.
 */
#ifndef MIEN_INFER_PLAN_STATE_H
#define MIEN_INFER_PLAN_STATE_H

#include "kernel/conv.h"
#include "kernel/conv_bf16.h"
#include "kernel/conv_int8.h"
#include "kernel/depthwise.h"
#include "plan.h"
#include "kernel/winograd.h"

/* A value is what a step makes. A local value lives within one segment and has room for a group of
   images; one that a later segment reads has room for the whole batch. */
struct plan_value {
    size_t count; /* elements an image */
    bool bf16;    /* they are bfloat16s; else floats */
    bool batch;
    size_t at; /* where it lies in the work space, in floats */
};

enum { STEP_AFTER = 4 };

struct step {
    int layer, last;              /* in plan->net: the first and the last one that it stands for */
    int nin, in[NET_MAX_IN], out; /* values */
    real *w, *bias, *slope;       /* for L_BN scale and shift */
    enum act act;
    int nafter, after[STEP_AFTER]; /* functions of one number applied to what it has made */
    struct conv conv;              /* L_CONV, L_DENSE */
    struct winograd *winograd;     /* or this */
    struct conv_int8 *conv_int8;   /* or this */
    struct conv_bf16 *conv_bf16;   /* or this */
    struct depthwise depthwise;    /* L_DWCONV */
};

/* Steps [first, end) that run over groups of `group` images. */
struct segment {
    int first, end, group;
};

struct plan {
    const struct simd *simd;
    const struct int8_simd *int8; /* and */
    const struct gemm *bf16;      /* NULL: all in floats */
    struct net net;
    struct model_input input;
    struct step *step;
    int nstep;
    struct arena arena; /* of what steps point to */
    struct plan_value *value;
    int nvalue;
    struct segment *seg;
    int nseg;
    int *out; /* values */
    int nout, batch;
    size_t floats;  /* for values in a work space */
    size_t scratch; /* bytes for a step's own use */
    size_t zeros;   /* floats that stay zero */
};

/* Floats that n images of a value take. */
static inline size_t plan_floats(const struct plan_value *v, size_t n)
{
    return v->bf16 ? (v->count * n + 1) / 2 : v->count * n;
}

/* A power of four of images, at most the batch, whose values of one step fit the cache. */
int plan_group(const struct plan *p, const struct step *s);

/* Makes the steps that lead to the outputs, layers of m, as plan_new takes them; p has its batch
   and descriptions. Returns 0 or a negative code; what was made stays p's. */
MIEN_CHECKED int plan_compile(struct plan *p, const struct model *m, const int *out, int nout,
                              struct mien_err *e);

#endif
