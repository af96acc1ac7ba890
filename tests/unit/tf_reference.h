/*
 * A TensorFlow.js graph computed as its nodes say, in double, with no thought of speed: what
 * test_tfjs.c holds the importer and the engine against. It shares no code with lib/, trusts its
 * files and fails the test at what it doesn't know. Tensors have the ranks that the graph gives
 * them and broadcast as TensorFlow's do.
 */
#ifndef TF_REFERENCE_H
#define TF_REFERENCE_H

#include <jansson.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REF_DIMS = 6, REF_NODES = 1000 };

struct ref_tensor {
    int nd, d[REF_DIMS], n;
    double *v;
};

struct ref {
    json_t *root;
    char folder[256];
    const double *input; /* of the placeholder, whose batch is 1 */
    int nnode;
    const char *name[REF_NODES]; /* of what is computed */
    struct ref_tensor value[REF_NODES];
};

static void ref_die(const char *what, const char *of)
{
    fprintf(stderr, "reference: %s: %s\n", what, of);
    abort();
}

static struct ref_tensor ref_new(int nd, const int *d)
{
    struct ref_tensor t = {.nd = nd, .n = 1};
    for (int i = 0; i < nd; i++)
        t.n *= t.d[i] = d[i];
    t.v = calloc((size_t)t.n, sizeof *t.v);
    return t;
}

/* --- Files --------------------------------------------------------------------------------- */

static void ref_open(struct ref *r, const char *path)
{
    json_error_t e;
    memset(r, 0, sizeof *r);
    r->root = json_load_file(path, 0, &e);
    if (r->root == NULL)
        ref_die(path, e.text);
    snprintf(r->folder, sizeof r->folder, "%.*s", (int)(strrchr(path, '/') - path), path);
}

static void ref_forget(struct ref *r)
{
    for (int i = 0; i < r->nnode; i++)
        free(r->value[i].v);
    r->nnode = 0;
}

static void ref_close(struct ref *r)
{
    ref_forget(r);
    json_decref(r->root);
}

/* The bytes at `at` of the group's files, one behind the other. */
static void ref_bytes(const struct ref *r, const json_t *paths, size_t at, size_t n,
                      unsigned char *to)
{
    for (size_t i = 0; i < json_array_size(paths); i++) {
        char path[600];
        snprintf(path, sizeof path, "%s/%s", r->folder,
                 json_string_value(json_array_get(paths, i)));
        FILE *f = fopen(path, "rb");
        if (f == NULL)
            ref_die("no file", path);
        fseek(f, 0, SEEK_END);
        size_t size = (size_t)ftell(f), got = 0;
        if (at < size) {
            fseek(f, (long)at, SEEK_SET);
            got = fread(to, 1, n < size - at ? n : size - at, f);
        }
        fclose(f);
        to += got;
        n -= got;
        at = at < size ? 0 : at - size;
    }
    if (n > 0)
        ref_die("weights too short", "");
}

static double ref_half(unsigned h)
{
    int exponent = h >> 10 & 31, mantissa = h & 1023;
    double v = exponent == 0    ? ldexp(mantissa, -24)
               : exponent == 31 ? (mantissa ? NAN : INFINITY)
                                : ldexp(mantissa + 1024, exponent - 25);
    return h >> 15 ? -v : v;
}

