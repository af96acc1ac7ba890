/* Walks a TensorFlow.js graph and makes a net of it. graph.c reads the files, ops.h converts
   the ops. */
#include "tfjs.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/result.h"
#include "ops.h"

struct tfjs {
    struct tf_graph graph;
};

/* --- Nodes ------------------------------------------------------------------------------ */

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

/* Converts the nodes that are needed and ready, in the file's order; done[i] tells which are
   converted. Returns how many are needed and were not ready, or a negative code. */
static int convert_ready(struct import *c, bool *done)
{
    int left = 0;
    for (int i = 0; i < c->g->n; i++) {
        if (done[i] || !c->g->node[i].needed)
            continue;
        if (!ready(c, done, i)) {
            left++;
            continue;
        }
        int rc = imp_node(c, i);
        if (rc < 0)
            return rc;
        done[i] = true;
    }
    return left;
}

/* Converts what the outputs need, in the file's order as far as that is one of computation. */
static int convert_all(struct import *c)
{
    size_t n = (size_t)c->g->n;
    bool *done = calloc(n, sizeof *done);
    if (done == NULL)
        return mien_err_mem(c->e, n * sizeof *done, "nodes");
    int left = c->g->n + 1, before;
    do {
        before = left;
        left = convert_ready(c, done);
    } while (left > 0 && left < before);
    free(done);
    return left > 0 ? mien_err_set(c->e, MIEN_ERR_FORMAT, "the graph has a cycle") : left;
}

/* --- Outputs ------------------------------------------------------------------------------- */

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
        return net_find(c->net, name) < 0 ? result_rename(c->net, v->layer, name, c->e) : 0;
    }
    return 0;
}

/* Makes the node or layer `which` the head `name`. Returns its layer or a negative code. */
static int name_head(struct import *c, const char *which, const char *name)
{
    char logits[NET_NAME];
    int i = tf_find(c->g, which);
    int layer = i >= 0 && c->g->node[i].needed ? c->value[i].layer : net_find(c->net, which);
    if (layer < 0)
        return mien_err_set(c->e, MIEN_ERR_ARG, "there is no node or layer '%s' for %s", which,
                            name);
    assert(layer < c->net->n && c->net->layer != NULL);
    const struct layer *l = &c->net->layer[layer];
    size_t n = shape_count(l->shape);
    bool gender = strcmp(name, "gender") == 0;
    if (!(l->type == L_SOFTMAX && (!gender || n == 2)) &&
        !(l->type == L_SIGMOID && gender && n == 1))
        return mien_err_set(c->e, MIEN_ERR_ARG, "'%s' is a %s of %zu; %s", which,
                            layer_type_name(l->type), n,
                            gender ? "the gender must be a softmax of 2 or a sigmoid of 1"
                                   : "the age must be a softmax");
    int rc = 0;
    if (c->net->layer[l->in[0]].type == L_DENSE) {
        snprintf(logits, sizeof logits, "%s_logits", name);
        if ((rc = result_rename(c->net, l->in[0], logits, c->e)) < 0)
            return rc;
    }
    rc = result_rename(c->net, layer, name, c->e);
    return rc < 0 ? rc : layer;
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

/* Makes the net, its names, and of what its outputs and heads need the model. */
static int import(struct import *c, struct model *m, const char *gender, const char *age)
{
    int head[2] = {-1, -1}, rc = convert_all(c);
    for (int k = 0; rc >= 0 && k < c->g->nout; k++)
        rc = name_output(c, c->g->out[k]);
    if (rc >= 0 && gender != NULL)
        rc = head[0] = name_head(c, gender, "gender");
    if (rc >= 0 && age != NULL)
        rc = head[1] = name_head(c, age, "age");
    if (rc < 0)
        return rc;
    assert(c->net->n > 0);
    int *map = calloc((size_t)c->net->n, sizeof *map);
    if (map == NULL)
        return mien_err_mem(c->e, (size_t)c->net->n * sizeof *map, "layers");
    for (int i = 0; i < c->net->n; i++)
        map[i] = i == head[0] || i == head[1] ? 0 : -1;
    for (int k = 0; k < c->g->nout; k++)
        map[c->value[c->g->out[k]].layer] = 0;
    rc = result_take(c->net, c->weights, map, m, c->e);
    free(map);
    return rc;
}

int tfjs_import(const struct tfjs *t, struct model *m, const char *gender, const char *age, int h,
                int w, struct mien_err *e)
{
    const struct tf_graph *g = &t->graph;
    struct net net = {0};
    struct import c = {.g = g, .net = &net, .h = h, .w = w, .e = e};
    c.value = calloc((size_t)g->n, sizeof *c.value);
    if (c.value == NULL)
        return mien_err_mem(e, (size_t)g->n * sizeof *c.value, "nodes");
    for (int i = 0; i < g->n; i++)
        c.value[i] = (struct tf_value){.layer = -1};
    int rc = import(&c, m, gender, age);
    free(c.value);
    free(c.weights);
    net_free(&net);
    if (rc < 0)
        model_free(m);
    return rc;
}
