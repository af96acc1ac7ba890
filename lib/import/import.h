/*
 * Networks of other programs become models: the reader of their format (onnx.h, tfjs.h,
 * torch_weights.h), and what their files don't tell, from options and from what is known of widely
 * used networks.
 */
#ifndef MIEN_IMPORT_IMPORT_H
#define MIEN_IMPORT_IMPORT_H

#include "net/input_options.h"
#include "net/model.h"

enum import_preset { PRESET_AUTO, PRESET_FACERES, PRESET_BLAZEFACE, PRESET_NONE };

struct import_options {
    const char *gender, *age; /* outputs, or other nodes or layers, that become heads; or NULL */
    const char *net, *map; /* of weights of PyTorch: files, or NULL; map only with net, net without
                                 gender and age */
    int preset;            /* enum import_preset: of a TensorFlow.js graph */
    bool no_heads;         /* it is known that there are none */
    bool male_first;       /* the gender's classes are male and female: ONNX */
    double years, years0;  /* an age of one number is years * number + years0: ONNX */
    int h, w;              /* the input's size instead of the file's, or 0 */
    struct input_options prep;
};

struct import_found {
    bool faceres;         /* PRESET_AUTO has recognized it */
    bool graph;           /* it is one of TensorFlow.js */
    struct mien_buf left; /* text: tensors that no layer has taken, or empty */
};

/* Reads the file at path into m, zeroed by the caller: network, weights and provenance, and what a
   file of mien-export tells of the preprocessing. What a preset or one scale a channel makes of the
   preprocessing is put into o->prep, which the caller applies (input_options_apply). Returns 0, or
   a negative code with a message that names the file and, where something must be told, the options
   that do; m is then empty. found, zeroed before, is freed with import_found_free. */
MIEN_CHECKED int import_file(const char *path, struct import_options *o, struct model *m,
                             struct import_found *found, struct mien_err *e);
void import_found_free(struct import_found *found);

/* Takes the face detector's preprocessing where o hasn't any. */
void import_use_blazeface(struct import_options *o);

#endif