static struct ref_tensor ref_constant(const struct ref *r, const char *name)
{
    json_t *group, *w;
    size_t g, k;
    json_array_foreach(json_object_get(r->root, "weightsManifest"), g, group)
    {
        size_t at = 0;
        json_array_foreach(json_object_get(group, "weights"), k, w)
        {
            const json_t *q = json_object_get(w, "quantization");
            const json_t *shape = json_object_get(w, "shape");
            const char *type = json_string_value(json_object_get(q ? q : w, "dtype"));
            int nd = (int)json_array_size(shape), d[REF_DIMS];
            for (int i = 0; i < nd; i++)
                d[i] = (int)json_integer_value(json_array_get(shape, (size_t)i));
            struct ref_tensor t = ref_new(nd, d);
            size_t size = strcmp(type, "uint8") == 0                                    ? 1
                          : strcmp(type, "uint16") == 0 || strcmp(type, "float16") == 0 ? 2
                                                                                        : 4;
            if (strcmp(name, json_string_value(json_object_get(w, "name"))) != 0) {
                at += size * (size_t)t.n;
                free(t.v);
                continue;
            }
            unsigned char *b = malloc(size * (size_t)t.n + 1);
            ref_bytes(r, json_object_get(group, "paths"), at, size * (size_t)t.n, b);
            for (int i = 0; i < t.n; i++) {
                const unsigned char *p = b + size * (size_t)i;
                uint32_t u = size == 1   ? p[0]
                             : size == 2 ? p[0] + 256u * p[1]
                                         : p[0] + 256u * p[1] + 65536u * p[2] + 16777216u * p[3];
                float f;
                memcpy(&f, &u, 4);
                t.v[i] = type[0] == 'u' ? u * json_number_value(json_object_get(q, "scale")) +
                                              json_number_value(json_object_get(q, "min"))
                         : type[0] == 'i' ? (double)(int32_t)u
                         : size == 2      ? ref_half(u)
                                          : (double)f;
            }
            free(b);
            return t;
        }
    }
    ref_die("no weights for", name);
    return (struct ref_tensor){0};
}

/* --- Attributes ---------------------------------------------------------------------------- */

static const json_t *ref_attr(const json_t *node, const char *key, const char *kind)
{
    return json_object_get(json_object_get(json_object_get(node, "attr"), key), kind);
}

static int ref_int(const json_t *node, const char *key, size_t i)
{
    const json_t *v = json_array_get(json_object_get(ref_attr(node, key, "list"), "i"), i);
    return json_is_string(v) ? atoi(json_string_value(v)) : (int)json_integer_value(v);
}

/* Base64 of the few texts that the graphs have. */
static int ref_is(const json_t *v, const char *text)
{
    static const char *const known[][2] = {
        {"SAME", "U0FNRQ=="},  {"VALID", "VkFMSUQ="},      {"EXPLICIT", "RVhQTElDSVQ="},
        {"NHWC", "TkhXQw=="},  {"Relu", "UmVsdQ=="},       {"Relu6", "UmVsdTY="},
        {"Prelu", "UHJlbHU="}, {"BiasAdd", "Qmlhc0FkZA=="}};
    const char *s = json_string_value(v);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i][0], text) == 0)
            return s != NULL && strcmp(known[i][1], s) == 0;
    }
    ref_die("no base64 of", text);
    return 0;
}

/* --- Operations ---------------------------------------------------------------------------- */

static double ref_binary(const char *op, double a, double b)
{
    if (strcmp(op, "Sub") == 0)
        return a - b;
    if (strcmp(op, "Mul") == 0)
        return a * b;
    if (strcmp(op, "RealDiv") == 0)
        return a / b;
    if (strcmp(op, "Minimum") == 0)
        return a < b ? a : b;
    if (strcmp(op, "Maximum") == 0)
        return a > b ? a : b;
    if (strcmp(op, "Prelu") == 0)
        return a < 0 ? a * b : a;
    return a + b; /* Add, AddV2, BiasAdd */
}

/* A function of one number, where the op is one: then y, if there is one, becomes it. */
static int ref_unary(const char *op, double x, double *y)
{
    const struct {
        const char *op;
        double y;
    } all[] = {{"Abs", fabs(x)},
               {"Neg", -x},
               {"Tanh", tanh(x)},
               {"Sqrt", sqrt(x)},
               {"Rsqrt", 1 / sqrt(x)},
               {"Square", x * x},
               {"Sigmoid", 1 / (1 + exp(-x))}};
    for (size_t k = 0; k < sizeof all / sizeof all[0]; k++) {
        if (strcmp(op, all[k].op) == 0) {
            if (y != NULL)
                *y = all[k].y;
            return 1;
        }
    }
    return 0;
}

/* The place of element i of shape t in a tensor that is broadcast to it. */
static int ref_place(const struct ref_tensor *t, int i, const struct ref_tensor *of)
{
    int at = 0, step = 1;
    for (int k = t->nd - 1, j = of->nd - 1; k >= 0; k--, j--) {
        int x = i % t->d[k];
        i /= t->d[k];
        if (j < 0)
            continue;
        if (of->d[j] != 1)
            at += x * step;
        step *= of->d[j];
    }
    return at;
}

