#include "torch_weights.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/names.h"
#include "tensor/st_format.h"
#include "util/half.h"

enum { LISTED = 4 }; /* names of tensors in a message */

struct reading {
    const struct mien_safetensors *file;
    struct model *m;
    char **prefix; /* of each layer, where a map names it */
    bool *taken;   /* of each tensor */
    int missing, left;
    struct mien_buf lacks; /* the first names of those missing */
};

/* --- The map -------------------------------------------------------------------------------- */

static void trim(const char **s, size_t *n)
{
    while (*n > 0 && strchr(" \t\r", (*s)[*n - 1]) != NULL)
        --*n;
    for (; *n > 0 && strchr(" \t", **s) != NULL; --*n)
        ++*s;
}

static int map_line(struct reading *r, int number, const char *s, size_t n, struct mien_err *e)
{
    const char *comment = memchr(s, '#', n), *prefix;
    char name[NET_NAME] = "";
    n = comment != NULL ? (size_t)(comment - s) : n;
    trim(&s, &n);
    if (n == 0)
        return 0;
    const char *equals = memchr(s, '=', n);
    if (equals == NULL)
        return mien_err_set(e, MIEN_ERR_ARG, "line %d: not of the form layer = prefix", number);
    size_t len = (size_t)(equals - s), rest = n - len - 1;
    prefix = equals + 1;
    trim(&s, &len);
    trim(&prefix, &rest);
    if (len < sizeof name)
        memcpy(name, s, len);
    int layer = net_find(&r->m->net, name);
    if (layer < 0)
        return mien_err_set(e, MIEN_ERR_ARG, "line %d: the network has no layer '%.*s'", number,
                            len < sizeof name ? (int)len : (int)sizeof name, s);
    if (r->prefix[layer] != NULL)
        return mien_err_set(e, MIEN_ERR_ARG, "line %d: layer '%s' occurs twice", number, name);
    r->prefix[layer] = strndup(prefix, rest);
    return r->prefix[layer] != NULL ? 0 : mien_err_mem(e, rest, "a map");
}

static int read_map(struct reading *r, const char *map, size_t len, struct mien_err *e)
{
    int rc = 0;
    for (int number = 1; rc == 0 && len > 0; number++) {
        const char *end = memchr(map, '\n', len);
        size_t n = end != NULL ? (size_t)(end - map) : len;
        rc = map_line(r, number, map, n, e);
        n += end != NULL;
        map += n;
        len -= n;
    }
    return rc;
}

/* --- Names ---------------------------------------------------------------------------------- */

/* The part of a tensor's name before its last dot. */
static size_t prefix_of(const struct mien_tensor *t)
{
    const char *dot = strrchr(t->name, '.');
    return dot != NULL ? (size_t)(dot - t->name) : 0;
}

/* Whether a tensor is one of the layer's. */
static bool is_of(const struct reading *r, int layer, const struct mien_tensor *t)
{
    char name[NET_NAME];
    size_t n = prefix_of(t);
    const char *prefix = r->prefix[layer];
    if (prefix != NULL)
        return strlen(prefix) == n && memcmp(prefix, t->name, n) == 0;
    if (n == 0)
        return false;
    name_clean(t->name, n, name);
    return strcmp(name, r->m->net.layer[layer].name) == 0;
}

/* What PyTorch, and others, call a parameter. */
static bool is_called(const struct mien_tensor *t, const char *param)
{
    static const char *const names[][2] = {
        {"gamma", "weight"},     {"beta", "bias"},       {"mean", "running_mean"},
        {"mean", "moving_mean"}, {"var", "running_var"}, {"var", "moving_variance"},
        {"slope", "weight"},
    };
    const char *name = t->name + prefix_of(t);
    name += *name == '.';
    bool is = strcmp(name, param) == 0;
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
        is |= strcmp(names[k][0], param) == 0 && strcmp(names[k][1], name) == 0;
    return is;
}

/* The tensor of a layer's parameter, or -1. */
static int find(const struct reading *r, int layer, const struct param *p)
{
    for (size_t k = 0; k < mien_st_count(r->file); k++) {
        const struct mien_tensor *t = mien_st_at(r->file, k);
        if (is_called(t, p->name) && is_of(r, layer, t))
            return (int)k;
    }
    return -1;
}

/* --- Elements ------------------------------------------------------------------------------- */

static bool is_float(const struct mien_tensor *t)
{
    return t->dtype == MIEN_ST_F32 || t->dtype == MIEN_ST_F16 || t->dtype == MIEN_ST_F64 ||
           (int)t->dtype == ST_BF16;
}

