/* The options of mien-train but for its files: rows that fill a struct fit_start and a struct
   fit_config. */
#ifndef MIEN_CMD_TRAIN_OPTIONS_H
#define MIEN_CMD_TRAIN_OPTIONS_H

#include <string.h>

#include "fit/start.h"
#include "mien/cli.h"
#include "util/num.h"

/* The number of last layers: a count, or all. */
static int parse_last(void *dst, const char *arg, struct mien_err *e)
{
    long long n = 0;
    int rc = strcmp(arg, "all") == 0 ? 0 : num_int(arg, 1, NET_MAX_LAYERS, &n, e);
    if (rc == 0)
        *(int *)dst = (int)n;
    return rc;
}

/* s points to the struct fit_start, f to the struct fit_config. */
#define NETWORK_OPTIONS(s, f)                                                                      \
    MIEN_OPT_GROUP("Network"),                                                                     \
        MIEN_OPT_FUNC(0, "last", "N|all", &(f)->last, parse_last,                                  \
                      "train the last N layers with weights, or all [the new ones]"),              \
        MIEN_OPT_STR(0, "heads", "LIST", &(s)->heads.list, "new heads [gender=2,age=101]"),        \
        MIEN_OPT_FLAG(0, "keep-heads", &(s)->keep_heads,                                           \
                      "continue training the network's own heads"),                                \
        MIEN_OPT_STR(0, "embed", "LAYER", &(s)->embed,                                             \
                     "layer of the network that new heads read [the network's choice]"),           \
        MIEN_OPT_INT(0, "hidden", "N", &(s)->heads.hidden, 0, 65536,                               \
                     "dense layer of N units before the heads [0: none]"),                         \
        MIEN_OPT_REAL(0, "dropout", "F", &(s)->heads.dropout, 0, 0.99,                             \
                      "drop this share of the heads' inputs [0]")

