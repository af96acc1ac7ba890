/* The options of mien-net and mien-import that tell how pixels become a model's input. */
#ifndef MIEN_CMD_INPUT_OPTIONS_H
#define MIEN_CMD_INPUT_OPTIONS_H

#include "mien/cli.h"
#include "net/input_options.h"

/* Rows for the table of options. o is a struct input_options. */
#define INPUT_OPTIONS(o)                                                                           \
    MIEN_OPT_STR(0, "color", "rgb|bgr", &(o).color, "order of the input's channels [rgb]"),        \
        MIEN_OPT_STR(0, "mean", "A,B,C", &(o).mean,                                                \
                     "subtracted from the channels, in that order [0,0,0]"),                       \
        MIEN_OPT_STR(0, "scale", "F", &(o).scale, "multiplied with the difference [1]"),           \
        MIEN_OPT_STR(0, "margin", "F", &(o).margin,                                                \
                     "margin around the face that it was trained with"),                           \
        MIEN_OPT_STR(0, "age0", "N", &(o).age0, "age that class 0 of the layer age means [0]"),    \
        MIEN_OPT_STR(0, "ages", "A:B:...", &(o).ages,                                              \
                     "first ages of its classes, where these are bins"),                           \
        MIEN_OPT_STR(0, "embed", "LAYER", &(o).embed, "layer whose output mien-embed takes")

#endif
