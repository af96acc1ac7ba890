/* The options of mien-net and mien-import that tell how pixels become a model's input. */
#ifndef MIEN_CMD_INPUT_OPTIONS_H
#define MIEN_CMD_INPUT_OPTIONS_H

#include "mien/cli.h"
#include "net/input_options.h"

/* Rows for the table of options. o is a struct input_options. */
#define INPUT_OPTIONS(o)                                                                           \
    {0, "color", "rgb|bgr", "order of the input's channels [rgb]", MIEN_CLI_STR, &(o).color, 0, 0,      \
     NULL, NULL},                                                                                  \
        {0, "mean", "A,B,C", "subtracted from the channels, in that order [0,0,0]", MIEN_CLI_STR,       \
         &(o).mean, 0, 0, NULL, NULL},                                                             \
        {0, "scale", "F", "multiplied with the difference [1]", MIEN_CLI_STR, &(o).scale, 0, 0, NULL,   \
         NULL},                                                                                    \
        {0, "margin", "F", "margin around the face that it was trained with", MIEN_CLI_STR,             \
         &(o).margin, 0, 0, NULL, NULL},                                                           \
        {0, "age0", "N", "age that class 0 of the layer age means [0]", MIEN_CLI_STR, &(o).age0, 0, 0,  \
         NULL, NULL},                                                                              \
        {0, "ages", "A:B:...", "first ages of its classes, where these are bins", MIEN_CLI_STR,         \
         &(o).ages, 0, 0, NULL, NULL},                                                             \
    {                                                                                              \
        0, "embed", "LAYER", "layer whose output mien-embed takes", MIEN_CLI_STR, &(o).embed, 0, 0, NULL,  \
            NULL                                                                                   \
    }

#endif