static struct ref_tensor ref_broadcast(const char *op, const struct ref_tensor *a,
                                       const struct ref_tensor *b)
{
    int nd = a->nd > b->nd ? a->nd : b->nd, d[REF_DIMS];
    for (int k = 1; k <= nd; k++) {
        int x = k <= a->nd ? a->d[a->nd - k] : 1, y = k <= b->nd ? b->d[b->nd - k] : 1;
        if (x != y && x != 1 && y != 1)
            ref_die("shapes don't broadcast", op);
        d[nd - k] = x > y ? x : y;
    }
    struct ref_tensor t = ref_new(nd, d);
    for (int i = 0; i < t.n; i++)
        t.v[i] = ref_binary(op, a->v[ref_place(&t, i, a)], b->v[ref_place(&t, i, b)]);
    return t;
}

/* Windows of a node that slides kh x kw over a: output size and padding before. */
static void ref_window(const json_t *node, const struct ref_tensor *a, int kh, int kw, int out[2],
                       int before[2])
{
    const json_t *mode = ref_attr(node, "padding", "s");
    int k[2] = {kh, kw};
    for (int i = 0; i < 2; i++) {
        int in = a->d[i + 1], stride = ref_int(node, "strides", (size_t)i + 1);
        int after = 0;
        before[i] = 0;
        if (ref_is(mode, "EXPLICIT")) {
            before[i] = ref_int(node, "explicit_paddings", (size_t)(2 * i + 2));
            after = ref_int(node, "explicit_paddings", (size_t)(2 * i + 3));
        } else if (ref_is(mode, "SAME")) {
            int total = ((in + stride - 1) / stride - 1) * stride + k[i] - in;
            before[i] = total > 0 ? total / 2 : 0;
            after = total > 0 ? total - before[i] : 0;
        }
        out[i] = (in + before[i] + after - k[i]) / stride + 1;
    }
}

/* Convolution (what 'c'), depthwise ('d'), maximum ('m') and average ('a') over windows. */
static struct ref_tensor ref_slide(const json_t *node, char what, const struct ref_tensor *a,
                                   const struct ref_tensor *w)
{
    int kh = w ? w->d[0] : ref_int(node, "ksize", 1), kw = w ? w->d[1] : ref_int(node, "ksize", 2);
    int sh = ref_int(node, "strides", 1), sw = ref_int(node, "strides", 2), size[2], before[2];
    int ci = a->d[3], co = what == 'c' ? w->d[3] : ci;
    ref_window(node, a, kh, kw, size, before);
    struct ref_tensor t = ref_new(4, (int[]){1, size[0], size[1], co});
    for (int y = 0; y < size[0]; y++) {
        for (int x = 0; x < size[1]; x++) {
            double *to = t.v + (y * size[1] + x) * co;
            int seen = 0;
            for (int c = 0; what == 'm' && c < co; c++)
                to[c] = -INFINITY;
            for (int i = 0; i < kh * kw; i++) {
                int iy = y * sh + i / kw - before[0], ix = x * sw + i % kw - before[1];
                if (iy < 0 || ix < 0 || iy >= a->d[1] || ix >= a->d[2])
                    continue;
                const double *from = a->v + (iy * a->d[2] + ix) * ci;
                seen++;
                for (int c = 0; c < ci && what == 'c'; c++) {
                    const double *row = w->v + (i * ci + c) * co;
                    for (int o = 0; o < co; o++)
                        to[o] += from[c] * row[o];
                }
                for (int c = 0; c < ci && what != 'c'; c++)
                    to[c] = what == 'm' ? fmax(to[c], from[c])
                                        : to[c] + from[c] * (what == 'd' ? w->v[i * ci + c] : 1);
            }
            for (int c = 0; what == 'a' && c < co; c++)
                to[c] /= seen;
        }
    }
    return t;
}

static struct ref_tensor ref_matmul(const struct ref_tensor *a, const struct ref_tensor *w,
                                    int turned)
{
    int n = w->d[turned ? 0 : 1];
    struct ref_tensor t = ref_new(2, (int[]){a->d[0], n});
    for (int o = 0; o < n; o++) {
        for (int i = 0; i < a->d[1]; i++)
            t.v[o] += a->v[i] * w->v[turned ? o * a->d[1] + i : i * n + o];
    }
    return t;
}

