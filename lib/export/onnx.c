#include "onnx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mien/version.h"
#include "onnx_graph.h"
#include "operator.h"

enum { IR_VERSION = 7, OPSET = 13 };

/* Fields of the messages of onnx.proto. */
enum {
    MODEL_IR = 1,
    MODEL_PRODUCER = 2,
    MODEL_PRODUCER_VERSION = 3,
    MODEL_GRAPH = 7,
    MODEL_OPSET = 8,
    MODEL_METADATA = 14
};
enum { OPSET_DOMAIN = 1, OPSET_VERSION = 2 };
enum { GRAPH_NAME = 2, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };
enum { VALUE_NAME = 1, VALUE_TYPE = 2, VALUE_DOC = 3 };
enum { TYPE_TENSOR = 1, TENSOR_ELEM = 1, TENSOR_SHAPE = 2, SHAPE_DIM = 1 };
enum { DIM_VALUE = 1, DIM_PARAM = 2 };
enum { PAIR_KEY = 1, PAIR_VALUE = 2 };

/* An input or output of [N, dims...]. */
static void value_info(struct onnx *g, int field, const char *name, enum onnx_type type, int ndim,
                       const int *dims, const char *doc)
{
    size_t value = pb_open(&g->pb, field);
    pb_string(&g->pb, VALUE_NAME, name);
    if (doc != NULL)
        pb_string(&g->pb, VALUE_DOC, doc);
    size_t kind = pb_open(&g->pb, VALUE_TYPE), tensor = pb_open(&g->pb, TYPE_TENSOR);
    pb_int(&g->pb, TENSOR_ELEM, type);
    size_t shape = pb_open(&g->pb, TENSOR_SHAPE), dim = pb_open(&g->pb, SHAPE_DIM);
    pb_string(&g->pb, DIM_PARAM, "N");
    pb_close(&g->pb, dim);
    for (int i = 0; i < ndim; i++) {
        dim = pb_open(&g->pb, SHAPE_DIM);
        pb_int(&g->pb, DIM_VALUE, dims[i]);
        pb_close(&g->pb, dim);
    }
    pb_close(&g->pb, shape);
    pb_close(&g->pb, tensor);
    pb_close(&g->pb, kind);
    pb_close(&g->pb, value);
}

/* --- Input ---------------------------------------------------------------------------------- */

/* From pixels, u8 [N, h, w, 3], to the network's input. */
static void preprocess(struct onnx *g)
{
    const struct model_input *in = &g->o->input;
    struct onnx_name number = graph_name(g, 0, "float"), first = graph_name(g, 0, "channels_first"),
                     order = graph_name(g, 0, "order"), turned = graph_name(g, 0, "turned"),
                     mean = graph_name(g, 0, "mean"), scale = graph_name(g, 0, "scale"),
                     less = graph_name(g, 0, "less_mean");
    const char *x = first.s;
    graph_begin(g, "Cast", number.s);
    graph_in(g, OUTGOING_PIXELS);
    graph_attr_int(g, "to", ONNX_FLOAT);
    graph_end(g);
    graph_transpose(g, first.s, number.s, 4, (int64_t[]){0, 3, 1, 2});
    if (in->bgr) {
        graph_ints(g, order.s, 3, (int64_t[]){2, 1, 0});
        graph_begin(g, "Gather", turned.s);
        graph_in(g, x);
        graph_in(g, order.s);
        graph_attr_int(g, "axis", 1);
        graph_end(g);
        x = turned.s;
    }
    graph_floats(g, mean.s, 3, (int64_t[]){3, 1, 1}, in->mean);
    graph_floats(g, scale.s, 0, NULL, &in->scale);
    graph_node(g, "Sub", less.s, x, mean.s);
    graph_node(g, "Mul", graph_makes(g, 0, FORM_IMAGE), less.s, scale.s);
}

static int add_input(struct onnx *g, struct mien_err *e)
{
    struct shape s = g->o->model.net.layer[0].shape;
    struct mien_buf doc = {0};
    if (outgoing_describe_input(g->o, &doc) < 0 || mien_buf_append(&doc, "", 1) < 0) {
        mien_buf_free(&doc);
        return mien_err_mem(e, doc.len, "text");
    }
    const char *text = (const char *)doc.data;
    if (g->o->preprocessing) {
        value_info(g, GRAPH_INPUT, OUTGOING_PIXELS, ONNX_UINT8, 3, (int[]){s.h, s.w, s.c}, text);
        preprocess(g);
    } else if (g->o->input.h == 0) {
        value_info(g, GRAPH_INPUT, OUTGOING_INPUT, ONNX_FLOAT, 1, (int[]){s.c}, text);
        graph_makes(g, 0, FORM_ROW);
    } else {
        value_info(g, GRAPH_INPUT, OUTGOING_INPUT, ONNX_FLOAT, 3, (int[]){s.c, s.h, s.w}, text);
        graph_makes(g, 0, FORM_IMAGE);
    }
    mien_buf_free(&doc);
    return 0;
}

/* --- Outputs -------------------------------------------------------------------------------- */

