/*
 * The options of programs that write new models: how pixels become the input, and what the
 * outputs mean. They become the model's preprocessing (model.h).
 */
#ifndef MIEN_MODEL_OPTIONS_H
#define MIEN_MODEL_OPTIONS_H

#include "mien/cli.h"
#include "mien/model.h"

/* Each is the option's text, or NULL: not given. */
struct model_options {
    const char *color, *mean, *scale, *margin, *age0, *ages, *embed;
};

/* Rows for a program's table of options. */
#define MODEL_OPTIONS(o)                                                                           \
    {0, "color", "rgb|bgr", "order of the input's channels [rgb]", CLI_STR, &(o).color, 0, 0,      \
     NULL, NULL},                                                                                  \
        {0, "mean", "A,B,C", "subtracted from the channels, in that order [0,0,0]", CLI_STR,       \
         &(o).mean, 0, 0, NULL, NULL},                                                             \
        {0, "scale", "F", "multiplied with the difference [1]", CLI_STR, &(o).scale, 0, 0, NULL,   \
         NULL},                                                                                    \
        {0, "margin", "F", "margin around the face that it was trained with", CLI_STR,             \
         &(o).margin, 0, 0, NULL, NULL},                                                           \
        {0, "age0", "N", "age that class 0 of the layer age means [0]", CLI_STR, &(o).age0, 0, 0,  \
         NULL, NULL},                                                                              \
        {0, "ages", "A:B:...", "first ages of its classes, where these are bins", CLI_STR,         \
         &(o).ages, 0, 0, NULL, NULL},                                                             \
    {                                                                                              \
        0, "embed", "LAYER", "layer whose output mien-embed takes", CLI_STR, &(o).embed, 0, 0, NULL,  \
            NULL                                                                                   \
    }

/* Takes from `other` what o hasn't. */
void model_options_default(struct model_options *o, const struct model_options *other);

/* Sets the preprocessing of a model whose net is complete: the options, of which ages goes before age0,
   and the input's size.
   Returns 0, or ERR_ARG or ERR_FORMAT for values that make no sense. */
int model_options_apply(const struct model_options *o, struct model *m, struct err *e);

#endif
