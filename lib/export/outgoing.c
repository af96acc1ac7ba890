#include "outgoing.h"

#include <stdlib.h>
#include <string.h>

#include "operator.h"

void outgoing_free(struct outgoing *o)
{
    model_free(&o->model);
    free(o->needed);
    free(o->read);
    *o = (struct outgoing){0};
}

/* Decides what the outputs are. With embed, the preprocessing names that layer from here on, so that
   folding keeps it. */
static int choose_outputs(struct outgoing *o, struct model *m, const char *embed,
                          struct mien_err *e)
{
    if (embed != NULL) {
        int layer = model_features_layer(m, embed, e);
        if (layer < 0)
            return layer;
        o->kind = OUT_FEATURES;
        model_features_name(m, layer, o->embedded, sizeof o->embedded);
        if (mien_prep_set(&m->prep, "embed", "%s", embed) < 0)
            return mien_err_set(e, MIEN_ERR_LIMIT,
                                "the description of the preprocessing is too long");
        return 0;
    }
    bool heads = net_find(&m->net, "gender") >= 0 || net_find(&m->net, "age") >= 0;
    o->kind = heads ? OUT_HEADS : OUT_LAYERS;
    return 0;
}

/* Marks the layers that the outputs need, and those that are read. */
static int mark(struct outgoing *o, struct mien_err *e)
{
    const struct net *net = &o->model.net;
    size_t n = (size_t)net->n;
    o->needed = calloc(n, sizeof *o->needed);
    o->read = calloc(n, sizeof *o->read);
    if (o->needed == NULL || o->read == NULL)
        return mien_err_mem(e, 2 * n, "layers");
    o->needed[0] = true;
    if (o->kind == OUT_FEATURES)
        o->needed[o->features] = true;
    if (o->kind == OUT_HEADS && o->heads.gender >= 0)
        o->needed[o->heads.gender] = true;
    if (o->kind == OUT_HEADS && o->heads.age >= 0)
        o->needed[o->heads.age] = true;
    for (int i = net->n - 1; i > 0; i--) {
        if (o->kind == OUT_LAYERS)
            o->needed[i] = true;
        for (int k = 0; o->needed[i] && k < net->layer[i].nin; k++)
            o->needed[net->layer[i].in[k]] = o->read[net->layer[i].in[k]] = true;
    }
    return 0;
}

/* Changes the order of the weights, in place. */
static int reorder(struct outgoing *o, struct mien_err *e)
{
    const struct net *net = &o->model.net;
    size_t most = 1;
    for (int i = 0; i < net->n; i++) {
        const struct layer *l = &net->layer[i];
        if (!o->needed[i] || i == 0)
            continue;
        if (export_operator(l->type) == NULL)
            return mien_err_set(e, MIEN_ERR_ARG, "layer '%s': the operator %s can't be exported",
                                l->name, layer_type_name(l->type));
        if (l->nparam > 0 && l->param[0].count > most)
            most = l->param[0].count;
    }
    float *spare = malloc(most * sizeof *spare);
    if (spare == NULL)
        return mien_err_mem(e, most * sizeof *spare, "weights");
    for (int i = 1; i < net->n; i++) {
        const struct export_operator *op = export_operator(net->layer[i].type);
        if (o->needed[i] && net->layer[i].nparam > 0 && op->reorder != NULL)
            op->reorder(net, i, o->model.weights + net->layer[i].param[0].at, spare);
    }
    free(spare);
    return 0;
}

static int take(struct outgoing *o, struct model *m, const struct export_options *x,
                struct mien_err *e)
{
    int rc = choose_outputs(o, m, x->embed, e);
    if (rc < 0)
        return rc;
    if (x->fold) {
        if ((rc = model_fold(&o->model, m, e)) < 0)
            return rc;
    } else {
        o->model = *m;
        *m = (struct model){0};
    }
    if ((rc = model_input(&o->model, &o->input, e)) < 0)
        return rc;
    o->preprocessing = x->preprocessing;
    if (x->preprocessing && o->input.h == 0)
        return mien_err_set(e, MIEN_ERR_ARG,
                            "the model reads features, which have no preprocessing");
    if (o->kind == OUT_FEATURES && (o->features = model_features_layer(&o->model, NULL, e)) < 0)
        return o->features;
    if (o->kind == OUT_HEADS && (rc = heads_find(&o->heads, &o->model, e)) < 0)
        return rc;
    rc = mark(o, e);
    return rc < 0 ? rc : reorder(o, e);
}

int outgoing_take(struct outgoing *o, struct model *m, const struct export_options *x,
                  struct mien_err *e)
{
    int rc = take(o, m, x, e);
    model_free(m);
    return rc;
}

bool outgoing_years(const struct outgoing *o, float *y)
{
    const struct age_head *h = &o->heads.years;
    bool identity = h->n == MIEN_AGES;
    memset(y, 0, (size_t)h->n * MIEN_AGES * sizeof *y);
    for (int k = 0; k < h->n; k++) {
        int first, last;
        age_head_years(h, k, &first, &last);
        identity = identity && first == k && last == k;
        for (int year = first; year <= last; year++)
            y[k * MIEN_AGES + year] = (float)h->share[year];
    }
    return !identity;
}

int outgoing_describe_input(const struct outgoing *o, struct mien_buf *text)
{
    const struct model_input *in = &o->input;
    char value[MIEN_PREP_MAX];
    int rc = 0;
    if (in->h == 0) {
        rc |= mien_buf_printf(text, "features");
        if (mien_prep_get(&o->model.prep, "features", value, sizeof value) != NULL)
            rc |= mien_buf_printf(text, " %s", value);
        return rc;
    }
    rc |= mien_buf_printf(text, "pixels from 0 to 255, %s",
                          o->preprocessing || !in->bgr ? "RGB" : "BGR");
    if (!o->preprocessing)
        rc |= mien_buf_printf(text, ", less %g, %g, %g, times %g", (double)in->mean[0],
                              (double)in->mean[1], (double)in->mean[2], (double)in->scale);
    if (mien_prep_get(&o->model.prep, "margin", value, sizeof value) != NULL)
        rc |= mien_buf_printf(text, ", of faces with a margin of %s of their box's side", value);
    return rc;
}