/* The head's outputs, or what they would be with its logits divided by a temperature. */
static struct onnx_name tempered(struct onnx *g, int head, double temperature)
{
    const struct net *net = &g->o->model.net;
    struct onnx_name out, by, hot;
    snprintf(out.s, sizeof out.s, "%s", graph_row(g, head));
    if (temperature == 1)
        return out;
    const char *logits = graph_row(g, net->layer[head].in[0]);
    by = graph_name(g, head, "temperature");
    hot = graph_name(g, head, "logits");
    out = graph_name(g, head, "tempered");
    graph_floats(g, by.s, 0, NULL, (float[]){(float)temperature});
    graph_node(g, "Div", hot.s, logits, by.s);
    graph_node(g, net->layer[head].type == L_SIGMOID ? "Sigmoid" : "Softmax", out.s, hot.s, NULL);
    return out;
}

static void add_gender(struct onnx *g)
{
    int head = g->o->heads.gender;
    struct onnx_name p = tempered(g, head, g->o->input.temp_gender);
    value_info(g, GRAPH_OUTPUT, OUTGOING_GENDER, ONNX_FLOAT, 1, (int[]){MIEN_GENDERS},
               "probabilities of female and male");
    if (g->o->heads.genders == MIEN_GENDERS) {
        graph_node(g, "Identity", OUTGOING_GENDER, p.s, NULL);
        return;
    }
    struct onnx_name one = graph_name(g, head, "one"), female = graph_name(g, head, "female");
    graph_floats(g, one.s, 0, NULL, (float[]){1});
    graph_node(g, "Sub", female.s, one.s, p.s);
    graph_begin(g, "Concat", OUTGOING_GENDER);
    graph_in(g, female.s);
    graph_in(g, p.s);
    graph_attr_int(g, "axis", 1);
    graph_end(g);
}

/* The row with a number before it or behind it. */
static void pad_row(struct onnx *g, const char *out, const char *row, int before, float v)
{
    int head = g->o->heads.age;
    struct onnx_name side = graph_name(g, head, before ? "side_before" : "side_behind"),
                     value = graph_name(g, head, before ? "all" : "none");
    graph_ints(g, side.s, 4, (int64_t[]){0, before, 0, !before});
    graph_floats(g, value.s, 0, NULL, &v);
    graph_begin(g, "Pad", out);
    graph_in(g, row);
    graph_in(g, side.s);
    graph_in(g, value.s);
    graph_end(g);
}

/* The probabilities of an ordinal head's classes, as age_head_classes has them: output k is that of
   a class beyond k. */
static struct onnx_name class_probabilities(struct onnx *g, struct onnx_name p)
{
    int head = g->o->heads.age;
    if (!g->o->heads.years.ordinal)
        return p;
    struct onnx_name before = graph_name(g, head, "before"), beyond = graph_name(g, head, "beyond"),
                     step = graph_name(g, head, "step"), least = graph_name(g, head, "at_least_0"),
                     axis = graph_name(g, head, "axis"), sum = graph_name(g, head, "sum"),
                     out = graph_name(g, head, "classes");
    pad_row(g, before.s, p.s, 1, 1);
    pad_row(g, beyond.s, p.s, 0, 0);
    graph_node(g, "Sub", step.s, before.s, beyond.s);
    graph_node(g, "Relu", least.s, step.s, NULL);
    graph_ints(g, axis.s, 1, (int64_t[]){1});
    graph_node(g, "ReduceSum", sum.s, least.s, axis.s);
    graph_node(g, "Div", out.s, least.s, sum.s);
    return out;
}

static void add_age(struct onnx *g)
{
    int head = g->o->heads.age, classes = g->o->heads.years.n;
    struct onnx_name p, matrix = graph_name(g, head, "years_of_classes"),
                        year = graph_name(g, head, "years"), mean = graph_name(g, head, "mean"),
                        shape = graph_name(g, head, "shape");
    float years[AGE_CLASSES * MIEN_AGES], ages[MIEN_AGES];
    snprintf(p.s, sizeof p.s, "%s", graph_row(g, head));
    p = class_probabilities(g, p);
    value_info(g, GRAPH_OUTPUT, OUTGOING_AGES, ONNX_FLOAT, 1, (int[]){MIEN_AGES},
               "probabilities of the ages from 0 to 100");
    value_info(g, GRAPH_OUTPUT, OUTGOING_AGE, ONNX_FLOAT, 0, NULL, "the expected age, in years");
    if (outgoing_years(g->o, years)) {
        graph_floats(g, matrix.s, 2, (int64_t[]){classes, MIEN_AGES}, years);
        graph_node(g, "MatMul", OUTGOING_AGES, p.s, matrix.s);
    } else {
        graph_node(g, "Identity", OUTGOING_AGES, p.s, NULL);
    }
    for (int y = 0; y < MIEN_AGES; y++)
        ages[y] = (float)y;
    graph_floats(g, year.s, 2, (int64_t[]){MIEN_AGES, 1}, ages);
    graph_node(g, "MatMul", mean.s, OUTGOING_AGES, year.s);
    graph_ints(g, shape.s, 1, (int64_t[]){-1});
    graph_node(g, "Reshape", OUTGOING_AGE, mean.s, shape.s);
}

