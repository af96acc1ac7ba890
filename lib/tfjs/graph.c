/*
 * The files of a TensorFlow.js graph model: a JSON file with the graph (a GraphDef in protobuf's
 * JSON form, so that byte strings are base64 and 64-bit numbers text) and the list of weights, and
 * binary files with the weights one after another, little-endian. A weight may be quantised:
 * float16, or uint8 or uint16 with value = q * scale + min. The format is described with
 * tfjs-converter: https://github.com/tensorflow/tfjs/tree/master/tfjs-converter.
 */
#include "graph.h"

#include <assert.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/bytes.h"
#include "util/file.h"
#include "util/num.h"
#include "util/half.h"

#define MAX_JSON  ((size_t)16 << 20)
#define MAX_GROUP ((size_t)1 << 30) /* bytes of one group's weight files */

void tf_free(struct tf_graph *g)
{
    for (int i = 0; i < g->nconstant; i++)
        free(g->constant[i].v);
    free(g->constant);
    free(g->node);
    free(g->out);
    json_decref(g->index);
    json_decref(g->root);
    *g = (struct tf_graph){0};
}

/* --- Attributes ---------------------------------------------------------------------------- */

/* A whole number, which protobuf's JSON writes as text when it has 64 bits. */
static bool whole(const json_t *v, long long *out)
{
    if (json_is_string(v))
        return num_int(json_string_value(v), INT_MIN, INT_MAX, out, NULL) == 0;
    *out = json_integer_value(v);
    return json_is_integer(v) && *out >= INT_MIN && *out <= INT_MAX;
}

int tf_ints(const struct tf_node *n, const char *key, int *v, int max)
{
    const json_t *list = json_object_get(json_object_get(n->attr, key), "list");
    const json_t *items = json_object_get(list, "i");
    size_t count = json_array_size(items);
    if (list == NULL || count > (size_t)max)
        return -1;
    for (size_t i = 0; i < count; i++) {
        long long x;
        if (!whole(json_array_get(items, i), &x))
            return -1;
        v[i] = (int)x;
    }
    return (int)count;
}

int tf_shape(const struct tf_node *n, const char *key, int *v, int max)
{
    const json_t *shape = json_object_get(json_object_get(n->attr, key), "shape");
    const json_t *dims = json_object_get(shape, "dim");
    size_t count = json_array_size(dims);
    if (dims == NULL || count > (size_t)max)
        return -1;
    for (size_t i = 0; i < count; i++) {
        long long x;
        if (!whole(json_object_get(json_array_get(dims, i), "size"), &x))
            return -1;
        v[i] = (int)x;
    }
    return (int)count;
}

void tf_text(const struct tf_node *n, const char *key, size_t i, char *text, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const json_t *a = json_object_get(n->attr, key);
    const json_t *list = json_object_get(json_object_get(a, "list"), "s");
    const char *s =
        json_string_value(list != NULL ? json_array_get(list, i) : json_object_get(a, "s"));
    unsigned bits = 0;
    int nbits = 0;
    size_t len = 0;
    for (; s != NULL && *s != '\0' && *s != '='; s++) {
        const char *d = strchr(digits, *s);
        bits = bits << 6 | (d != NULL ? (unsigned)(d - digits) : 0);
        nbits += 6;
        if (nbits < 8)
            continue;
        nbits -= 8;
        if (len + 1 == size) {
            len = 0;
            break;
        }
        text[len++] = (char)(bits >> nbits & 0xff);
    }
    text[len] = '\0';
}

int tf_int(const struct tf_node *n, const char *key)
{
    long long x;
    return whole(json_object_get(json_object_get(n->attr, key), "i"), &x) ? (int)x : 0;
}

bool tf_bool(const struct tf_node *n, const char *key)
{
    return json_is_true(json_object_get(json_object_get(n->attr, key), "b"));
}

bool tf_real(const struct tf_node *n, const char *key, double *v)
{
    const json_t *f = json_object_get(json_object_get(n->attr, key), "f");
    *v = json_number_value(f);
    return json_is_number(f);
}

/* --- Weights ------------------------------------------------------------------------------- */

/* Elements of `bytes` bytes each, of kind: f (float), h (half), u (unsigned) or i (signed). */
struct coding {
    char kind;
    size_t bytes;
    double scale, min;
    bool round; /* a quantised whole number */
};

