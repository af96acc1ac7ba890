#include "input_options.h"

#include "age_head.h"
#include "util/num.h"

void input_options_default(struct input_options *o, const struct input_options *other)
{
    const char **to[] = {&o->color, &o->mean, &o->scale, &o->margin, &o->age0, &o->ages, &o->embed};
    const char *from[] = {other->color, other->mean, other->scale, other->margin,
                          other->age0,  other->ages, other->embed};
    for (size_t i = 0; i < sizeof to / sizeof to[0]; i++) {
        if (*to[i] == NULL)
            *to[i] = from[i];
    }
}

int input_options_apply(const struct input_options *o, struct model *m, struct mien_err *e)
{
    const struct {
        const char *key, *value;
    } words[] = {{"color", o->color}, {"mean", o->mean},
                 {"scale", o->scale}, {"age0", o->ages == NULL ? o->age0 : NULL},
                 {"ages", o->ages},   {"embed", o->embed}};
    struct shape s = m->net.layer[0].shape;
    struct model_input input;
    struct age_head age;
    double margin;
    int rc = 0;
    if (s.h > 1 || s.w > 1)
        rc |= mien_prep_set(&m->prep, "size", "%dx%d", s.h, s.w);
    if (o->margin != NULL) {
        if (num_real(o->margin, 0, 10, &margin, e) < 0)
            return MIEN_ERR_ARG;
        rc |= mien_prep_set(&m->prep, "margin", "%g", margin); /* as mien-crop writes it */
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (words[i].value != NULL)
            rc |= mien_prep_set(&m->prep, words[i].key, "%s", words[i].value);
    }
    if (rc < 0)
        return mien_err_set(e, MIEN_ERR_ARG, "the description of the preprocessing is too long");
    if (o->embed != NULL && net_find(&m->net, o->embed) < 0)
        return mien_err_set(e, MIEN_ERR_ARG, "embed: the network has no layer '%s'", o->embed);
    rc = model_input(m, &input, e);
    return rc < 0 ? rc : age_head_of(&age, m, e);
}
