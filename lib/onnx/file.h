/*
 * An ONNX file as it is: nodes, attributes, weights. For onnx.c and the operators.
 *
 * The messages and their fields are those of onnx.proto (https://github.com/onnx/onnx); wire.h
 * reads them. The file is mapped, weights are decoded when they are asked for, and nothing takes
 * more memory than the bytes of the file that are there.
 */
#ifndef MIEN_ONNX_FILE_H
#define MIEN_ONNX_FILE_H

#include "const.h"
#include "util/file.h"
#include "wire.h"

enum { ONNX_MAX_NODES = 1 << 16, ONNX_MAX_NAMES = 1 << 18, ONNX_MAX_FILES = 1024 };

struct onnx_node {
    const char *op, *name;
    int nin, *in; /* indices of names; -1 for an input that is left out */
    int nout, *out;
    struct span message;
};

struct onnx_weight {
    int name;
    struct span message;
};

/* An input or output of the graph; dim[k] is -1 where it is open. */
struct onnx_port {
    int name, type; /* of TensorProto.DataType, 0: something else than a tensor */
    int rank;       /* -1: not told */
    int dim[CONST_MAX_RANK];
};

/* A file with weights, and how many bytes of it tensors have taken. */
struct onnx_data {
    struct file_map map;
    size_t taken;
};

struct onnx_file {
    struct file_map map;
    struct onnx_data *data[ONNX_MAX_FILES];
    int ndata;
    char *path;
    char *producer;    /* or NULL */
    char *prep, *made; /* what mien-export wrote of a model, or NULL */
    int opset;
    char **name; /* of the values */
    int nname, *slot;
    size_t nameroom, nslot;
    struct onnx_node *node;
    int nnode;
    struct onnx_weight *weight;
    int nweight;
    struct onnx_port *in, *out;
    int nin, nout;
};

/* Reads the file. f is zeroed by the caller, stays where it is and, on failure too, is freed with
   onnx_file_free. Returns 0 or a negative code; the message doesn't name the file unless the system
   does. */
MIEN_CHECKED int onnx_file_read(struct onnx_file *f, const char *path, struct mien_err *e);
void onnx_file_free(struct onnx_file *f);

/* The index of a name, or -1. */
int onnx_file_find(const struct onnx_file *f, const char *name);

/* --- tensor.c -------------------------------------------------------------------------------- */

/* Decodes a TensorProto: floats of 16, 32 and 64 bits, bfloat16, whole numbers, truth values.
   Returns 0 or a negative code: MIEN_ERR_LIMIT where tensors take more bytes of another file than
   it has, as they do when many name the same ones. */
MIEN_CHECKED int onnx_tensor(struct onnx_file *f, struct span message, struct constant *t,
                             struct mien_err *e);

/* --- attr.c ---------------------------------------------------------------------------------- */

/* Attributes: those that are absent, or of another type, have the default. onnx_ints returns how
   many there are, at most max, or -1 where it is absent, has more, or one of more than 32 bits. */
int64_t onnx_int(const struct onnx_node *n, const char *key, int64_t absent);
double onnx_real(const struct onnx_node *n, const char *key, double absent);
int onnx_ints(const struct onnx_node *n, const char *key, int *v, int max);
int onnx_reals(const struct onnx_node *n, const char *key, float *v, int max);
/* Whether a text attribute has this value; `absent` is what it has by default. */
bool onnx_text_is(const struct onnx_node *n, const char *key, const char *value,
                  const char *absent);
bool onnx_has(const struct onnx_node *n, const char *key);
/* A tensor, or a node's value_float and the like; false when absent. */
bool onnx_attribute(const struct onnx_node *n, const char *key, struct span *tensor);

#endif