static bool parse_coding(const json_t *w, struct coding *c)
{
    static const struct {
        const char *name;
        struct coding coding;
    } plain[] = {{"float32", {'f', 4, 1, 0, false}},
                 {"int32", {'i', 4, 1, 0, false}},
                 {"bool", {'u', 1, 1, 0, false}}},
      quantised[] = {{"float16", {'h', 2, 1, 0, false}},
                     {"uint8", {'u', 1, 1, 0, false}},
                     {"uint16", {'u', 2, 1, 0, false}}};
    const json_t *q = json_object_get(w, "quantization");
    const char *type = json_string_value(json_object_get(w, "dtype"));
    const char *packed = q != NULL ? json_string_value(json_object_get(q, "dtype")) : type;
    if (type == NULL || packed == NULL)
        return false;
    for (int i = 0; i < 3; i++) {
        if (strcmp(packed, q != NULL ? quantised[i].name : plain[i].name) != 0)
            continue;
        *c = q != NULL ? quantised[i].coding : plain[i].coding;
        if (q == NULL || c->kind == 'h')
            return true;
        const json_t *scale = json_object_get(q, "scale"), *min = json_object_get(q, "min");
        c->scale = json_number_value(scale);
        c->min = json_number_value(min);
        c->round = strcmp(type, "int32") == 0;
        return json_is_number(scale) && json_is_number(min);
    }
    return false;
}

static void decode(const struct coding *c, const unsigned char *p, float *v, size_t count)
{
    assert(p != NULL);
    for (size_t i = 0; i < count; i++, p += c->bytes) {
        uint32_t bits = c->bytes == 1 ? *p : c->bytes == 2 ? get_le16(p) : get_le32(p);
        uint16_t half = (uint16_t)bits;
        double x;
        switch (c->kind) {
        case 'f':
            memcpy(&v[i], &bits, sizeof bits);
            break;
        case 'h':
            half_to_floats(&half, &v[i], 1);
            break;
        case 'i':
            v[i] = (float)(int32_t)bits;
            break;
        default:
            x = bits * c->scale + c->min;
            v[i] = (float)(c->round ? round(x) : x);
        }
    }
}

/* Takes the name, shape and coding of one weight from its description. */
static int describe(const json_t *w, struct tf_const *t, struct coding *c, struct mien_err *e)
{
    const json_t *shape = json_object_get(w, "shape");
    t->name = json_string_value(json_object_get(w, "name"));
    if (t->name == NULL || !json_is_array(shape))
        return mien_err_set(e, MIEN_ERR_FORMAT, "a weight has no name or shape");
    if (!parse_coding(w, c))
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "weight '%s': only float32, int32 and bool are known, and "
                            "quantization to float16, uint8 and uint16",
                            t->name);
    if (json_array_size(shape) > TF_MAX_DIMS)
        return mien_err_set(e, MIEN_ERR_LIMIT, "weight '%s' has more than %d dimensions", t->name,
                            TF_MAX_DIMS);
    t->ndim = (int)json_array_size(shape);
    t->count = 1;
    for (int i = 0; i < t->ndim; i++) {
        long long d;
        if (!whole(json_array_get(shape, (size_t)i), &d) || d < 0)
            return mien_err_set(e, MIEN_ERR_FORMAT, "weight '%s' has a dimension that isn't a size",
                                t->name);
        t->dim[i] = (size_t)d;
        if (t->dim[i] > 0 && t->count > MAX_GROUP / t->dim[i])
            return mien_err_set(e, MIEN_ERR_LIMIT, "weight '%s' is too large", t->name);
        t->count *= t->dim[i];
    }
    return 0;
}

