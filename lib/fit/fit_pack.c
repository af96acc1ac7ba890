#include "fit_pack.h"

#include <string.h>

#include "util/hash.h"

/* Whether a record has an age, or a band of ages. */
static bool has_age(const struct mien_pack *p, size_t i)
{
    return p->age[i] != MIEN_PACK_UNKNOWN ||
           (p->band != NULL && p->band[2 * i] != MIEN_PACK_UNKNOWN);
}

void fit_pack_labels(const struct mien_pack *p, bool *gender, bool *age)
{
    *gender = *age = false;
    for (size_t i = 0; i < p->n && !(*gender && *age); i++) {
        *gender = *gender || p->gender[i] != MIEN_PACK_UNKNOWN;
        *age = *age || has_age(p, i);
    }
}

/* Features may stand for the frozen layers that would make them of pixels. */
static int check_features(const struct mien_pack *p, const char *which, const struct model *m,
                          const struct boundary *b, struct mien_err *e)
{
    const struct net *net = &m->net;
    char want[NET_NAME + 16], have[MIEN_PREP_MAX] = "of no name";
    int at = b->layer[0];
    model_features_name(m, at, want, sizeof want);
    mien_prep_get(&p->prep, "features", have, sizeof have);
    if (b->n > 1)
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "the %s pack holds features, but the trained layers read "
                            "several layers: give pixels",
                            which);
    if ((size_t)p->dim != shape_count(net->layer[at].shape) || strcmp(want, have) != 0)
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "the %s pack holds %d features %s, the trained layers read %s", which,
                            p->dim, have, want);
    return 0;
}

int fit_pack_check(const struct mien_pack *p, const char *which, const struct model *m,
                   const struct boundary *b, struct mien_err *e)
{
    struct shape in = m->net.layer[0].shape;
    bool pixels = in.h > 1 || in.w > 1;
    struct mien_err why;
    if (mien_prep_check(&p->prep, &m->prep, &why) < 0)
        return mien_err_set(e, MIEN_ERR_FORMAT, "the %s pack doesn't fit the model: %s", which,
                            why.msg);
    if (pixels && p->kind == MIEN_PACK_FEATURES) {
        if (check_features(p, which, m, b, e) < 0)
            return MIEN_ERR_FORMAT;
    } else if (!pixels && (p->kind != MIEN_PACK_FEATURES || (size_t)p->dim != shape_count(in))) {
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "the %s pack doesn't hold %zu features, as the model reads", which,
                            shape_count(in));
    } else if (p->kind == MIEN_PACK_PIXELS && (p->height != in.h || p->width != in.w)) {
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "the %s pack holds pixels of %dx%d, the model reads %dx%d", which,
                            p->height, p->width, in.h, in.w);
    }
    if (p->n > UINT32_MAX)
        return mien_err_set(e, MIEN_ERR_LIMIT, "the %s pack holds too many records", which);
    return 0;
}

int fit_pack_check_labels(const struct mien_pack *p, const char *which, const struct heads *h,
                          struct mien_err *e)
{
    bool gender, age;
    fit_pack_labels(p, &gender, &age);
    if ((gender && h->gender >= 0) || (age && h->age >= 0))
        return 0;
    return mien_err_set(e, MIEN_ERR_FORMAT, "the %s pack has no labels for the model's heads",
                        which);
}

int fit_check_labels(const struct model *m, const struct mien_pack *p, struct mien_err *e)
{
    bool gender, age;
    fit_pack_labels(p, &gender, &age);
    gender = gender || net_find(&m->net, "gender") < 0;
    if (gender && (age || net_find(&m->net, "age") < 0))
        return 0;
    return mien_err_set(e, MIEN_ERR_FORMAT,
                        "no record of the training set has %s: leave out that head",
                        gender ? "an age" : "a gender");
}

uint64_t fit_pack_hash(const struct mien_pack *p)
{
    uint64_t h = hash_bytes(p->n, p->age, p->n);
    h = hash_bytes(h, p->gender, p->n);
    if (p->band != NULL)
        h = hash_bytes(h, p->band, 2 * p->n);
    for (size_t k = 0; k < 64; k++) {
        size_t i = p->n * k / 64, len;
        if (p->kind == MIEN_PACK_PIXELS) {
            h = hash_bytes(h, mien_pack_pixels(p, i), (size_t)p->height * (size_t)p->width * 3);
        } else if (p->kind == MIEN_PACK_IMAGE) {
            const unsigned char *image = mien_pack_image(p, i, &len);
            h = hash_bytes(h, image, len);
        } else {
            h = hash_bytes(h, mien_pack_features(p, i), (size_t)p->dim * sizeof(float));
        }
    }
    return h;
}
