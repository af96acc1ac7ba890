/*
 * The trainable part of a network, forward and backward on a batch.
 *
 * Some layers' outputs are given by the caller (the input, or what frozen layers before made of
 * it); the layers that depend on them are computed, and parameters of the layers marked trainable
 * get gradients. Layers neither given nor depending on given ones are left alone.
 *
 * The batch is cut into parts by image; threads work on parts, and so may processes (ranks.h), each on
 * images of its own. Gradients are summed in an order that depends on the layer and the batch alone
 * (tree.h). So results depend neither on the threads nor on the processes.
 */
#ifndef MIEN_TRAIN_TRAINER_H
#define MIEN_TRAIN_TRAINER_H

#include <stdbool.h>

#include "net/net.h"
#include "precision.h"
#include "ranks/ranks.h"
#include "util/par.h"
#include "layers/real.h"

struct trainer;

/* net, w (net->nweights elements), ends and par stay the caller's and must outlive the trainer.
   train has an element a layer. given lists ngiven layers, ends the nends layers that the loss
   reads, batch is the most images at once; precision is FLOAT or BF16. par may be NULL, and so may
   ranks, the processes that train together. NULL with a message on failure. Sets OpenBLAS to one
   thread. */
struct trainer *trainer_new(const struct net *net, real *w, const bool *train, const int *given,
                            int ngiven, const int *ends, int nends, int batch,
                            enum train_precision precision, struct par *par, struct ranks *ranks,
                            struct mien_err *e);
void trainer_free(struct trainer *t); /* NULL is harmless */

/* A layer's output, batch x elements: to be filled for given layers, read for computed ones. A relu
   may take the place of the layer that it reads. Here and below, -1 stands for a layer that isn't
   there; what belongs to it is NULL. */
real *trainer_act(struct trainer *t, int layer);

/* Of a batch of n, this process has images [*first, *first + *count). */
void trainer_images(const struct trainer *t, int n, size_t *first, size_t *count);

/* Hands a layer's outputs of each process's images of the batch to all of them. */
void trainer_gather(struct trainer *t, int layer);

/* The gradient of the loss with respect to the output of one of the ends: to be filled before
   trainer_backward. */
real *trainer_dact(struct trainer *t, int layer);

/* The parameters' gradients, laid out as w; 0 of those that aren't trained. */
real *trainer_grad(struct trainer *t);

/* Whether a parameter of the layer is trained. */
bool trainer_trains(const struct trainer *t, int layer);

/* Computes the outputs of n images. In training, dropout drops (by seed) and trainable bn layers
   normalize by the batch and move their running statistics: mean and unbiased variance, a tenth of
   the new with nine of the old. Otherwise both are as at inference. */
void trainer_forward(struct trainer *t, int n, bool training, uint64_t seed);

/* Computes the gradients of the n images of the last trainer_forward from those of the ends. */
void trainer_backward(struct trainer *t, int n);

#endif
