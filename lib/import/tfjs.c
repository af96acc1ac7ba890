/* Walks a TensorFlow.js graph and makes a net of it. tfgraph.c reads the files, tfops.c converts
   the ops. */
#include "tfjs.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/num.h"
#include "tfimport.h"

struct tfjs {
    struct tf_graph graph;
};

int imp_fail(struct import *c, int i, const char *fmt, ...)
{
    char cause[300];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(cause, sizeof cause, fmt, ap);
    va_end(ap);
    return mien_err_set(c->e, MIEN_ERR_FORMAT, "node '%s' (%s): %s", c->g->node[i].name,
                        c->g->node[i].op, cause);
}

/* --- Names --------------------------------------------------------------------------------- */

/* Without the wrappers that converters put around a model. */
static const char *unwrapped(const char *name)
{
    static const char *const wrappers[] = {"StatefulPartitionedCall", "PartitionedCall",
                                           "functional", "model", "sequential"};
    size_t count = sizeof wrappers / sizeof wrappers[0];
    for (size_t k = 0; k < count; k++) {
        size_t n = strcspn(name, "/"), len = strlen(wrappers[k]);
        if (name[n] == '/' && strncmp(name, wrappers[k], len) == 0 &&
            strspn(name + len, "_0123456789") == n - len) {
            name += n + 1;
            k = (size_t)-1; /* start over */
        }
    }
    return strncmp(name, "tf_op_layer_", 12) == 0 ? name + 12 : name;
}

/* Copies n characters, those that a name can't have replaced, and cut to leave room for a suffix.
 */
static void clean(const char *s, size_t n, char out[NET_NAME])
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    size_t len = 0;
    for (; len < n && len < NET_NAME - 16; len++)
        out[len] = strchr(good, s[len]) != NULL ? s[len] : '_';
    out[len] = '\0';
    if (len == 0)
        strcpy(out, "layer");
}

void imp_short_name(const char *node, char out[NET_NAME])
{
    const char *s = unwrapped(node);
    clean(s, strcspn(s, "/:"), out);
}

/* Makes the wanted name of node i's layer one that isn't taken: by the node's whole path, or a
   number. */
static void free_name(const struct import *c, int i, char name[NET_NAME])
{
    if (net_find(c->net, name) < 0)
        return;
    const char *path = unwrapped(c->g->node[i].name);
    clean(path, strlen(path), name);
    size_t n = strlen(name); /* which leaves room for a number */
    for (int k = 2; net_find(c->net, name) >= 0; k++)
        snprintf(name + n, NET_NAME - n, "_%d", k);
}

/* --- Layers -------------------------------------------------------------------------------- */

int imp_add_layer(struct import *c, int i, struct layer *l)
{
    struct mien_err cause;
    if (l->name[0] == '\0')
        imp_short_name(c->g->node[i].name, l->name);
    free_name(c, i, l->name);
    size_t before = c->net->nweights;
    int index = net_add(c->net, l, &cause);
    if (index < 0)
        return imp_fail(c, i, "%s", cause.msg);
    size_t n = c->net->nweights;
    if (n > before) {
        float *w = realloc(c->weights, n * sizeof *w);
        if (w == NULL)
            return mien_err_mem(c->e, n * sizeof *w, "weights");
        memset(w + before, 0, (n - before) * sizeof *w);
        c->weights = w;
    }
    return index;
}

float *imp_parameter(const struct import *c, int layer, int k)
{
    return c->weights + c->net->layer[layer].param[k].at;
}

/* --- Values -------------------------------------------------------------------------------- */

int imp_emit(struct import *c, int i, int layer, int rank)
{
    if (layer < 0)
        return layer;
    c->value[i] = (struct tf_value){layer, rank, c->g->node[i].uses > 1, false};
    return 0;
}

int imp_pass(struct import *c, int i, struct tf_value x)
{
    x.shared = x.shared || c->g->node[i].uses > 1;
    c->value[i] = x;
    return 0;
}

const struct tf_const *imp_constant(const struct import *c, int i, int k)
{
    if (k >= c->g->node[i].nin)
        return NULL;
    int j = c->g->node[i].in[k];
    while (strcmp(c->g->node[j].op, "Identity") == 0 && c->g->node[j].nin == 1)
        j = c->g->node[j].in[0];
    return c->g->node[j].value;
}

