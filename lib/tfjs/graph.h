/* A TensorFlow.js graph model as its files have it: nodes, attributes, constants. For tfjs.c. */
#ifndef MIEN_TFJS_GRAPH_H
#define MIEN_TFJS_GRAPH_H

#include "util/json.h"
#include <stdbool.h>
#include <stddef.h>

#include "mien/err.h"

enum { TF_MAX_NODES = 1 << 14, TF_MAX_DIMS = 6, TF_MAX_IN = 16 };

/* The values of a Const node, whatever their type in the file. */
struct tf_const {
    const char *name;
    int ndim;
    size_t dim[TF_MAX_DIMS], count;
    float *v;
};

struct tf_node {
    const char *name, *op;
    const json_t *attr;
    bool needed;                  /* an output depends on it; only then is the rest filled */
    int nin, in[TF_MAX_IN];       /* indices of nodes */
    int uses;                     /* inputs of needed nodes and outputs that name it */
    const struct tf_const *value; /* of a Const, else NULL */
};

struct tf_graph {
    json_t *root, *index; /* the file; node names to indices */
    struct tf_node *node;
    struct tf_const *constant;
    int *out; /* the outputs' nodes */
    int n, nconstant, nout;
};

/* Reads PATH and the weight files that it names, which lie in its folder. g is zeroed by the
   caller and, on failure too, freed with tf_free. Returns 0 or a negative code. */
MIEN_CHECKED int tf_read(struct tf_graph *g, const char *path, struct mien_err *e);
void tf_free(struct tf_graph *g);

/* The index of the node of this name, which may end in ":0"; -1 when there is none. */
int tf_find(const struct tf_graph *g, const char *name);

/* Attributes. Whole numbers of a list: how many there are, or -1 for an attribute that is absent,
   has more than max or has others than whole numbers of 32 bits. */
MIEN_CHECKED int tf_ints(const struct tf_node *n, const char *key, int *v, int max);
/* The i-th text of a list, or the text when it isn't a list; "" when absent or longer than size. */
void tf_text(const struct tf_node *n, const char *key, size_t i, char *text, size_t size);
/* A whole number of 32 bits; 0 when absent. */
int tf_int(const struct tf_node *n, const char *key);
bool tf_bool(const struct tf_node *n, const char *key);
bool tf_real(const struct tf_node *n, const char *key, double *v); /* false when absent */
/* The sizes of a shape attribute, -1 for one that is open; returns as tf_ints. */
MIEN_CHECKED int tf_shape(const struct tf_node *n, const char *key, int *v, int max);

#endif
