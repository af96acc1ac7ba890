#include "heads.h"

/* A head is a softmax or a sigmoid; *logits is the layer before it. */
static int find_head(const struct net *net, const char *name, int *layer, int *logits,
                     struct mien_err *e)
{
    *layer = net_find(net, name);
    *logits = *layer >= 0 ? net->layer[*layer].in[0] : -1;
    enum layer_type type = *layer >= 0 ? net->layer[*layer].type : L_SOFTMAX;
    if (type != L_SOFTMAX && type != L_SIGMOID)
        return mien_err_set(e, MIEN_ERR_ARG,
                            "the model's head %s is neither a softmax nor a sigmoid", name);
    return 0;
}

int heads_find(struct heads *h, const struct model *m, struct mien_err *e)
{
    const struct net *net = &m->net;
    *h = (struct heads){0};
    if (find_head(net, "gender", &h->gender, &h->gender_logits, e) < 0 ||
        find_head(net, "age", &h->age, &h->age_logits, e) < 0)
        return MIEN_ERR_ARG;
    if (h->gender < 0 && h->age < 0)
        return mien_err_set(e, MIEN_ERR_ARG,
                            "the model has neither a head named gender nor one named age");
    if (h->gender >= 0) {
        size_t n = shape_count(net->layer[h->gender].shape);
        h->genders = net->layer[h->gender].type == L_SIGMOID ? 1 : MIEN_GENDERS;
        if (n != (size_t)h->genders)
            return mien_err_set(e, MIEN_ERR_ARG, "the model's head gender has %zu outputs, not %d",
                                n, h->genders);
    }
    return age_head_of(&h->years, m, e);
}