static struct ref_tensor ref_copy(const struct ref_tensor *a)
{
    struct ref_tensor t = ref_new(a->nd, a->d);
    memcpy(t.v, a->v, (size_t)t.n * sizeof *t.v);
    return t;
}

static struct ref_tensor ref_reshape(const struct ref_tensor *a, const struct ref_tensor *shape)
{
    struct ref_tensor t = ref_copy(a);
    int known = 1;
    t.nd = shape->n;
    for (int i = 0; i < t.nd; i++)
        known *= shape->v[i] == -1 ? 1 : (int)shape->v[i];
    for (int i = 0; i < t.nd; i++)
        t.d[i] = shape->v[i] == -1 ? a->n / known : (int)shape->v[i];
    return t;
}

static struct ref_tensor ref_pad(const struct ref_tensor *a, const double *p)
{
    int d[REF_DIMS];
    for (int i = 0; i < a->nd; i++)
        d[i] = a->d[i] + (int)p[2 * i] + (int)p[2 * i + 1];
    struct ref_tensor t = ref_new(a->nd, d);
    for (int i = 0; i < a->n; i++) {
        int at = 0, step = 1;
        for (int k = a->nd - 1, rest = i; k >= 0; k--) {
            at += (rest % a->d[k] + (int)p[2 * k]) * step;
            step *= t.d[k];
            rest /= a->d[k];
        }
        t.v[at] = a->v[i];
    }
    return t;
}

/* Of images or vectors, along the channels. */
static struct ref_tensor ref_concat(struct ref_tensor *in, int n, int axis)
{
    struct ref_tensor t = in[0];
    if (axis != -1 && axis != t.nd - 1)
        ref_die("concat", "axis");
    for (int k = 1; k < n; k++)
        t.d[t.nd - 1] += in[k].d[t.nd - 1];
    t = ref_new(t.nd, t.d);
    int c = t.d[t.nd - 1], at = 0;
    for (int k = 0; k < n; k++) {
        int ck = in[k].d[t.nd - 1];
        for (int i = 0; i < in[k].n; i++)
            t.v[i / ck * c + at + i % ck] = in[k].v[i];
        at += ck;
    }
    return t;
}

static struct ref_tensor ref_softmax(const struct ref_tensor *a)
{
    struct ref_tensor t = ref_new(a->nd, a->d);
    double sum = 0, most = -INFINITY;
    for (int i = 0; i < t.n; i++)
        most = fmax(most, a->v[i]);
    for (int i = 0; i < t.n; i++)
        sum += t.v[i] = exp(a->v[i] - most);
    for (int i = 0; i < t.n; i++)
        t.v[i] /= sum;
    return t;
}

/* Mean, Sum or Max over some axes. */
static struct ref_tensor ref_reduce(const char *op, const struct ref_tensor *a,
                                    const struct ref_tensor *axes, int keep)
{
    int over[REF_DIMS] = {0}, d[REF_DIMS], nd = 0;
    for (int i = 0; i < axes->n; i++)
        over[(int)axes->v[i] + (axes->v[i] < 0 ? a->nd : 0)] = 1;
    for (int k = 0; k < a->nd; k++)
        d[k] = over[k] ? 1 : a->d[k];
    struct ref_tensor t = ref_new(a->nd, d);
    for (int i = 0; i < t.n; i++)
        t.v[i] = op[0] == 'M' && op[1] == 'a' ? -INFINITY : 0;
    for (int i = 0; i < a->n; i++) {
        double *to = &t.v[ref_place(a, i, &t)];
        *to = strcmp(op, "Max") == 0 ? fmax(*to, a->v[i])
                                     : *to + a->v[i] * (op[0] == 'S' ? 1 : (double)t.n / a->n);
    }
    for (int k = 0; k < a->nd && !keep; k++) {
        if (!over[k])
            t.d[nd++] = t.d[k];
    }
    t.nd = keep ? t.nd : nd;
    return t;
}

static struct ref_tensor ref_expand(const struct ref_tensor *a, int axis)
{
    struct ref_tensor t = ref_copy(a);
    axis += axis < 0 ? a->nd + 1 : 0;
    t.nd++;
    for (int k = a->nd; k > axis; k--)
        t.d[k] = t.d[k - 1];
    t.d[axis] = 1;
    return t;
}