#define LEARNING_OPTIONS(f)                                                                        \
    MIEN_OPT_GROUP("Optimizer"),                                                                   \
        MIEN_OPT_INT('e', "epochs", "N", &(f)->epochs, 0, 100000,                                  \
                     "passes over the training set [10]"),                                         \
        MIEN_OPT_INT('b', "batch", "N", &(f)->batch, 1, FIT_MAX_BATCH,                             \
                     "records in each step [32]"),                                                 \
        MIEN_OPT_CHOICE(0, "optimizer", "NAME", &(f)->optim.kind, "adam|adamw|sgd",                \
                        "adam, adamw or sgd [adam]"),                                              \
        MIEN_OPT_REAL(0, "lr", "F", &(f)->lr, 1e-12, 1000, "learning rate [0.001]"),               \
        MIEN_OPT_REAL(0, "lr-backbone", "F", &(f)->lr_backbone, 0, 1000,                           \
                      "learning rate of pretrained layers [that of --lr]"),                        \
        MIEN_OPT_REAL(0, "layer-decay", "F", &(f)->layer_decay, 0.01, 1,                           \
                      "rate of each layer relative to the next one [1]"),                          \
        MIEN_OPT_REAL(0, "beta1", "F", &(f)->optim.beta1, 0, 0.999999,                             \
                      "Adam's decay of first moments [0.9]"),                                      \
        MIEN_OPT_REAL(0, "beta2", "F", &(f)->optim.beta2, 0, 0.999999999,                          \
                      "Adam's decay of second moments [0.999]"),                                   \
        MIEN_OPT_REAL(0, "epsilon", "F", &(f)->optim.epsilon, 1e-15, 1, "Adam's epsilon [1e-7]"),  \
        MIEN_OPT_REAL(0, "momentum", "F", &(f)->optim.momentum, 0, 0.999999,                       \
                      "SGD's momentum [0.9]"),                                                     \
        MIEN_OPT_REAL(0, "decay", "F", &(f)->decay, 0, 1000, "weight decay [0]"),                  \
        MIEN_OPT_REAL(0, "clip", "F", &(f)->clip, 0, 1e9,                                          \
                      "clip the norm of gradients to this [0: no clipping]"),                      \
        MIEN_OPT_REAL(0, "ema", "F", &(f)->ema, 0, 0.999999,                                       \
                      "decay of a moving average of weights [0: none]"),                           \
        MIEN_OPT_CHOICE(0, "precision", "NAME", &(f)->precision, "float|bf16|auto",                \
                        "of convolutions' products: float, bf16 or auto [float]"),                 \
        MIEN_OPT_GROUP("Schedule"),                                                                \
        MIEN_OPT_CHOICE(0, "schedule", "NAME", &(f)->schedule.kind,                                \
                        "constant|step|cosine|plateau",                                            \
                        "of the learning rate: constant, step, cosine or plateau [constant]"),     \
        MIEN_OPT_REAL(0, "warmup", "F", &(f)->schedule.warmup, 0, 100000,                          \
                      "epochs over which the rate grows from 0 [0]"),                              \
        MIEN_OPT_INT(0, "step-epochs", "N", &(f)->schedule.step_epochs, 1, 100000,                 \
                     "epochs between drops, or without improvement before one [5]"),               \
        MIEN_OPT_REAL(0, "drop", "F", &(f)->schedule.drop, 0, 1, "factor of the rate then [0.1]"), \
        MIEN_OPT_INT(0, "patience", "N", &(f)->patience, 0, 100000,                                \
                     "stop after N epochs without improvement [0: never]"),                        \
        MIEN_OPT_CHOICE(0, "best", "NAME", &(f)->best, "mae|loss|gender|last",                     \
                        "how to choose the epoch to keep: mae, loss, gender or last [mae]"),       \
        MIEN_OPT_GROUP("Loss and sampling"),                                                       \
        MIEN_OPT_REAL(0, "sigma", "F", &(f)->loss.sigma, 0, 50,                                    \
                      "learn ages as Gaussians of this deviation in years [0]"),                   \
        MIEN_OPT_REAL(0, "l1", "F", &(f)->loss.l1, 0, 1000,                                        \
                      "weight of the expected age's absolute error [0]"),                          \
        MIEN_OPT_REAL(0, "smoothing", "F", &(f)->loss.smoothing, 0, 0.99,                          \
                      "share of each label spread over all classes [0]"),                          \
        MIEN_OPT_STR(0, "teacher", "MODEL,...", &(f)->teacher,                                     \
                     "also learn these models' answers"),                                          \
        MIEN_OPT_REAL(0, "teacher-share", "F", &(f)->loss.teacher, 0, 1,                           \
                      "share of the loss that compares with them [0.5]"),                          \
        MIEN_OPT_REAL(0, "mixup", "F", &(f)->mixup, 0, 100, "alpha of mixup [0: none]"),           \
        MIEN_OPT_FLAG(0, "in-order", &(f)->in_order,                                               \
                      "take records in the pack's order, unshuffled"),                             \
        MIEN_OPT_REAL(0, "balance", "F", &(f)->balance, 0, 1,                                      \
                      "sample by (1/frequency)^F of age and gender [0]"),                          \
        MIEN_OPT_REAL(0, "class-weights", "F", &(f)->class_weights, 0, 1,                          \
                      "weight losses by (1/frequency)^F [0]"),                                     \
        MIEN_OPT_GROUP("Augmentation"),                                                            \
        MIEN_OPT_FLAG(0, "flip", &(f)->augment.flip, "mirror half of the images"),                 \
        MIEN_OPT_REAL(0, "shift", "F", &(f)->augment.shift, 0, 0.5,                                \
                      "shift images by up to this share of their sides [0]"),                      \
        MIEN_OPT_REAL(0, "zoom", "F", &(f)->augment.zoom, 0, 1,                                    \
                      "scale them by up to a factor of 1 + F, up or down [0]"),                    \
        MIEN_OPT_REAL(0, "rotate", "DEG", &(f)->augment.rotate, 0, 180,                            \
                      "rotate them by up to DEG degrees [0]"),                                     \
        MIEN_OPT_REAL(0, "stretch", "F", &(f)->augment.stretch, 0, 1,                              \
                      "widen or narrow them by up to a factor of 1 + F [0]"),                      \
        MIEN_OPT_REAL(0, "brightness", "F", &(f)->augment.brightness, 0, 1,                        \
                      "change their brightness by up to this share [0]"),                          \
        MIEN_OPT_REAL(0, "contrast", "F", &(f)->augment.contrast, 0, 1,                            \
                      "change their contrast by up to this share [0]"),                            \
        MIEN_OPT_REAL(0, "saturation", "F", &(f)->augment.saturation, 0, 1,                        \
                      "change their saturation by up to this share [0]"),                          \
        MIEN_OPT_REAL(0, "cast", "F", &(f)->augment.cast, 0, 1,                                    \
                      "change each channel's brightness by up to this share [0]"),                 \
        MIEN_OPT_REAL(0, "gray", "P", &(f)->augment.gray, 0, 1,                                    \
                      "turn this share of them gray [0]"),                                         \
        MIEN_OPT_REAL(0, "soft", "P", &(f)->augment.soft, 0, 1,                                    \
                      "blur this share of them, like small faces enlarged [0]"),                   \
        MIEN_OPT_REAL(0, "erase", "P", &(f)->augment.erase, 0, 1,                                  \
                      "fill a rectangle with noise in this share of them [0]"),                    \
        MIEN_OPT_INT(0, "views", "N", &(f)->views, 1, 1000,                                        \
                     "variants of each image kept for frozen layers [4]")

#define RUNNING_OPTIONS(f)                                                                         \
    MIEN_OPT_GROUP("Running"),                                                                     \
        MIEN_OPT_STR(0, "checkpoint", "FILE", &(f)->checkpoint,                                    \
                     "save the state of the training here"),                                       \
        MIEN_OPT_INT(0, "every", "N", &(f)->every, 1, 100000, "epochs between checkpoints [1]"),   \
        MIEN_OPT_FLAG(0, "resume", &(f)->resume, "continue from the checkpoint, if it exists"),    \
        MIEN_OPT_SIZE(0, "cache-mem", "SIZE", &(f)->cache_mem, 0, 1e15,                            \
                      "output of frozen layers kept in memory, the rest in a file [8G]"),          \
        MIEN_OPT_SIZE(0, "max-memory", "SIZE", &(f)->max_memory, 1, 1e15,                          \
                      "refuse networks whose training needs more [3/4 of the machine's]"),         \
        MIEN_OPT_SEED('s', "seed", "N", &(f)->seed, "seed of all random choices [0]"),             \
        MIEN_OPT_INT('j', "jobs", "N", &(f)->jobs, 1, 256, "threads [all cores]")

#endif
