/* The options of mien-net and mien-import that tell how pixels become a model's input. */
#ifndef MIEN_CMD_INPUT_OPTIONS_H
#define MIEN_CMD_INPUT_OPTIONS_H

#include "mien/cli.h"
#include "net/input_options.h"

/* Rows for the table of options. o is a struct input_options. */
#define INPUT_OPTIONS(o)                                                                           \
    MIEN_OPT_STR(0, "color", "rgb|bgr", &(o).color, "order of the input's channels [rgb]"),        \
        MIEN_OPT_STR(0, "mean", "A,B,C", &(o).mean,                                                \
                     "subtract these from the channels, in that order [0,0,0]"),                   \
        MIEN_OPT_STR(0, "scale", "F", &(o).scale, "multiply the difference by F [1]"),             \
        MIEN_OPT_STR(0, "margin", "F", &(o).margin,                                                \
                     "margin around the faces that the network was trained on"),                   \
        MIEN_OPT_STR(0, "age0", "N", &(o).age0, "age that class 0 of the layer age means [0]"),    \
        MIEN_OPT_STR(0, "ages", "A:B:...", &(o).ages,                                              \
                     "first age of each of its classes, where these are bins"),                    \
        MIEN_OPT_STR(0, "embed", "LAYER", &(o).embed, "layer whose output mien-embed takes"),      \
        MIEN_OPT_ALIAS(0, "colour", "color")

#endif