/* Element k, which may lie anywhere. */
static float element(const struct mien_tensor *t, size_t k)
{
    const unsigned char *p = (const unsigned char *)t->data + k * mien_st_size(t->dtype);
    uint16_t half;
    uint32_t bits;
    double d;
    float f;
    if (t->dtype == MIEN_ST_F32) {
        memcpy(&f, p, sizeof f);
    } else if (t->dtype == MIEN_ST_F64) {
        memcpy(&d, p, sizeof d);
        f = (float)d;
    } else {
        memcpy(&half, p, sizeof half);
        bits = (uint32_t)half << 16; /* bfloat16 is the upper half of a float */
        memcpy(&f, &bits, sizeof f);
        if (t->dtype == MIEN_ST_F16)
            half_to_floats(&half, &f, 1);
    }
    return f;
}

/* --- Order ---------------------------------------------------------------------------------- */

/* How PyTorch lays out a parameter: its shape there, and for each axis that ours has here, the
   slowest first, the extent and the distance of neighbors there. */
enum { AXES = 5 };
struct order {
    size_t shape[4], extent[AXES], step[AXES]; /* extents: 0 behind the last */
};

/* The image whose elements a layer's output is, flattened by PyTorch; else its own shape. A file
   of mien-export flattens in our order. */
static struct shape image_of(const struct reading *r, int layer)
{
    const struct net *net = &r->m->net;
    while (mien_st_meta(r->file, "prep") == NULL) {
        const struct layer *l = &net->layer[layer];
        bool mixes = l->nparam > 0 && strcmp(l->param[0].name, "weight") == 0;
        if (l->nin != 1 || l->shape.h != 1 || l->shape.w != 1 || mixes)
            break;
        struct shape in = net->layer[l->in[0]].shape;
        if (l->type != L_FLATTEN && (in.h != 1 || in.w != 1 || in.c != l->shape.c))
            break;
        layer = l->in[0];
    }
    return net->layer[layer].shape;
}

static struct order order_of(const struct reading *r, const struct layer *l, const struct param *p)
{
    size_t kh = (size_t)l->kh, kw = (size_t)l->kw, k = kh * kw, units = (size_t)l->units;
    bool weight = strcmp(p->name, "weight") == 0;
    if (weight && l->type == L_CONV) {
        size_t in = p->dim[2];
        return (struct order){{units, in, kh, kw}, {kh, kw, in, units}, {kw, 1, k, in * k}};
    }
    if (weight && l->type == L_DWCONV) {
        size_t c = p->dim[2];
        return (struct order){{c, 1, kh, kw}, {kh, kw, c}, {kw, 1, k}};
    }
    if (weight && l->type == L_TCONV) {
        size_t in = p->dim[0], groups = (size_t)l->groups, out = units / groups;
        return (struct order){{in * groups, out, kh, kw},
                              {in, kh, kw, groups, out},
                              {out * k, kw, 1, in * out * k, k}};
    }
    if (p->ndim == 3) { /* a constant of arithmetic */
        size_t h = p->dim[0], w = p->dim[1], c = p->dim[2];
        return (struct order){{c, h, w, 1}, {h, w, c}, {w, 1, h * w}};
    }
    if (strcmp(p->name, "bias") == 0)
        return (struct order){{p->count, 1, 1, 1}, {p->count}, {1}};
    struct shape s = image_of(r, l->in[0]);
    size_t area = (size_t)s.h * (size_t)s.w, c = (size_t)s.c;
    if (weight && l->type == L_DENSE)
        return (struct order){{units, area * c, 1, 1}, {area, c, units}, {1, area, area * c}};
    if (area * c != p->count) /* one for each channel of an image */
        area = 1;
    return (struct order){{area * c, 1, 1, 1}, {area, c}, {1, area}};
}

/* Whether two shapes are the same but for extents of 1. */
static bool same_shape(const struct mien_tensor *t, const size_t shape[4])
{
    int a = 0, b = 0;
    for (;; a++, b++) {
        while (a < t->ndim && t->shape[a] == 1)
            a++;
        while (b < 4 && shape[b] == 1)
            b++;
        if (a == t->ndim || b == 4)
            return a == t->ndim && b == 4;
        if (t->shape[a] != shape[b])
            return false;
    }
}

static int copy(const struct reading *r, const struct layer *l, const struct param *p,
                const struct mien_tensor *t, struct mien_err *e)
{
    struct order o = order_of(r, l, p);
    size_t at[AXES] = {0}, from = 0;
    if (!is_float(t))
        return mien_err_set(e, MIEN_ERR_FORMAT, "tensor '%s' doesn't hold floats", t->name);
    if (!same_shape(t, o.shape))
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "tensor '%s' of %zu elements isn't the %s of layer '%s', which "
                            "PyTorch has as %zux%zux%zux%zu",
                            t->name, t->count, p->name, l->name, o.shape[0], o.shape[1], o.shape[2],
                            o.shape[3]);
    int axes = 0;
    while (axes < AXES && o.extent[axes] > 0)
        axes++;
    for (size_t i = 0; i < p->count; i++) {
        float v = element(t, from);
        if (!isfinite(v))
            return mien_err_set(e, MIEN_ERR_FORMAT, "tensor '%s': element %zu isn't finite",
                                t->name, from);
        r->m->weights[p->at + i] = v;
        for (int k = axes - 1; k >= 0; k--) { /* the next one, the last axis being the fastest */
            from += o.step[k];
            if (++at[k] < o.extent[k])
                break;
            from -= o.step[k] * o.extent[k];
            at[k] = 0;
        }
    }
    return 0;
}

