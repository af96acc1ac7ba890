/*
 * The options of programs that write new models: how pixels become the input, and what the
 * outputs mean. They become the model's preprocessing (model.h).
 */
#ifndef MIEN_NET_INPUT_OPTIONS_H
#define MIEN_NET_INPUT_OPTIONS_H

#include "model.h"

/* Each is the option's text, or NULL: not given. */
struct input_options {
    const char *color, *mean, *scale, *margin, *age0, *ages, *embed;
};

/* Takes from `other` what o hasn't. */
void input_options_default(struct input_options *o, const struct input_options *other);

/* Sets the preprocessing of a model whose net is complete: the options, of which ages goes before
   age0, and the input's size.
   Returns 0, or MIEN_ERR_ARG or MIEN_ERR_FORMAT for values that make no sense. */
MIEN_CHECKED int input_options_apply(const struct input_options *o, struct model *m,
                                     struct mien_err *e);

#endif
