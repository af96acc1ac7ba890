/* New heads on an old network. */
#include <stdlib.h>
#include <string.h>

#include "mien/fit.h"
#include "mien/pred.h"

/* Appends a layer that reads layer `in`. */
static int append(struct net *net, const char *name, enum layer_type type, int in, int units,
                  float rate, struct err *e)
{
    struct layer l = layer_make(name, type);
    l.nin = type == L_INPUT ? 0 : 1;
    l.in[0] = in;
    l.units = units;
    if (type == L_DROPOUT)
        l.rate = rate;
    if (type == L_INPUT)
        l.shape = (struct shape){1, 1, units};
    return net_add(net, &l, e);
}

static int append_head(struct net *net, const char *name, const char *logits, int in, int units,
                       struct err *e)
{
    int rc = append(net, logits, L_DENSE, in, units, 0, e);
    return rc < 0 ? rc : append(net, name, L_SOFTMAX, rc, 0, 0, e);
}

/* The layer of init that the heads read: the one named, or the model's own choice, or its
   last one. */
static int embed_layer(const struct model *init, const char *name, struct err *e)
{
    char buf[NET_NAME];
    if (name == NULL)
        name = prep_get(&init->prep, "embed", buf, sizeof buf);
    int i = name == NULL ? init->net.n - 1 : net_find(&init->net, name);
    return i >= 0 ? i : err_set(e, ERR_ARG, "the model has no layer '%s'", name);
}

/* Pixels are prepared as those of the packs were, and become the input as the network's own. Features
   are known by their name, unless the network that makes them is a part of the model. */
static int merge_prep(struct prep *p, const struct model *init, int attach,
                      const struct prep *packs, struct err *e)
{
    static const char *const keys[] = {"margin", "inner", "filter", "features"};
    char v[PREP_MAX];
    int rc = 0;
    if (init != NULL) {
        *p = init->prep;
        rc = prep_set(p, "embed", "%s", init->net.layer[attach].name);
    }
    for (size_t i = 0; rc == 0 && i < sizeof keys / sizeof keys[0] - (init != NULL); i++) {
        if (prep_get(packs, keys[i], v, sizeof v) != NULL)
            rc = prep_set(p, keys[i], "%s", v);
    }
    if (rc == 0)
        rc = prep_set(p, "age0", "0");
    return rc < 0 ? err_set(e, rc, "the preprocessing's description grows too long") : 0;
}

int fit_new_heads(struct model *m, const struct model *init, const char *embed, int dim,
                  const struct prep *prep, const struct fit_heads *h, uint64_t seed, struct err *e)
{
    int *map = init != NULL ? malloc((size_t)init->net.n * sizeof *map) : NULL;
    int rc = 0, at, attach = 0, added = 2;
    if (init != NULL) {
        if (map == NULL)
            return err_mem(e, (size_t)init->net.n * sizeof *map, "layers");
        rc = attach = embed_layer(init, embed, e);
        at = rc < 0 ? rc : net_ancestors(&m->net, &init->net, attach, map, e);
    } else {
        at = append(&m->net, "input", L_INPUT, 0, dim, 0, e);
    }
    if (at >= 0 && h->hidden > 0) {
        at = append(&m->net, "hidden", L_DENSE, at, h->hidden, 0, e);
        at = at < 0 ? at : append(&m->net, "hidden_relu", L_RELU, at, 0, 0, e);
        added++;
    }
    if (at >= 0 && h->dropout > 0)
        at = append(&m->net, "drop", L_DROPOUT, at, 0, (float)h->dropout, e);
    rc = at < 0 ? at : append_head(&m->net, "gender", "gender_logits", at, PRED_GENDERS, e);
    rc = rc < 0 ? rc : append_head(&m->net, "age", "age_logits", at, PRED_AGES, e);
    rc = rc < 0 ? rc : merge_prep(&m->prep, init, attach, prep, e);
    if (rc == 0 && (m->weights = net_weights_new(&m->net, e)) == NULL)
        rc = ERR_MEM;
    if (rc == 0) {
        net_init(&m->net, m->weights, seed);
        for (int i = 0; init != NULL && i < init->net.n; i++) {
            const struct layer *from = &init->net.layer[i];
            for (int k = 0; map[i] >= 0 && k < from->nparam; k++)
                memcpy(m->weights + m->net.layer[map[i]].param[k].at,
                       init->weights + from->param[k].at, from->param[k].count * sizeof(float));
        }
    }
    free(map);
    return rc < 0 ? rc : added;
}

bool fit_has_heads(const struct model *m)
{
    static const struct {
        const char *name;
        int units;
    } want[] = {{"gender", PRED_GENDERS}, {"age", PRED_AGES}};
    for (size_t k = 0; k < 2; k++) {
        int i = net_find(&m->net, want[k].name);
        if (i < 0 || m->net.layer[i].type != L_SOFTMAX || m->net.layer[i].shape.c != want[k].units)
            return false;
    }
    char buf[16];
    return prep_get(&m->prep, "age0", buf, sizeof buf) == NULL || strcmp(buf, "0") == 0;
}