/* --- All of them ---------------------------------------------------------------------------- */

/* Appends a name to a list, of which the first few are kept. */
static int list(struct mien_buf *b, int number, const char *prefix, const char *name)
{
    if (number > LISTED)
        return 0;
    return mien_buf_printf(b, "%s%.60s%s%.60s", number > 1 ? ", " : "", prefix,
                           prefix[0] != '\0' ? "." : "", name);
}

static int finish(struct mien_buf *b, int number)
{
    int rc = number > LISTED ? mien_buf_printf(b, " and %d more", number - LISTED) : 0;
    return rc | mien_buf_append(b, "", 1);
}

static int read_layer(struct reading *r, int layer, struct mien_err *e)
{
    const struct layer *l = &r->m->net.layer[layer];
    for (int k = 0; k < l->nparam; k++) {
        const struct param *p = &l->param[k];
        int found = find(r, layer, p);
        if (found < 0) {
            const char *prefix = r->prefix[layer] != NULL ? r->prefix[layer] : l->name;
            if (list(&r->lacks, ++r->missing, prefix, p->name) < 0)
                return mien_err_mem(e, r->lacks.len, "names");
            continue;
        }
        r->taken[found] = true;
        int rc = copy(r, l, p, mien_st_at(r->file, (size_t)found), e);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* Lists what no layer took; refuses what would change what a layer computes. */
static int look_at_rest(struct reading *r, struct mien_buf *left, struct mien_err *e)
{
    const struct net *net = &r->m->net;
    for (size_t k = 0; k < mien_st_count(r->file); k++) {
        const struct mien_tensor *t = mien_st_at(r->file, k);
        const char *name = t->name + prefix_of(t);
        if (r->taken[k] || strcmp(name + (*name == '.'), "num_batches_tracked") == 0)
            continue;
        for (int i = 0; i < net->n && r->missing == 0; i++) {
            if (net->layer[i].nparam > 0 && is_of(r, i, t))
                return mien_err_set(e, MIEN_ERR_FORMAT, "layer '%s' has no place for tensor '%s'",
                                    net->layer[i].name, t->name);
        }
        if (list(left, ++r->left, "", t->name) < 0)
            return mien_err_mem(e, left->len, "names");
    }
    if (r->left > 0 && finish(left, r->left) < 0)
        return mien_err_mem(e, left->len, "names");
    return 0;
}

static int read_all(struct reading *r, struct mien_buf *left, struct mien_err *e)
{
    int rc = 0;
    for (int i = 0; i < r->m->net.n && rc == 0; i++)
        rc = read_layer(r, i, e);
    if (rc == 0)
        rc = look_at_rest(r, left, e);
    if (rc < 0 || r->missing == 0)
        return rc;
    if (finish(&r->lacks, r->missing) < 0)
        return mien_err_mem(e, r->lacks.len, "names");
    return mien_err_set(e, MIEN_ERR_FORMAT, "there is no %s%s%.200s", (char *)r->lacks.data,
                        r->left > 0 ? "; left over: " : "", r->left > 0 ? (char *)left->data : "");
}

int torch_weights(struct model *m, const struct mien_safetensors *file, const char *map, size_t len,
                  struct mien_buf *left, struct mien_err *e)
{
    size_t n = (size_t)m->net.n, tensors = mien_st_count(file);
    struct reading r = {
        .file = file,
        .m = m,
        .prefix = calloc(n, sizeof *r.prefix),
        .taken = calloc(tensors + 1, sizeof *r.taken),
    };
    int rc = r.prefix == NULL || r.taken == NULL ? mien_err_mem(e, n + tensors, "names") : 0;
    if (rc == 0 && map != NULL)
        rc = read_map(&r, map, len, e);
    if (rc == 0 && (m->weights = net_weights_new(&m->net, e)) == NULL)
        rc = MIEN_ERR_MEM;
    if (rc == 0)
        rc = read_all(&r, left, e);
    for (size_t i = 0; r.prefix != NULL && i < n; i++)
        free(r.prefix[i]);
    free(r.prefix);
    free(r.taken);
    mien_buf_free(&r.lacks);
    return rc;
}
