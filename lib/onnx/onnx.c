/* Walks an ONNX graph and makes a net of it. */
#include "onnx.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ops.h"
#include "graph/result.h"

struct onnx {
    struct onnx_file file;
    struct onnx_layout *out, in; /* of the last import */
    int *out_layer, nout;
};

struct onnx *onnx_open(const char *path, struct mien_err *e)
{
    struct mien_err cause;
    struct onnx *o = calloc(1, sizeof *o);
    if (o == NULL) {
        mien_err_mem(e, sizeof *o, "a graph");
        return NULL;
    }
    int rc = onnx_file_read(&o->file, path, &cause);
    if (rc == 0)
        return o;
    /* What the system says of a file names it already. */
    mien_err_set(e, rc, rc == MIEN_ERR_SYS ? "%.0s%s" : "'%s': %s", path, cause.msg);
    onnx_close(o);
    return NULL;
}

void onnx_close(struct onnx *o)
{
    if (o == NULL)
        return;
    onnx_file_free(&o->file);
    free(o->out);
    free(o->out_layer);
    free(o);
}

const char *onnx_made_by(const struct onnx *o)
{
    return o->file.producer;
}

const char *onnx_prep(const struct onnx *o)
{
    return o->file.prep;
}

const char *onnx_history(const struct onnx *o)
{
    return o->file.made;
}

bool onnx_has_value(const struct onnx *o, const char *name)
{
    int i = onnx_file_find(&o->file, name);
    for (int n = 0; i >= 0 && n < o->file.nnode; n++) {
        for (int k = 0; k < o->file.node[n].nout; k++) {
            if (o->file.node[n].out[k] == i)
                return true;
        }
    }
    return false;
}

int onnx_outputs(const struct onnx *o, struct mien_buf *text)
{
    const struct onnx_file *f = &o->file;
    int rc = 0;
    for (int k = 0; k < f->nout; k++) {
        const struct onnx_port *p = &f->out[k];
        rc |= mien_buf_printf(text, "%s'%s' ", k > 0 ? ", " : "", f->name[p->name]);
        for (int d = 0; d < p->rank; d++)
            rc |= p->dim[d] < 0 ? mien_buf_printf(text, d > 0 ? "x?" : "?")
                                : mien_buf_printf(text, d > 0 ? "x%d" : "%d", p->dim[d]);
        if (p->rank < 0)
            rc |= mien_buf_printf(text, "of any shape");
    }
    return rc < 0 ? MIEN_ERR_MEM : 0;
}

int onnx_output_count(const struct onnx *o)
{
    return o->nout;
}

int onnx_output(const struct onnx *o, int k, struct onnx_layout *l)
{
    *l = o->out[k];
    return o->out_layer[k];
}

void onnx_input(const struct onnx *o, struct onnx_layout *l)
{
    *l = o->in;
}

/* --- The input ------------------------------------------------------------------------------ */

/* The weight of that name, or NULL. Which names are weights is told by `weight`, of all names. */
static struct span *weights_by_name(const struct onnx_file *f)
{
    struct span *s = calloc((size_t)f->nname + 1, sizeof *s);
    for (int k = 0; s != NULL && k < f->nweight; k++)
        s[f->weight[k].name] = f->weight[k].message;
    return s;
}

static int refuse_inputs(struct build *b, int first, int second)
{
    return mien_err_set(b->e, MIEN_ERR_FORMAT,
                        "it has more than one input, '%.100s' and '%.100s': only one is supported",
                        b->f->name[first], b->f->name[second]);
}

/* Whether an input [n, ?, ?, ?] has its channels behind, as TensorFlow's have. */
static bool channels_behind(const struct onnx_port *p)
{
    return p->rank == 4 && p->dim[3] >= 1 && p->dim[3] <= 4 && (p->dim[1] > 4 || p->dim[1] < 0);
}

/* A factor for each channel of pixels. */
static int add_scales(struct build *b, const float scale[3])
{
    struct layer l = ob_layer(L_MUL, 0);
    if (b->net.layer[0].shape.c != 3)
        return mien_err_set(b->e, MIEN_ERR_ARG, "three scales need an input of three channels");
    snprintf(l.name, NET_NAME, "scale");
    l.size[0] = l.size[1] = 1;
    l.size[2] = 3;
    int layer = ob_add(b, &l, -1);
    if (layer >= 0)
        memcpy(ob_param(b, layer, 0), scale, 3 * sizeof *scale);
    return layer;
}

