/*
 * Fitting: training a model's last layers, or all of them, to labelled packs.
 *
 * The heads are two softmax classifiers: gender over female and male, age over the years 0-100.
 * The loss is the sum of both heads' categorical cross-entropies, each the mean over the records
 * of a batch that have its label. An age band's loss is -log of the band's probability.
 *
 * Layers before the first trained one are frozen: their output is computed once for every record
 * and kept over all epochs. Same data, options and seed give the same weights, whatever the
 * number of threads.
 */
#ifndef MIEN_FIT_H
#define MIEN_FIT_H

#include <stdbool.h>
#include <stdint.h>

#include "mien/model.h"
#include "mien/pack.h"

/* How good a model is on a part of the data. Each of the head's figures is over the records that
   have its label: n_gender, n_age (whole years only). */
struct fit_metrics {
    double loss;
    double gender_accuracy;
    double age_exact; /* the most probable year is the age */
    double age_mae;   /* of the expectation */
    double age_cs5;   /* share with |expectation, rounded - age| <= 5 */
    size_t n_gender, n_age;
};

struct fit_epoch {
    int epoch;              /* from 1 */
    double train_loss, seconds, images_per_second;
    struct fit_metrics val; /* of the validation pack, or of nothing (n 0) without one */
    bool best;              /* the best so far: its weights are kept */
};

enum fit_best { FIT_MAE, FIT_LOSS, FIT_GENDER, FIT_LAST };

struct fit_config {
    int epochs, batch, jobs;
    uint64_t seed;
    double lr, beta1, beta2, epsilon; /* Adam: Kingma and Ba 2014, epsilon as in Keras */
    double l2;                        /* l2 * w is added to the gradient of weights, not biases */
    enum fit_best best;               /* which epoch's weights are kept, by the validation part */
    int last;                         /* layers with weights that are trained, from the end; 0: all */
    size_t cache_mem;                 /* bytes of frozen output kept in memory, else in a file */

    /* Called, when set, after each batch and each epoch, from the thread that called fit. */
    void (*on_batch)(void *ctx, int epoch, size_t done, size_t total, double loss);
    void (*on_epoch)(void *ctx, const struct fit_epoch *e);
    void (*on_frozen)(void *ctx, size_t done, size_t total);
    void *ctx;
};

/* The new heads of a model and what stands between them and the network. */
struct fit_heads {
    int hidden;     /* units of a dense layer with relu before the heads; 0: none */
    double dropout; /* rate before the heads; 0: none */
};

/* Makes an untrained model (zeroed by the caller): the layers of init up to its embed layer
   with their weights, or with init NULL the features of a pack of dim elements, and new heads
   behind. embed names another layer of init to stop at; it may be NULL. prep is the packs'
   preprocessing. Returns the number of new layers with weights, or a negative code. */
int fit_new_heads(struct model *m, const struct model *init, const char *embed, int dim,
                  const struct prep *prep, const struct fit_heads *h, uint64_t seed,
                  struct err *e);

/* Whether the model's heads are such that fit can go on training them. */
bool fit_has_heads(const struct model *m);

/* Trains m in place and leaves it with the best epoch's weights. val may be NULL: then the last
   epoch's are kept. *kept receives the kept epoch. The packs hold what the model reads, or the features that its last frozen
   layer makes (model_features_name). Returns 0; ERR_FORMAT when the packs don't fit
   the model or hold no labels; ERR_ARG when the loss is no longer finite; or ERR_MEM, ERR_SYS. */
int fit(struct model *m, const struct pack *train, const struct pack *val,
        const struct fit_config *c, struct fit_epoch *kept, struct err *e);

#endif