/* From in[1] to in[2] by in[3] of a tensor of two axes. */
static struct ref_tensor ref_strided(const json_t *node, const struct ref_tensor *in)
{
    int mask[3], from[2], n[2], d[2], nd = 0;
    static const char *const keys[] = {"begin_mask", "end_mask", "shrink_axis_mask"};
    for (int k = 0; k < 3; k++)
        mask[k] = atoi(json_string_value(ref_attr(node, keys[k], "i")));
    for (int k = 0; k < 2; k++) {
        int size = in[0].d[k], b = (int)in[1].v[k], e = (int)in[2].v[k];
        from[k] = mask[0] >> k & 1 ? 0 : b < 0 ? b + size : b;
        e = mask[1] >> k & 1 ? size : e < 0 ? e + size : e < size ? e : size;
        n[k] = mask[2] >> k & 1 ? 1 : e - from[k];
        if (!(mask[2] >> k & 1))
            d[nd++] = n[k];
    }
    struct ref_tensor t = ref_new(nd, d);
    for (int i = 0; i < t.n; i++)
        t.v[i] = in[0].v[(from[0] + i / n[1]) * in[0].d[1] + from[1] + i % n[1]];
    return t;
}

static struct ref_tensor ref_squeeze(const struct ref_tensor *a)
{
    struct ref_tensor t = ref_copy(a);
    t.nd = 2; /* [1, 1, 1, c] to [1, c] */
    t.d[1] = a->d[3];
    return t;
}

static struct ref_tensor ref_norm(const json_t *node, const struct ref_tensor *in)
{
    double eps = json_number_value(ref_attr(node, "epsilon", "f"));
    struct ref_tensor t = ref_copy(&in[0]);
    for (int i = 0; i < t.n; i++) {
        int c = i % t.d[3];
        t.v[i] = (t.v[i] - in[3].v[c]) / sqrt(in[4].v[c] + eps) * in[1].v[c] + in[2].v[c];
    }
    return t;
}

static void ref_bound(struct ref_tensor *t, double lo, double hi)
{
    for (int i = 0; i < t->n; i++)
        t->v[i] = t->v[i] < lo ? lo : t->v[i] > hi ? hi : t->v[i];
}

/* What a fused node does behind its product, its further inputs being in[0], in[1], ... */
static struct ref_tensor ref_fused(const json_t *node, struct ref_tensor t, struct ref_tensor *in)
{
    const json_t *ops = json_object_get(ref_attr(node, "fused_ops", "list"), "s");
    for (size_t k = 0; k < json_array_size(ops); k++) {
        const json_t *op = json_array_get(ops, k);
        if (ref_is(op, "Relu") || ref_is(op, "Relu6")) {
            ref_bound(&t, 0, ref_is(op, "Relu") ? INFINITY : 6);
        } else {
            struct ref_tensor u = ref_broadcast(ref_is(op, "Prelu") ? "Prelu" : "BiasAdd", &t, in);
            free(t.v);
            t = u;
            in++;
        }
    }
    return t;
}

static struct ref_tensor ref_input(const struct ref *r, const json_t *node)
{
    const json_t *dims = json_object_get(ref_attr(node, "shape", "shape"), "dim");
    int d[REF_DIMS], nd = (int)json_array_size(dims);
    for (int i = 0; i < nd; i++) {
        const json_t *size = json_object_get(json_array_get(dims, (size_t)i), "size");
        d[i] = i == 0 ? 1 : atoi(json_string_value(size));
    }
    struct ref_tensor t = ref_new(nd, d);
    memcpy(t.v, r->input, (size_t)t.n * sizeof *t.v);
    return t;
}