/* The brightness of pixels, as JPEG and television have it (ITU-R BT.601). */
static int add_gray(struct build *b)
{
    static const float luma[3] = {0.299f, 0.587f, 0.114f};
    struct layer l = ob_layer(L_CONV, 0);
    snprintf(l.name, NET_NAME, "gray");
    l.units = 1;
    l.bias = false;
    int layer = ob_add(b, &l, -1);
    if (layer >= 0)
        memcpy(ob_param(b, layer, 0), luma, sizeof luma);
    return layer;
}

static int add_input(struct build *b, const struct onnx_port *p, const struct onnx_options *o)
{
    struct value v = {.known = true, .layer = 0, .rank = p->rank};
    const char *name = b->f->name[p->name];
    if (p->rank < 0 || (p->type != 1 && p->type != 10 && p->type != 11 && p->type != 16))
        return mien_err_set(b->e, MIEN_ERR_FORMAT,
                            "input '%.100s' isn't one of floats with a shape", name);
    bool behind = channels_behind(p);
    for (int k = 0; k < p->rank; k++) {
        v.dim[k] = p->dim[k];
        v.mem[k] = k;
    }
    if (p->rank > 0 && !o->batch_is_data)
        v.dim[0] = 1;
    if (p->rank == 4 && o->h > 0) {
        v.dim[behind ? 1 : 2] = o->h;
        v.dim[behind ? 2 : 3] = o->w;
    }
    for (int k = 0; k < p->rank; k++) {
        if (v.dim[k] < 1)
            return mien_err_set(b->e, MIEN_ERR_FORMAT,
                                "input '%.100s': its size is open; choose one with --size", name);
    }
    if (p->rank == 4 && !behind) { /* an image, the channels first */
        const int mem[4] = {0, 2, 3, 1};
        memcpy(v.mem, mem, sizeof mem);
    }
    double count = 1;
    for (int k = 0; k < p->rank; k++)
        count *= v.dim[k];
    if (count > 1 << 30)
        return mien_err_set(b->e, MIEN_ERR_LIMIT, "input '%.100s' is too large", name);
    struct layer l = layer_make("input", L_INPUT);
    l.shape = ob_shape(&v);
    bool gray = o->pixels && p->rank == 4 && l.shape.c == 1;
    if (gray)
        l.shape.c = 3;
    v.layer = net_add(&b->net, &l, b->e);
    if (v.layer >= 0 && gray)
        v.layer = add_gray(b);
    if (v.layer >= 0 && o->scale[0] > 0)
        v.layer = add_scales(b, o->scale);
    b->value[p->name] = v;
    return v.layer < 0 ? v.layer : 0;
}

static int add_inputs(struct build *b, const struct span *weight, const struct onnx_options *o)
{
    const struct onnx_port *in = NULL;
    for (int k = 0; k < b->f->nin; k++) {
        const struct onnx_port *p = &b->f->in[k];
        if (weight[p->name].p != NULL) /* older exporters list weights, too */
            continue;
        if (in != NULL)
            return refuse_inputs(b, in->name, p->name);
        in = p;
    }
    return in != NULL ? add_input(b, in, o)
                      : mien_err_set(b->e, MIEN_ERR_FORMAT, "it has no input");
}

/* --- Nodes ---------------------------------------------------------------------------------- */

/* How often each name is read by what the outputs need; those nodes are marked. */
static int *count_uses(const struct onnx_file *f, bool *needed)
{
    int *uses = calloc((size_t)f->nname + 1, sizeof *uses);
    for (int k = 0; uses != NULL && k < f->nout; k++)
        uses[f->out[k].name]++;
    for (int i = f->nnode - 1; uses != NULL && i >= 0; i--) {
        const struct onnx_node *n = &f->node[i];
        for (int k = 0; k < n->nout; k++)
            needed[i] = needed[i] || (n->out[k] >= 0 && uses[n->out[k]] > 0);
        for (int k = 0; needed[i] && k < n->nin; k++) {
            if (n->in[k] >= 0)
                uses[n->in[k]]++;
        }
    }
    return uses;
}

