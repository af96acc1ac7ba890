/*
 * A PyTorch module while it is written: the Python text of its two methods, and its weights. What
 * the operators (operator.h) add themselves with.
 *
 *     class Network(nn.Module):
 *         def __init__(self):
 *             self.conv1 = nn.Conv2d(3, 8, (3, 3))      torch_init, torch_more
 *         def forward(self, input):
 *             conv1 = self.conv1(input)                 torch_assign, torch_put, ..., torch_end
 *
 * A layer's output is there as an image, [N, channels, height, width], or as a row, [N, elements] by
 * row, column, channel, as its operator made it; torch_put_image and the like write it as the other.
 *
 * Calls need no check each: a failure is remembered, and told at the end (torch.c).
 */
#ifndef MIEN_EXPORT_TORCH_MODULE_H
#define MIEN_EXPORT_TORCH_MODULE_H

#include "outgoing.h"
#include "tensor/st_writer.h"

enum torch_form { TORCH_IMAGE, TORCH_ROW };

struct torch_value {
    char id[NET_NAME + 32]; /* what it is called in Python */
    enum torch_form form;
};

struct torch {
    const struct outgoing *o;
    struct torch_value *value; /* of each layer */
    struct mien_buf init, forward;
    struct st_writer *weights;
    bool has_coral, has_norm; /* the file defines these classes, which PyTorch lacks */
    int rc;                   /* 0, or the first failure, which e tells of */
    struct mien_err e;
};

/* Gives each layer an identifier: its name where that can be. Takes time in the square of their
   number at worst. */
void torch_name_layers(struct torch *t);

/* A line of __init__, "self.ID = ...", which torch_more goes on with; it ends with a newline. */
void torch_init(struct torch *t, int layer, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void torch_more(struct torch *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A line of forward, "ID = ...", and its end. */
void torch_assign(struct torch *t, int layer, enum torch_form form);
void torch_put(struct torch *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void torch_end(struct torch *t);

/* A layer's output in that line: as an image; with a border around it of the padding of `window`,
   filled with the Python number `fill`; as a row; as [N, elements] in whatever order an image has
   them; as it is there. */
void torch_put_image(struct torch *t, int layer);
void torch_put_padded(struct torch *t, int layer, const struct layer *window, const char *fill);
void torch_put_row(struct torch *t, int layer);
void torch_put_flat(struct torch *t, int layer);
void torch_put_as_is(struct torch *t, int layer);

/* A layer's parameter as a tensor of these dimensions called "ID.NAME", or "ID" for name NULL. */
void torch_param(struct torch *t, int layer, int param, const char *name, int ndim,
                 const size_t *dims);

#endif
