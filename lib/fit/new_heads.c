/* New heads on an old network. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/age_head.h"
#include "fit.h"

/* Appends a layer that reads layer `in`. */
static int append(struct net *net, const char *name, enum layer_type type, int in, int units,
                  float rate, struct mien_err *e)
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
                       bool ordinal, struct mien_err *e)
{
    int at = append(net, logits, ordinal ? L_CORAL : L_DENSE, in, units, 0, e);
    if (at < 0)
        return at;
    return append(net, name, ordinal ? L_SIGMOID : L_SOFTMAX, at, 0, 0, e);
}

/* Appends what stands behind layer `in`: a hidden layer, dropout, the heads. */
static int append_heads(struct net *net, int in, const struct fit_heads *h, bool gender,
                        const struct age_head *age, struct mien_err *e)
{
    int at = in, rc;
    if (h->hidden > 0 && ((at = append(net, "hidden", L_DENSE, at, h->hidden, 0, e)) < 0 ||
                          (at = append(net, "hidden_relu", L_RELU, at, 0, 0, e)) < 0))
        return at;
    if (h->dropout > 0 && (at = append(net, "drop", L_DROPOUT, at, 0, (float)h->dropout, e)) < 0)
        return at;
    if (gender &&
        (rc = append_head(net, "gender", "gender_logits", at, MIEN_GENDERS, false, e)) < 0)
        return rc;
    if (age->n > 0 && (rc = append_head(net, "age", "age_logits", at, age_head_outputs(age),
                                        age->ordinal, e)) < 0)
        return rc;
    return 0;
}

/* Reads a list of heads, "gender=2,age=101". Without age, age->n is 0. */
static int parse_list(const char *list, bool *gender, struct age_head *age, struct mien_err *e)
{
    struct mien_err cause;
    char text[MIEN_PREP_MAX], *save;
    *gender = false;
    *age = (struct age_head){0};
    if ((size_t)snprintf(text, sizeof text, "%s", list) >= sizeof text)
        return mien_err_set(e, MIEN_ERR_ARG, "heads: the list is too long");
    for (char *s = strtok_r(text, ",", &save); s != NULL; s = strtok_r(NULL, ",", &save)) {
        if (strncmp(s, "age=", 4) == 0 && age->n == 0) {
            if (age_head_parse(age, s + 4, &cause) < 0)
                return mien_err_set(e, MIEN_ERR_ARG, "heads: age: %s", cause.msg);
        } else if (strcmp(s, "gender=2") == 0 && !*gender) {
            *gender = true;
        } else {
            return mien_err_set(e, MIEN_ERR_ARG,
                                "heads: '%s': give a list such as gender=2,age=101, each head "
                                "once",
                                s);
        }
    }
    return *gender || age->n > 0 ? 0 : mien_err_set(e, MIEN_ERR_ARG, "heads: the list is empty");
}

/* Pixels are prepared as those of the packs were, and become the input as the network's own.
   Features are known by their name, unless the network that makes them is a part of the model. */
static int merge_prep(struct mien_prep *p, const struct model *init, int attach,
                      const struct age_head *age, const struct mien_prep *packs, struct mien_err *e)
{
    static const char *const keys[] = {"margin", "inner", "filter", "features"};
    char v[MIEN_PREP_MAX];
    int rc = 0;
    if (init != NULL) {
        *p = init->prep;
        rc |= mien_prep_set(p, "embed", "%s", init->net.layer[attach].name);
    }
    for (size_t i = 0; i < sizeof keys / sizeof keys[0] - (init != NULL); i++) {
        if (mien_prep_get(packs, keys[i], v, sizeof v) != NULL)
            rc |= mien_prep_set(p, keys[i], "%s", v);
    }
    rc |= age_head_describe(age, p);
    if (rc < 0)
        return mien_err_set(e, MIEN_ERR_LIMIT, "the description of the preprocessing is too long");
    return 0;
}

/* Copies the weights of the layers that map says where they are. */
static void copy_weights(struct model *m, const struct model *init, const int *map)
{
    for (int i = 0; i < init->net.n; i++) {
        const struct layer *from = &init->net.layer[i];
        for (int k = 0; map[i] >= 0 && k < from->nparam; k++)
            memcpy(m->weights + m->net.layer[map[i]].param[k].at, init->weights + from->param[k].at,
                   from->param[k].count * sizeof(float));
    }
}

/* The layers of the network that heads are put on, and their weights' places: map, of as many
   elements as init has layers, or with init NULL a feature input of dim. *attach receives init's
   layer that the heads read. Returns its index in m, or a negative code. */
static int take_network(struct model *m, const struct model *init, const char *embed, int dim,
                        int *attach, int *map, struct mien_err *e)
{
    if (init == NULL)
        return append(&m->net, "input", L_INPUT, 0, dim, 0, e);
    *attach = model_features_layer(init, embed, e);
    return *attach < 0 ? *attach : net_ancestors(&m->net, &init->net, *attach, map, e);
}

int fit_new_heads(struct model *m, const struct model *init, const char *embed, int dim,
                  const struct mien_prep *prep, const struct fit_heads *h, uint64_t seed,
                  struct mien_err *e)
{
    struct age_head age;
    bool gender;
    int attach = 0, at,
        rc = parse_list(h->list != NULL ? h->list : "gender=2,age=101", &gender, &age, e);
    if (rc < 0)
        return rc;
    size_t layers = init != NULL ? (size_t)init->net.n : 1;
    int *map = malloc(layers * sizeof *map); /* from init's layers to the model's */
    if (map == NULL)
        return mien_err_mem(e, layers * sizeof *map, "layers");
    rc = at = take_network(m, init, embed, dim, &attach, map, e);
    if (rc < 0 || (rc = append_heads(&m->net, at, h, gender, &age, e)) < 0 ||
        (rc = merge_prep(&m->prep, init, attach, &age, prep, e)) < 0)
        goto out;
    m->weights = net_weights_new(&m->net, e);
    if (m->weights == NULL) {
        rc = MIEN_ERR_MEM;
        goto out;
    }
    net_init(&m->net, m->weights, seed);
    if (init != NULL)
        copy_weights(m, init, map);
    rc = (h->hidden > 0) + gender + (age.n > 0);
out:
    free(map);
    return rc;
}