/* Makes a node's inputs: weights that nobody has asked for yet. */
static int prepare(struct build *b, const struct span *weight)
{
    for (int k = 0; k < b->node->nin; k++) {
        int i = b->node->in[k];
        if (i < 0 || b->value[i].known)
            continue;
        if (weight[i].p == NULL)
            return ob_fail(b, "it reads '%.100s', which no earlier node makes", b->f->name[i]);
        struct value *v = &b->value[i];
        int rc = onnx_tensor(b->f, weight[i], &v->k, b->e);
        if (rc < 0)
            return rc;
        v->known = true;
        v->layer = -1;
        v->rank = v->k.rank;
        memcpy(v->dim, v->k.dim, sizeof v->dim);
        for (int d = 0; d < v->rank; d++)
            v->mem[d] = d;
    }
    return 0;
}

static int convert_all(struct build *b, const struct span *weight, const bool *needed, int *uses)
{
    for (int i = 0; i < b->f->nnode; i++) {
        b->node = &b->f->node[i];
        if (!needed[i])
            continue;
        int rc = prepare(b, weight);
        if (rc < 0 || (rc = onnx_convert(b)) < 0)
            return rc;
        for (int k = 0; k < b->node->nin; k++) { /* weights are large: not longer than needed */
            int in = b->node->in[k];
            if (in >= 0 && --uses[in] == 0)
                constant_free(&b->value[in].k);
        }
    }
    return 0;
}

/* --- Heads ---------------------------------------------------------------------------------- */

static int add_named(struct build *b, enum layer_type type, int in, const char *name)
{
    struct layer l = ob_layer(type, in);
    snprintf(l.name, NET_NAME, "%s", name);
    return ob_add(b, &l, -1);
}

/* What an age of one number makes of 101 years: logits k y - k^2 / 2, whose softmax is a normal
   distribution around y with a deviation of one year. Returns the dense layer. */
static int years_of(struct build *b, int in, const struct onnx_options *o)
{
    struct layer l = ob_layer(L_DENSE, in);
    snprintf(l.name, NET_NAME, "age_logits");
    l.units = 101;
    int layer = ob_add(b, &l, -1);
    for (int k = 0; layer >= 0 && k <= 100; k++) {
        ob_param(b, layer, 0)[k] = (float)(k * o->years);
        ob_param(b, layer, 1)[k] = (float)(k * o->years0 - k * k / 2.0);
    }
    return layer;
}

/* Turns two classes round: a slice backwards. */
static int turned(struct build *b, int in)
{
    struct layer l = ob_layer(L_SLICE, in);
    snprintf(l.name, NET_NAME, "female_male");
    l.size[0] = l.size[1] = 1;
    l.size[2] = 2;
    l.at[2] = 1;
    l.step[2] = -1;
    return ob_add(b, &l, -1);
}

/* Makes the value or layer `which` the head `name`. Returns its layer, or a negative code. */
static int add_head(struct build *b, const char *which, const char *name,
                    const struct onnx_options *o)
{
    char logits[NET_NAME];
    bool gender = strcmp(name, "gender") == 0;
    int i = onnx_file_find(b->f, which);
    int layer = i >= 0 && b->value[i].known && !constant_is(&b->value[i].k)
                    ? b->value[i].layer
                    : net_find(&b->net, which);
    if (layer < 0)
        return mien_err_set(b->e, MIEN_ERR_ARG, "there is no output or layer '%.100s' for %s",
                            which, name);
    while (b->net.layer[layer].type == L_RESHAPE)
        layer = b->net.layer[layer].in[0];
    struct shape s = b->net.layer[layer].shape;
    size_t n = shape_count(s);
    if (s.h != 1 || s.w != 1 || (gender ? n > 2 : n > 256))
        return mien_err_set(
            b->e, MIEN_ERR_ARG, "'%.100s' has %dx%dx%d elements; %s", which, s.h, s.w, s.c,
            gender ? "the gender must have one or two" : "the age must have 1 to 256");
    enum layer_type type = n == 1 && gender ? L_SIGMOID : L_SOFTMAX;
    bool ready = b->net.layer[layer].type == type;
    int in = ready ? b->net.layer[layer].in[0] : layer;
    snprintf(logits, sizeof logits, "%s_logits", name);
    b->node = NULL;
    if (b->net.layer[in].type == L_DENSE) {
        int rc = result_rename(&b->net, in, logits, b->e);
        if (rc < 0)
            return rc;
    }
    if (gender && o->male_first)
        in = n == 2 ? turned(b, in) : add_named(b, L_NEG, in, "male_female");
    else if (!gender && n == 1)
        in = years_of(b, in, o);
    else if (ready)
        return result_rename(&b->net, layer, name, b->e) < 0 ? MIEN_ERR_ARG : layer;
    return in < 0 ? in : add_named(b, type, in, name);
}

