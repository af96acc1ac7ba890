/* Writes small ONNX files for tests: messages of the wire format by hand. */
#ifndef ONNX_MAKE_H
#define ONNX_MAKE_H

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mien/buf.h"

static void om_check(int rc)
{
    if (rc < 0)
        abort();
}

static void om_varint(struct mien_buf *b, uint64_t v)
{
    do {
        unsigned char c = (unsigned char)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
        om_check(mien_buf_append(b, &c, 1));
        v >>= 7;
    } while (v > 0);
}

static void om_int(struct mien_buf *b, unsigned field, int64_t v)
{
    om_varint(b, field << 3);
    om_varint(b, (uint64_t)v);
}

static void om_bytes(struct mien_buf *b, unsigned field, const void *p, size_t n)
{
    om_varint(b, field << 3 | 2);
    om_varint(b, n);
    om_check(mien_buf_append(b, p, n));
}

static void om_text(struct mien_buf *b, unsigned field, const char *s)
{
    om_bytes(b, field, s, strlen(s));
}

/* A message becomes a field of another. */
static void om_message(struct mien_buf *b, unsigned field, struct mien_buf *message)
{
    om_bytes(b, field, message->data != NULL ? (void *)message->data : (void *)"", message->len);
    mien_buf_free(message);
}

/* The dimensions of "2x3x4", or "" for none. */
static int om_dims(const char *shape, int64_t dim[8])
{
    int n = 0;
    while (*shape != '\0') {
        char *end;
        dim[n++] = strtoll(shape, &end, 10);
        shape = *end == 'x' ? end + 1 : end;
    }
    return n;
}

/* A TensorProto of a type and raw little-endian bytes. */
static struct mien_buf om_tensor(const char *name, const char *shape, int type, const void *p,
                                 size_t n)
{
    struct mien_buf t = {0};
    int64_t dim[8];
    int rank = om_dims(shape, dim);
    for (int k = 0; k < rank; k++)
        om_int(&t, 1, dim[k]);
    om_int(&t, 2, type);
    om_text(&t, 8, name);
    if (p != NULL)
        om_bytes(&t, 9, p, n);
    return t;
}

/* Adds to a graph: floats, whole numbers of 64 bits, an input or output; 0 is an open extent. */
static inline void om_floats(struct mien_buf *graph, const char *name, const char *shape,
                             const float *v)
{
    int64_t dim[8];
    size_t n = 1;
    int rank = om_dims(shape, dim);
    for (int k = 0; k < rank; k++)
        n *= (size_t)dim[k];
    struct mien_buf t = om_tensor(name, shape, 1, v, n * sizeof *v);
    om_message(graph, 5, &t);
}

static inline void om_ints(struct mien_buf *graph, const char *name, int n, const int64_t *v)
{
    char shape[16];
    snprintf(shape, sizeof shape, "%d", n);
    struct mien_buf t = om_tensor(name, shape, 7, v, (size_t)n * sizeof *v);
    om_message(graph, 5, &t);
}

static inline void om_port(struct mien_buf *graph, unsigned field, const char *name,
                           const char *shape)
{
    struct mien_buf port = {0}, type = {0}, tensor = {0}, dims = {0};
    int64_t dim[8];
    int rank = om_dims(shape, dim);
    for (int k = 0; k < rank; k++) {
        struct mien_buf d = {0};
        if (dim[k] > 0)
            om_int(&d, 1, dim[k]);
        else
            om_text(&d, 2, "N");
        om_message(&dims, 1, &d);
    }
    om_int(&tensor, 1, 1);
    om_message(&tensor, 2, &dims);
    om_message(&type, 1, &tensor);
    om_text(&port, 1, name);
    om_message(&port, 2, &type);
    om_message(graph, field, &port);
}
#define OM_IN  11
#define OM_OUT 12

/* Adds a node. The list is of names that it reads, split by commas, then the name that it makes,
   then attributes: "key=1,2", whole numbers, "key:0.5", a float, "key~text"; NULL ends it. */
static inline void om_node(struct mien_buf *graph, const char *op, const char *inputs,
                           const char *output, ...)
{
    struct mien_buf node = {0};
    va_list ap;
    for (const char *s = inputs; *s != '\0';) {
        size_t n = strcspn(s, ",");
        om_bytes(&node, 1, s, n);
        s += n + (s[n] == ',');
    }
    om_text(&node, 2, output);
    om_text(&node, 4, op);
    va_start(ap, output);
    for (const char *s; (s = va_arg(ap, const char *)) != NULL;) {
        struct mien_buf a = {0};
        size_t n = strcspn(s, "=:~");
        const char *v = s + n + 1;
        om_bytes(&a, 1, s, n);
        if (s[n] == '~') {
            om_text(&a, 4, v);
        } else if (s[n] == ':') {
            float f = strtof(v, NULL);
            om_varint(&a, 2 << 3 | 5);
            om_check(mien_buf_append(&a, &f, sizeof f));
        } else if (strchr(v, ',') == NULL) {
            om_int(&a, 3, strtoll(v, NULL, 10));
        } else {
            for (char *end; *v != '\0'; v = *end == ',' ? end + 1 : end)
                om_int(&a, 8, strtoll(v, &end, 10));
        }
        om_message(&node, 5, &a);
    }
    va_end(ap);
    om_message(graph, 1, &node);
}

/* The file of a graph, which is freed. */
static inline struct mien_buf om_model(struct mien_buf *graph, int opset)
{
    struct mien_buf model = {0}, set = {0};
    om_int(&model, 1, 7);
    om_text(&model, 2, "tests");
    om_message(&model, 7, graph);
    om_int(&set, 2, opset);
    om_message(&model, 8, &set);
    return model;
}

#endif