/* Appends the files of a group, which lie in the graph's folder. */
static int slurp_group(const json_t *paths, const char *path, struct mien_buf *data,
                       struct mien_err *e)
{
    const char *slash = strrchr(path, '/');
    for (size_t i = 0; i < json_array_size(paths); i++) {
        const char *name = json_string_value(json_array_get(paths, i));
        if (name == NULL || name[0] == '/' || strstr(name, "..") != NULL)
            return mien_err_set(e, MIEN_ERR_FORMAT,
                                "a weight file that isn't in the graph's folder");
        char file[4096];
        int n =
            snprintf(file, sizeof file, "%.*s%s", slash ? (int)(slash - path + 1) : 0, path, name);
        if (n < 0 || (size_t)n >= sizeof file)
            return mien_err_set(e, MIEN_ERR_LIMIT, "a path of %d bytes is too long", n);
        int fd = file_open(file, e);
        if (fd < 0)
            return fd;
        int rc = file_slurp(fd, data, MAX_GROUP - data->len, name, e);
        close(fd);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int read_group(struct tf_graph *g, const json_t *group, const char *path, struct mien_err *e)
{
    const json_t *weights = json_object_get(group, "weights");
    struct mien_buf data = {0};
    int rc = slurp_group(json_object_get(group, "paths"), path, &data, e);
    size_t at = 0, total = data.len;
    for (size_t i = 0; rc == 0 && i < json_array_size(weights); i++) {
        struct tf_const *t = &g->constant[g->nconstant];
        struct coding c = {0};
        if ((rc = describe(json_array_get(weights, i), t, &c, e)) < 0)
            break;
        if (t->count > (total - at) / c.bytes) {
            rc = mien_err_set(e, MIEN_ERR_FORMAT, "weight '%s' lies beyond its file's %zu bytes",
                              t->name, total);
            break;
        }
        t->v = malloc((t->count + 1) * sizeof *t->v);
        if (t->v == NULL) {
            rc = mien_err_mem(e, t->count * sizeof *t->v, t->name);
            break;
        }
        g->nconstant++;
        if (t->count > 0) /* there may be no data at all */
            decode(&c, data.data + at, t->v, t->count);
        at += t->count * c.bytes;
    }
    mien_buf_free(&data);
    if (rc == 0 && at != total)
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "the weight files have %zu bytes, the graph names %zu", total, at);
    return rc;
}

static int read_weights(struct tf_graph *g, const char *path, struct mien_err *e)
{
    const json_t *manifest = json_object_get(g->root, "weightsManifest");
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(manifest); i++)
        n += json_array_size(json_object_get(json_array_get(manifest, i), "weights"));
    if (n == 0)
        return mien_err_set(e, MIEN_ERR_FORMAT, "it lists no weights");
    if (n > TF_MAX_NODES)
        return mien_err_set(e, MIEN_ERR_LIMIT, "%zu weights are over the limit of %d", n,
                            TF_MAX_NODES);
    g->constant = calloc(n, sizeof *g->constant);
    if (g->constant == NULL)
        return mien_err_mem(e, n * sizeof *g->constant, "weights");
    for (size_t i = 0; i < json_array_size(manifest); i++) {
        int rc = read_group(g, json_array_get(manifest, i), path, e);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* --- The graph ----------------------------------------------------------------------------- */

int tf_find(const struct tf_graph *g, const char *name)
{
    char node[1024];
    size_t n = strlen(name);
    if (n > 2 && strcmp(name + n - 2, ":0") == 0)
        n -= 2;
    if (n >= sizeof node)
        return -1;
    snprintf(node, sizeof node, "%.*s", (int)n, name);
    const json_t *i = json_object_get(g->index, node);
    return i != NULL ? (int)json_integer_value(i) : -1;
}

static int read_nodes(struct tf_graph *g, struct mien_err *e)
{
    const json_t *nodes = json_object_get(json_object_get(g->root, "modelTopology"), "node");
    size_t n = json_array_size(nodes);
    if (n == 0)
        return mien_err_set(e, MIEN_ERR_FORMAT, "it has no graph");
    if (n > TF_MAX_NODES)
        return mien_err_set(e, MIEN_ERR_LIMIT, "a graph of %zu nodes is over the limit of %d", n,
                            TF_MAX_NODES);
    g->node = calloc(n, sizeof *g->node);
    g->out = calloc(n, sizeof *g->out);
    g->index = json_object();
    if (g->node == NULL || g->out == NULL || g->index == NULL)
        return mien_err_mem(e, n * sizeof *g->node, "nodes");
    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_array_get(nodes, i);
        struct tf_node *node = &g->node[i];
        node->name = json_string_value(json_object_get(v, "name"));
        node->op = json_string_value(json_object_get(v, "op"));
        node->attr = json_object_get(v, "attr");
        if (node->name == NULL || node->op == NULL)
            return mien_err_set(e, MIEN_ERR_FORMAT, "a node has no name or op");
        if (tf_find(g, node->name) >= 0)
            return mien_err_set(e, MIEN_ERR_FORMAT, "two nodes are named '%s'", node->name);
        if (json_object_set_new(g->index, node->name, json_integer(g->n++)) < 0)
            return mien_err_mem(e, n * sizeof *g->node, "nodes");
    }
    return 0;
}

/* Fills in what a needed node reads. */
static int connect(struct tf_graph *g, int i, struct mien_err *e)
{
    struct tf_node *node = &g->node[i];
    const json_t *nodes = json_object_get(json_object_get(g->root, "modelTopology"), "node");
    const json_t *inputs = json_object_get(json_array_get(nodes, (size_t)i), "input");
    for (size_t k = 0; k < json_array_size(inputs); k++) {
        const char *name = json_string_value(json_array_get(inputs, k));
        if (name != NULL && name[0] == '^') /* an order of execution, no data */
            continue;
        if (node->nin == TF_MAX_IN)
            return mien_err_set(e, MIEN_ERR_LIMIT, "node '%s' has more than %d inputs", node->name,
                                TF_MAX_IN);
        int from = name != NULL ? tf_find(g, name) : -1;
        if (from < 0)
            return mien_err_set(e, MIEN_ERR_FORMAT, "node '%s' (%s) reads '%s', which %s",
                                node->name, node->op, name != NULL ? name : "?",
                                name != NULL && strchr(name, ':') != NULL
                                    ? "is a second output: not supported"
                                    : "isn't there");
        node->in[node->nin++] = from;
        g->node[from].uses++;
    }
    for (int k = 0; strcmp(node->op, "Const") == 0 && k < g->nconstant; k++) {
        assert(g->constant[k].name != NULL);
        if (strcmp(g->constant[k].name, node->name) == 0)
            node->value = &g->constant[k];
    }
    if (strcmp(node->op, "Const") == 0 && node->value == NULL)
        return mien_err_set(e, MIEN_ERR_FORMAT, "constant '%s' has no weights", node->name);
    return 0;
}

/* The outputs are those of the signature, which older files keep elsewhere. */
static int find_outputs(struct tf_graph *g, struct mien_err *e)
{
    const json_t *signature = json_object_get(g->root, "signature");
    if (signature == NULL)
        signature = json_object_get(json_object_get(g->root, "userDefinedMetadata"), "signature");
    const json_t *outputs = json_object_get(signature, "outputs");
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)outputs, key, v)
    {
        const char *name = json_string_value(json_object_get(v, "name"));
        int i = tf_find(g, name != NULL ? name : key);
        if (i < 0)
            return mien_err_set(e, MIEN_ERR_FORMAT, "output '%s' isn't a node",
                                name != NULL ? name : key);
        if (g->nout == g->n)
            return mien_err_set(e, MIEN_ERR_FORMAT, "there are more outputs than nodes");
        g->out[g->nout++] = i;
    }
    if (g->nout > 0)
        return 0;
    return mien_err_set(e, MIEN_ERR_FORMAT, "it has no signature that names its outputs");
}