/* --- The result ----------------------------------------------------------------------------- */

/* Finds the outputs' layers. */
static int find_outputs(struct build *b, struct onnx *o)
{
    const struct onnx_file *f = b->f;
    free(o->out);
    free(o->out_layer);
    o->nout = 0;
    o->out = calloc((size_t)f->nout + 1, sizeof *o->out);
    o->out_layer = calloc((size_t)f->nout + 1, sizeof *o->out_layer);
    if (o->out == NULL || o->out_layer == NULL)
        return mien_err_mem(b->e, (size_t)f->nout * sizeof *o->out, "outputs");
    for (int k = 0; k < f->nout; k++) {
        const struct value *v = &b->value[f->out[k].name];
        if (!v->known || constant_is(&v->k) || v->layer < 0)
            return mien_err_set(b->e, MIEN_ERR_FORMAT, "output '%.100s' is a constant, or not made",
                                f->name[f->out[k].name]);
        struct onnx_layout *l = &o->out[o->nout];
        l->rank = v->rank;
        memcpy(l->dim, v->dim, sizeof l->dim);
        memcpy(l->mem, v->mem, sizeof l->mem);
        o->out_layer[o->nout++] = v->layer;
    }
    return o->nout > 0 ? 0 : mien_err_set(b->e, MIEN_ERR_FORMAT, "it has no output");
}

static int finish(struct build *b, struct onnx *o, struct model *m, const struct onnx_options *p)
{
    int rc = find_outputs(b, o), gender = -1, age = -1;
    if (rc == 0 && p->gender != NULL)
        rc = gender = add_head(b, p->gender, "gender", p);
    if (rc >= 0 && p->age != NULL)
        rc = age = add_head(b, p->age, "age", p);
    if (rc < 0)
        return rc;
    int *map = malloc((size_t)b->net.n * sizeof *map);
    if (map == NULL)
        return mien_err_mem(b->e, (size_t)b->net.n * sizeof *map, "layers");
    for (int i = 0; i < b->net.n; i++)
        map[i] = i == gender || i == age ? 0 : -1;
    if (p->heads_only && (gender >= 0 || age >= 0))
        o->nout = 0;
    for (int k = 0; k < o->nout; k++)
        map[o->out_layer[k]] = 0;
    rc = result_take(&b->net, b->weights, map, m, b->e);
    for (int k = 0; rc == 0 && k < o->nout; k++)
        o->out_layer[k] = map[o->out_layer[k]];
    free(map);
    return rc;
}

int onnx_import(struct onnx *o, struct model *m, const struct onnx_options *options,
                struct mien_err *e)
{
    struct onnx_file *f = &o->file;
    struct build b = {.f = f, .e = e};
    bool *needed = calloc((size_t)f->nnode + 1, sizeof *needed);
    struct span *weight = weights_by_name(f);
    int *uses = needed != NULL ? count_uses(f, needed) : NULL, rc = 0;
    b.value = calloc((size_t)f->nname + 1, sizeof *b.value);
    if (needed == NULL || weight == NULL || uses == NULL || b.value == NULL)
        rc = mien_err_mem(e, (size_t)f->nname * sizeof *b.value, "values");
    if (rc == 0)
        rc = add_inputs(&b, weight, options);
    if (rc == 0) {
        const struct value *in = NULL;
        for (int k = 0; k < f->nin && in == NULL; k++)
            in = b.value[f->in[k].name].known ? &b.value[f->in[k].name] : NULL;
        assert(in != NULL); /* add_inputs has found one */
        o->in = (struct onnx_layout){.rank = in->rank};
        memcpy(o->in.dim, in->dim, sizeof o->in.dim);
        memcpy(o->in.mem, in->mem, sizeof o->in.mem);
        rc = convert_all(&b, weight, needed, uses);
    }
    if (rc == 0)
        rc = finish(&b, o, m, options);
    for (int k = 0; b.value != NULL && k < f->nname; k++)
        constant_free(&b.value[k].k);
    free(b.value);
    free(weight);
    free(uses);
    free(needed);
    free(b.weights);
    net_free(&b.net);
    if (rc < 0)
        model_free(m);
    return rc;
}
