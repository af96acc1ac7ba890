/*
 * Fitting: training a model's last layers, or all of them, to labelled packs.
 *
 * The heads are classifiers: gender over female and male; age over years or bins, or ordinal, see
 * age_head.h. A model may have one of them alone. The loss is the sum of the heads' losses, each
 * the mean over the records of a batch that have its label.
 *
 * Layers before the first trained one are frozen: their output is computed once for every record
 * and kept over all epochs. Same data, options and seed give the same weights, whatever the
 * number of threads.
 */
#ifndef MIEN_FIT_FIT_H
#define MIEN_FIT_FIT_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "image/augment.h"
#include "mien/buf.h"
#include "net/model.h"
#include "ranks/ranks.h"
#include "train/loss.h"
#include "train/optim.h"
#include "train/precision.h"
#include "mien/pack.h"
#include "pack_set.h"

struct fit_epoch {
    int epoch; /* from 1 */
    double train_loss;
    double seconds, images_per_second; /* 0 for a kept epoch */
    uint64_t traffic;   /* bytes that all processes sent in a step of a whole batch */
    double lr;          /* of its last step */
    struct metrics val; /* of the validation pack, or of nothing (n 0) without one */
    bool best;          /* the best so far: its weights are kept */
};

/* How far a training is. */
struct fit_progress {
    const char *stage;            /* "frozen layers", "teacher", "epoch 3/10" */
    const char *what;             /* "records", "records, loss 3.21, gender 94.0%, MAE 6.10" */
    size_t done, total;           /* records */
    int epoch;                    /* from 1; 0 before the first one */
    const struct metrics *so_far; /* of the epoch's training records; NULL before the first one */
};

enum { FIT_MAX_BATCH = 1024 };
enum fit_best { FIT_MAE, FIT_LOSS, FIT_GENDER, FIT_LAST };
enum { FIT_NEW = -1 }; /* the last layers: see fit_start */

struct fit_config {
    int epochs, batch, jobs; /* epochs: 0 or more; batch: 1 to FIT_MAX_BATCH */
    uint64_t seed;

    struct optim_options optim;
    double lr;          /* learning rate of the heads */
    double decay;       /* of weights, not of biases, bn and slopes */
    double lr_backbone; /* of layers up to the embed layer; 0: lr */
    double layer_decay; /* each layer's rate is this share of the next one's; 1 */
    double clip;        /* the gradient's norm is cut to this; 0: not */
    double ema;         /* decay of the moving average of weights; 0: none */

    struct schedule schedule; /* of the learning rate */
    int patience;             /* stop after so many epochs without gain; 0: never */

    struct loss_options loss;
    const char *teacher;        /* models to learn from too, by commas (teacher.h), or NULL */
    struct augment augment;     /* of the training part's images, anew in each epoch */
    int views;                  /* before frozen layers: so many changes of each image are kept */
    double mixup;               /* alpha of the mixing Beta distribution; 0: none */
    const struct pack_set *set; /* that the training pack was opened of; NULL: a pack of weight 1 */
    bool in_order;              /* epochs take the records as the pack has them, without balance */
    double balance;             /* sampling by (1 / frequency)^balance of age and gender */
    double class_weights;       /* the same power for the weights of losses */

    int best;          /* enum fit_best: which epoch's weights are kept */
    int last;          /* layers with weights trained, from the end; 0: all */
    int precision;     /* TRAIN_FLOAT or TRAIN_BF16 */
    size_t cache_mem;  /* bytes of frozen output kept in memory, else in a file */
    size_t max_memory; /* bound of the bytes that layers and weights take */

    struct ranks *ranks; /* processes that train together, each with the same options; or NULL */

    const char *checkpoint;            /* a file, or NULL */
    int every;                         /* epochs between checkpoints */
    bool resume;                       /* go on from the checkpoint, if it is there */
    const volatile sig_atomic_t *stop; /* when not 0: write a checkpoint and return; or NULL */