int imp_any_tensor(struct import *c, int i, int k, struct tf_value *x)
{
    *x = (struct tf_value){.layer = -1};
    if (k < c->g->node[i].nin)
        *x = c->value[c->g->node[i].in[k]];
    return x->layer < 0 ? imp_fail(c, i, "input %d is missing, or a constant", k + 1) : 0;
}

int imp_tensor(struct import *c, int i, int k, struct tf_value *x)
{
    if (imp_any_tensor(c, i, k, x) < 0)
        return MIEN_ERR_FORMAT;
    if (x->below6)
        return imp_fail(c, i, "input %d is a minimum that no maximum with 0 follows", k + 1);
    if (x->rank == 0)
        return imp_fail(c, i, "input %d was reshaped to what no layer has", k + 1);
    return 0;
}

/* --- The walk ------------------------------------------------------------------------------ */

/* Whether all that node i reads is converted. */
static bool ready(const struct import *c, const bool *done, int i)
{
    const struct tf_node *n = &c->g->node[i];
    for (int k = 0; k < n->nin; k++) {
        if (!done[n->in[k]])
            return false;
    }
    return true;
}

/* Converts what the outputs need, in the file's order as far as that is one of computation. */
static int walk(struct import *c)
{
    const struct tf_graph *g = c->g;
    bool *done = calloc((size_t)g->n, sizeof *done), going = true, all = false;
    int rc = 0;
    if (done == NULL)
        return mien_err_mem(c->e, (size_t)g->n * sizeof *done, "nodes");
    while (going && !all && rc == 0) {
        going = false;
        all = true;
        for (int i = 0; i < g->n && rc == 0; i++) {
            if (done[i] || !g->node[i].needed)
                continue;
            if (ready(c, done, i)) {
                rc = imp_node(c, i);
                going = done[i] = true;
            }
            all = all && done[i];
        }
    }
    free(done);
    return rc < 0 || all ? rc
                         : mien_err_set(c->e, MIEN_ERR_FORMAT, "the graph goes round in circles");
}

/* --- Outputs ------------------------------------------------------------------------------- */

static int rename_layer(struct import *c, int layer, const char *name)
{
    struct layer *l = &c->net->layer[layer];
    if (strcmp(l->name, name) == 0)
        return 0;
    if (net_find(c->net, name) >= 0)
        return mien_err_set(c->e, MIEN_ERR_ARG,
                            "layer '%s' can't be renamed to '%s', which is there already", l->name,
                            name);
    snprintf(l->name, NET_NAME, "%s", name);
    return 0;
}

/* Whether a node gives back its input, at most in another shape. */
static bool passes(const struct tf_node *n)
{
    return n->nin > 0 && (strcmp(n->op, "Identity") == 0 || strcmp(n->op, "Reshape") == 0 ||
                          strcmp(n->op, "Squeeze") == 0);
}

/* An output that only reshapes a layer gives it its name, unless that is one of the converter's. */
static int name_output(struct import *c, int out)
{
    char name[NET_NAME];
    const struct tf_value *v = &c->value[out];
    if (v->layer < 0 || v->below6)
        return imp_fail(c, out, "the output is a constant, or a minimum without a maximum");
    for (int i = out; passes(&c->g->node[i]); i = c->g->node[i].in[0]) {
        const char *node = c->g->node[i].name;
        if (strchr(node, '/') == NULL &&
            (strncmp(node, "Identity", 8) == 0 || strstr(node, "PartitionedCall") != NULL))
            continue;
        imp_short_name(node, name);
        return net_find(c->net, name) < 0 ? rename_layer(c, v->layer, name) : 0;
    }
    return 0;
}