static struct ref_tensor ref_node(const struct ref *r, const json_t *node, struct ref_tensor *in,
                                  int nin)
{
    const char *op = json_string_value(json_object_get(node, "op"));
    const char *name = json_string_value(json_object_get(node, "name"));
    struct ref_tensor t;
    if (strcmp(op, "Const") == 0)
        return ref_constant(r, name);
    if (strcmp(op, "Placeholder") == 0)
        return ref_input(r, node);
    if (strstr(op, "Depthwise") != NULL)
        return ref_fused(node, ref_slide(node, 'd', &in[0], &in[1]), in + 2);
    if (strstr(op, "Conv2D") != NULL)
        return ref_fused(node, ref_slide(node, 'c', &in[0], &in[1]), in + 2);
    if (strstr(op, "MatMul") != NULL)
        return ref_fused(
            node, ref_matmul(&in[0], &in[1], json_is_true(ref_attr(node, "transpose_b", "b"))),
            in + 2);
    if (strncmp(op, "FusedBatchNorm", 14) == 0)
        return ref_norm(node, in);
    if (strcmp(op, "MaxPool") == 0 || strcmp(op, "AvgPool") == 0)
        return ref_slide(node, op[0] == 'M' ? 'm' : 'a', &in[0], NULL);
    if (strcmp(op, "Mean") == 0 || strcmp(op, "Sum") == 0 || strcmp(op, "Max") == 0)
        return ref_reduce(op, &in[0], &in[1], json_is_true(ref_attr(node, "keep_dims", "b")));
    if (strcmp(op, "ExpandDims") == 0)
        return ref_expand(&in[0], (int)in[1].v[0]);
    if (strcmp(op, "StridedSlice") == 0)
        return ref_strided(node, in);
    if (strcmp(op, "Reshape") == 0)
        return ref_reshape(&in[0], &in[1]);
    if (strcmp(op, "Squeeze") == 0)
        return ref_squeeze(&in[0]);
    if (strncmp(op, "Pad", 3) == 0)
        return ref_pad(&in[0], in[1].v);
    if (strcmp(op, "ConcatV2") == 0)
        return ref_concat(in, nin - 1, (int)in[nin - 1].v[0]);
    if (strcmp(op, "Softmax") == 0)
        return ref_softmax(&in[0]);
    t = ref_copy(&in[0]);
    if (strcmp(op, "Relu") == 0 || strcmp(op, "Relu6") == 0) {
        ref_bound(&t, 0, op[4] == '6' ? 6 : INFINITY);
    } else if (strcmp(op, "ClipByValue") == 0) {
        ref_bound(&t, in[1].v[0], in[2].v[0]);
    } else if (ref_unary(op, 0, NULL)) {
        for (int i = 0; i < t.n; i++)
            ref_unary(op, t.v[i], &t.v[i]);
    } else if (strcmp(op, "Identity") != 0) {
        static const char *const binary[] = {"Add", "AddV2",   "AddN",    "BiasAdd", "Sub",
                                             "Mul", "RealDiv", "Minimum", "Maximum", "Prelu"};
        size_t k = 0;
        while (k < sizeof binary / sizeof binary[0] && strcmp(op, binary[k]) != 0)
            k++;
        if (k == sizeof binary / sizeof binary[0])
            ref_die("unknown op", op);
        for (int i = 1; i < nin; i++) {
            struct ref_tensor u = ref_broadcast(op, &t, &in[i]);
            free(t.v);
            t = u;
        }
    }
    return t;
}

/* The value of a node for r->input. */
static struct ref_tensor ref_eval(struct ref *r, const char *name)
{
    char plain[300];
    json_t *node;
    size_t k;
    snprintf(plain, sizeof plain, "%.*s", (int)strcspn(name, ":"), name);
    for (int i = 0; i < r->nnode; i++) {
        if (strcmp(r->name[i], plain) == 0)
            return r->value[i];
    }
    json_array_foreach(json_object_get(json_object_get(r->root, "modelTopology"), "node"), k, node)
    {
        if (strcmp(json_string_value(json_object_get(node, "name")), plain) != 0)
            continue;
        const json_t *inputs = json_object_get(node, "input");
        struct ref_tensor in[16] = {{0}};
        int nin = (int)json_array_size(inputs);
        for (int i = 0; i < nin; i++)
            in[i] = ref_eval(r, json_string_value(json_array_get(inputs, (size_t)i)));
        r->value[r->nnode] = ref_node(r, node, in, nin);
        r->name[r->nnode] = json_string_value(json_object_get(node, "name"));
        return r->value[r->nnode++];
    }
    ref_die("no node", plain);
    return (struct ref_tensor){0};
}

#endif