    /* Called, when set, after each batch, of frozen layers and of teachers' answers, too; for each
       record whose image can't be used (it is left out); and after each epoch, from the thread that
       called fit. */
    void (*on_progress)(void *ctx, const struct fit_progress *p);
    void (*on_bad)(void *ctx, const struct mien_pack *p, size_t k, const struct mien_err *why);
    void (*on_epoch)(void *ctx, const struct fit_epoch *e);
    void *ctx;
};

/* The defaults: Adam as in the experiment of 2019, nothing else. */
struct fit_config fit_defaults(void);

/* Whether the options go together. Returns 0, or MIEN_ERR_ARG with what doesn't. */
MIEN_CHECKED int fit_check(const struct fit_config *c, struct mien_err *e);

/* Appends what decides the result, as text: the options but for jobs, memory and files. */
MIEN_CHECKED int fit_describe(const struct fit_config *c, struct mien_buf *out);

/* The new heads of a model and what stands between them and the network. */
struct fit_heads {
    int hidden;       /* units of a dense layer with relu before the heads; 0: none */
    double dropout;   /* rate before the heads; 0: none */
    const char *list; /* "gender=2,age=KIND", one of them or both, KIND as age_head_parse reads it;
                         NULL: "gender=2,age=101" */
};

/* Makes an untrained model (zeroed by the caller): the layers of init up to its embed layer
   with their weights, or with init NULL the features of a pack of dim elements, and new heads
   behind. embed names another layer of init to stop at; it may be NULL. prep is the packs'
   preprocessing. Returns the number of new layers with weights; MIEN_ERR_ARG for heads that can't
   be; or another negative code. */
MIEN_CHECKED int fit_new_heads(struct model *m, const struct model *init, const char *embed,
                               int dim, const struct mien_prep *prep, const struct fit_heads *h,
                               uint64_t seed, struct mien_err *e);

/* Whether the pack has labels for each of the model's heads. Returns 0, or MIEN_ERR_FORMAT. */
MIEN_CHECKED int fit_check_labels(const struct model *m, const struct mien_pack *p,
                                  struct mien_err *e);

/* Trains m, whatever heads it has (model.h), in place and leaves it with the best epoch's weights;
   or, for 0 epochs, measures it and fits its temperatures (calibrate.h), for which val is needed.
   val may be NULL: then the last epoch's are kept. *kept receives the kept epoch. The packs hold
   what the model reads, or the features that its last frozen layer makes (model_features_name).
   Returns 0; 1 when it was stopped: m is then not of use, and the checkpoint, if one is named, is
   where to go on; MIEN_ERR_FORMAT when the packs or the checkpoint don't fit, or hold no labels;
   MIEN_ERR_ARG when the loss is no longer finite; MIEN_ERR_LIMIT when it needs more than
   max_memory; or MIEN_ERR_MEM, MIEN_ERR_SYS. */
MIEN_CHECKED int fit(struct model *m, const struct mien_pack *train, const struct mien_pack *val,
                     const struct fit_config *c, struct fit_epoch *kept, struct mien_err *e);

/* Bytes that training every layer takes, by what they are for. */
struct fit_memory {
    size_t outputs; /* of layers, kept for the backward pass */
    size_t work;    /* gradients of outputs, and work space of one thread */
    size_t weights; /* with gradients, the optimizer's two moments, and the best epoch's copy */
};

/* Tells it for a network in batches of so many images, without taking any of it. The packs and the
   program itself come on top, and for each further thread its work space. Returns 0 or
   MIEN_ERR_MEM. */
MIEN_CHECKED int fit_memory(const struct net *net, int batch, struct fit_memory *m,
                            struct mien_err *e);

/* Appends a line that tells it to people. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int fit_memory_print(const struct fit_memory *m, int batch, struct mien_buf *out);

#endif