/* Makes the node or layer `which` the head `name`. */
static int name_head(struct import *c, const char *which, const char *name)
{
    char logits[NET_NAME];
    int i = tf_find(c->g, which);
    int layer = i >= 0 && c->g->node[i].needed ? c->value[i].layer : net_find(c->net, which);
    if (layer < 0)
        return mien_err_set(c->e, MIEN_ERR_ARG, "there is no node or layer '%s' for %s", which,
                            name);
    const struct layer *l = &c->net->layer[layer];
    size_t n = shape_count(l->shape);
    bool gender = strcmp(name, "gender") == 0;
    if (!(l->type == L_SOFTMAX && (!gender || n == 2)) &&
        !(l->type == L_SIGMOID && gender && n == 1))
        return mien_err_set(
            c->e, MIEN_ERR_ARG, "'%s' is a %s of %zu; %s", which, layer_type_name(l->type), n,
            gender ? "the gender is a softmax of 2 or a sigmoid of 1" : "the age is a softmax");
    if (c->net->layer[l->in[0]].type == L_DENSE) {
        snprintf(logits, sizeof logits, "%s_logits", name);
        int rc = rename_layer(c, l->in[0], logits);
        if (rc < 0)
            return rc;
    }
    return rename_layer(c, layer, name);
}

/* --- The interface ------------------------------------------------------------------------- */

struct tfjs *tfjs_open(const char *path, struct mien_err *e)
{
    struct mien_err cause;
    struct tfjs *t = calloc(1, sizeof *t);
    if (t == NULL) {
        mien_err_mem(e, sizeof *t, "a graph");
        return NULL;
    }
    int rc = tf_read(&t->graph, path, &cause);
    if (rc == 0)
        return t;
    /* What the system says of a file names it already. */
    mien_err_set(e, rc, rc == MIEN_ERR_SYS ? "%.0s%s" : "'%s': %s", path, cause.msg);
    tfjs_close(t);
    return NULL;
}

void tfjs_close(struct tfjs *t)
{
    if (t != NULL)
        tf_free(&t->graph);
    free(t);
}

bool tfjs_has_output(const struct tfjs *t, const char *node)
{
    int i = tf_find(&t->graph, node);
    for (int k = 0; k < t->graph.nout; k++) {
        if (t->graph.out[k] == i)
            return true;
    }
    return false;
}

const char *tfjs_made_by(const struct tfjs *t)
{
    return json_string_value(json_object_get(t->graph.root, "generatedBy"));
}

const char *tfjs_converted_by(const struct tfjs *t)
{
    return json_string_value(json_object_get(t->graph.root, "convertedBy"));
}

/* Moves the weights to the model, where they are aligned. */
static int take_weights(struct import *c, struct model *m)
{
    for (int i = 0; i < m->net.n; i++) {
        const struct layer *l = &m->net.layer[i];
        for (int k = 0; k < l->nparam; k++) {
            const float *w = imp_parameter(c, i, k);
            if (!num_finite(w, l->param[k].count))
                return mien_err_set(c->e, MIEN_ERR_FORMAT,
                                    "layer '%s' has a weight that is no number", l->name);
        }
    }
    m->weights = net_weights_new(&m->net, c->e);
    if (m->weights == NULL)
        return MIEN_ERR_MEM;
    if (m->net.nweights > 0)
        memcpy(m->weights, c->weights, m->net.nweights * sizeof *m->weights);
    return 0;
}

int tfjs_import(const struct tfjs *t, struct model *m, const char *gender, const char *age, int h,
                int w, struct mien_err *e)
{
    const struct tf_graph *g = &t->graph;
    struct import c = {.g = g, .net = &m->net, .h = h, .w = w, .e = e};
    c.value = malloc((size_t)g->n * sizeof *c.value);
    if (c.value == NULL)
        return mien_err_mem(e, (size_t)g->n * sizeof *c.value, "nodes");
    for (int i = 0; i < g->n; i++)
        c.value[i] = (struct tf_value){.layer = -1};
    int rc = walk(&c);
    for (int k = 0; rc == 0 && k < g->nout; k++)
        rc = name_output(&c, g->out[k]);
    if (rc == 0 && gender != NULL)
        rc = name_head(&c, gender, "gender");
    if (rc == 0 && age != NULL)
        rc = name_head(&c, age, "age");
    if (rc == 0)
        rc = take_weights(&c, m);
    free(c.value);
    free(c.weights);
    if (rc < 0)
        model_free(m);
    return rc;
}