static void add_layer_output(struct onnx *g, int layer)
{
    struct shape s = g->o->model.net.layer[layer].shape;
    const char *name = g->value[layer].made.s;
    if (g->value[layer].form == FORM_IMAGE)
        value_info(g, GRAPH_OUTPUT, name, ONNX_FLOAT, 3, (int[]){s.c, s.h, s.w}, NULL);
    else
        value_info(g, GRAPH_OUTPUT, name, ONNX_FLOAT, 1, (int[]){(int)shape_count(s)}, NULL);
}

static void add_outputs(struct onnx *g)
{
    const struct outgoing *o = g->o;
    switch (o->kind) {
    case OUT_HEADS:
        if (o->heads.gender >= 0)
            add_gender(g);
        if (o->heads.age >= 0)
            add_age(g);
        break;
    case OUT_FEATURES:
        value_info(g, GRAPH_OUTPUT, OUTGOING_FEATURES, ONNX_FLOAT, 1,
                   (int[]){(int)shape_count(o->model.net.layer[o->features].shape)}, o->embedded);
        graph_node(g, "Identity", OUTGOING_FEATURES, graph_row(g, o->features), NULL);
        break;
    case OUT_LAYERS:
        for (int i = 1; i < o->model.net.n; i++) {
            if (!o->read[i])
                add_layer_output(g, i);
        }
        break;
    }
}

/* --- The file ------------------------------------------------------------------------------- */

/* Names the values. A layer called as an input or output of the graph gets another name, unless
   it is that. */
static void name_values(struct onnx *g)
{
    static const char *const taken[] = {OUTGOING_INPUT, OUTGOING_PIXELS, OUTGOING_GENDER,
                                        OUTGOING_AGES,  OUTGOING_AGE,    OUTGOING_FEATURES};
    const struct net *net = &g->o->model.net;
    for (int i = 0; i < net->n; i++) {
        struct onnx_name *n = &g->value[i].made;
        snprintf(n->s, sizeof n->s, "%s", net->layer[i].name);
        for (size_t k = 0; k < sizeof taken / sizeof taken[0]; k++) {
            if (strcmp(n->s, taken[k]) == 0)
                *n = graph_name(g, i, "layer");
        }
    }
    if (!g->o->preprocessing)
        snprintf(g->value[0].made.s, sizeof g->value[0].made.s, OUTGOING_INPUT);
}

static int add_graph(struct onnx *g, struct mien_err *e)
{
    const struct outgoing *o = g->o;
    size_t graph = pb_open(&g->pb, MODEL_GRAPH);
    pb_string(&g->pb, GRAPH_NAME, "mien");
    name_values(g);
    int rc = add_input(g, e);
    if (rc < 0)
        return rc;
    for (int i = 1; i < o->model.net.n; i++) {
        const struct layer *l = &o->model.net.layer[i];
        const struct export_operator *op = export_operator(l->type);
        if (!o->needed[i])
            continue;
        const char *lacks = op->onnx_lacks != NULL ? op->onnx_lacks(&o->model.net, l) : NULL;
        if (lacks != NULL)
            return mien_err_set(e, MIEN_ERR_ARG, "layer '%s': ONNX has no %s", l->name, lacks);
        op->onnx(g, i);
    }
    add_outputs(g);
    pb_close(&g->pb, graph);
    return 0;
}

static void add_metadata(struct onnx *g, const char *key, const char *value)
{
    if (value == NULL || *value == '\0')
        return;
    size_t at = pb_open(&g->pb, MODEL_METADATA);
    pb_string(&g->pb, PAIR_KEY, key);
    pb_string(&g->pb, PAIR_VALUE, value);
    pb_close(&g->pb, at);
}

static int build(struct onnx *g, struct mien_err *e)
{
    const struct outgoing *o = g->o;
    pb_int(&g->pb, MODEL_IR, IR_VERSION);
    pb_string(&g->pb, MODEL_PRODUCER, "mien-export");
    pb_string(&g->pb, MODEL_PRODUCER_VERSION, MIEN_VERSION);
    int rc = add_graph(g, e);
    if (rc < 0)
        return rc;
    size_t opset = pb_open(&g->pb, MODEL_OPSET);
    pb_string(&g->pb, OPSET_DOMAIN, "");
    pb_int(&g->pb, OPSET_VERSION, OPSET);
    pb_close(&g->pb, opset);
    add_metadata(g, "prep", o->model.prep.text);
    add_metadata(g, "made", o->model.made);
    if (o->kind == OUT_FEATURES)
        add_metadata(g, "features", o->embedded);
    return 0;
}

int onnx_write(const struct outgoing *o, int fd, struct mien_err *e)
{
    struct onnx g = {.o = o, .value = calloc((size_t)o->model.net.n, sizeof *g.value)};
    int rc = g.value == NULL ? mien_err_mem(e, (size_t)o->model.net.n * sizeof *g.value, "names")
                             : build(&g, e);
    if (rc == 0)
        rc = pb_write(&g.pb, fd, e);
    pb_free(&g.pb);
    free(g.value);
    return rc;
}
