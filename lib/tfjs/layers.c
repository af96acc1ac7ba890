/* The net that is being made of a graph: its layers' names, parameters and values. */
#include "layers.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/names.h"

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

void imp_short_name(const char *node, char out[NET_NAME])
{
    const char *s = unwrapped(node);
    name_clean(s, strcspn(s, "/:"), out);
}

/* Makes the wanted name of node i's layer one that isn't taken: by the node's whole path, or a
   number. */
static void untaken_name(const struct import *c, int i, char name[NET_NAME])
{
    if (net_find(c->net, name) < 0)
        return;
    const char *path = unwrapped(c->g->node[i].name);
    name_clean(path, strlen(path), name);
    name_free(c->net, name);
}

/* --- Layers -------------------------------------------------------------------------------- */

int imp_add_layer(struct import *c, int i, struct layer *l)
{
    struct mien_err cause;
    if (l->name[0] == '\0')
        imp_short_name(c->g->node[i].name, l->name);
    untaken_name(c, i, l->name);
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

int imp_add_simple(struct import *c, int i, struct tf_value x, enum layer_type type)
{
    struct layer l = layer_make("", type);
    l.nin = 1;
    l.in[0] = x.layer;
    return imp_add_layer(c, i, &l);
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
        return imp_fail(c, i, "input %d was reshaped to a shape that no layer has", k + 1);
    return 0;
}

struct shape imp_shape(const struct import *c, struct tf_value x)
{
    return c->net->layer[x.layer].shape;
}

const struct tf_const *imp_per_channel(struct import *c, int i, int k, size_t channels)
{
    const struct tf_const *t = imp_constant(c, i, k);
    if (t == NULL)
        imp_fail(c, i, "input %d isn't a constant", k + 1);
    else if (t->count == 1 ||
             (t->count == channels && t->ndim > 0 && t->dim[t->ndim - 1] == channels))
        return t;
    else
        imp_fail(c, i, "constant '%s' is not one number or one a channel", t->name);
    return NULL;
}

double imp_channel(const struct tf_const *t, size_t k)
{
    return t->v[t->count == 1 ? 0 : k];
}

/* --- Attributes ---------------------------------------------------------------------------- */

int imp_check_layout(struct import *c, int i)
{
    char text[32];
    tf_text(&c->g->node[i], "data_format", 0, text, sizeof text);
    if (text[0] != '\0' && strcmp(text, "NHWC") != 0)
        return imp_fail(c, i, "data format %s is not supported, only NHWC", text);
    return 0;
}

int imp_window(struct import *c, int i, struct layer *l)
{
    const struct tf_node *n = &c->g->node[i];
    char text[32];
    int s[4], d[4], p[8], nd = tf_ints(n, "dilations", d, 4);
    if (imp_check_layout(c, i) < 0)
        return MIEN_ERR_FORMAT;
    for (int k = 0; k < nd; k++) {
        if (d[k] != 1)
            return imp_fail(c, i, "a dilation of %d is not supported", d[k]);
    }
    if (tf_ints(n, "strides", s, 4) != 4 || s[0] != 1 || s[3] != 1)
        return imp_fail(c, i, "its strides are not [1, y, x, 1]");
    l->sh = s[1];
    l->sw = s[2];
    tf_text(n, "padding", 0, text, sizeof text);
    if (strcmp(text, "SAME") == 0) {
        l->pad = PAD_SAME;
    } else if (strcmp(text, "EXPLICIT") == 0 && tf_ints(n, "explicit_paddings", p, 8) == 8) {
        l->pad = PAD_EXPLICIT;
        l->pt = p[2], l->pb = p[3], l->pl = p[4], l->pr = p[5];
    } else if (strcmp(text, "VALID") != 0) {
        return imp_fail(c, i, "padding '%s' is not supported", text);
    }
    return 0;
}