/* Marks and connects the nodes that the outputs depend on. */
static int mark_needed(struct tf_graph *g, struct mien_err *e)
{
    int *stack = malloc((size_t)g->n * sizeof *stack), top = 0, rc = 0;
    if (stack == NULL)
        return mien_err_mem(e, (size_t)g->n * sizeof *stack, "nodes");
    for (int k = 0; k < g->nout; k++) {
        struct tf_node *out = &g->node[g->out[k]];
        out->uses++;
        if (!out->needed)
            stack[top++] = g->out[k];
        out->needed = true;
    }
    while (top > 0 && rc == 0) {
        int i = stack[--top];
        rc = connect(g, i, e);
        for (int k = 0; k < g->node[i].nin; k++) {
            struct tf_node *from = &g->node[g->node[i].in[k]];
            if (!from->needed)
                stack[top++] = g->node[i].in[k];
            from->needed = true;
        }
    }
    free(stack);
    return rc;
}

int tf_read(struct tf_graph *g, const char *path, struct mien_err *e)
{
    struct mien_buf text = {0};
    int fd = file_open(path, e);
    if (fd < 0)
        return fd;
    int rc = file_slurp(fd, &text, MAX_JSON, path, e);
    close(fd);
    if (rc == 0)
        g->root = json_read(text.data, text.len, 0, &rc, e);
    mien_buf_free(&text);
    if (rc < 0)
        return rc;
    const char *format = json_string_value(json_object_get(g->root, "format"));
    const json_t *topology = json_object_get(g->root, "modelTopology");
    if ((format != NULL && strcmp(format, "layers-model") == 0) ||
        json_object_get(topology, "model_config") != NULL ||
        json_object_get(topology, "class_name") != NULL)
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "it is a layers-model, layers of Keras instead of a graph: "
                            "tensorflowjs_converter --input_format tfjs_layers_model "
                            "--output_format tfjs_graph_model FILE FOLDER");
    if (format != NULL && strcmp(format, "graph-model") != 0)
        return mien_err_set(e, MIEN_ERR_FORMAT, "it is a %s, not a graph-model of TensorFlow.js",
                            format);
    if ((rc = read_nodes(g, e)) < 0 || (rc = read_weights(g, path, e)) < 0 ||
        (rc = find_outputs(g, e)) < 0)
        return rc;
    return mark_needed(g, e);
}
