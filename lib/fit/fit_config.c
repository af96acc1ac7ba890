/* The options of a training: defaults, checks, and their text. */
#include "fit.h"

#include <stdint.h>

#include "teacher.h"
#include "util/num.h"

struct fit_config fit_defaults(void)
{
    return (struct fit_config){
        .epochs = 10,
        .batch = 32,
        .jobs = 1,
        .lr = 0.001,
        .optim.beta1 = 0.9,
        .optim.beta2 = 0.999,
        .optim.epsilon = 1e-7,
        .optim.momentum = 0.9,
        .layer_decay = 1,
        .loss.teacher = 0.5,
        .schedule.step_epochs = 5,
        .schedule.drop = 0.1,
        .cache_mem = (size_t)8 << 30,
        .max_memory = SIZE_MAX,
        .every = 1,
        .views = 4,
    };
}

int fit_check(const struct fit_config *c, struct mien_err *e)
{
    if (c->batch < 1 || c->batch > FIT_MAX_BATCH)
        return mien_err_set(e, MIEN_ERR_ARG, "a batch of %d is not 1 to %d", c->batch,
                            FIT_MAX_BATCH);
    if (c->schedule.warmup > 0 && c->schedule.warmup >= c->epochs)
        return mien_err_set(e, MIEN_ERR_ARG, "a warm-up of %g epochs leaves none of %d",
                            c->schedule.warmup, c->epochs);
    if (c->lr_backbone > c->lr)
        return mien_err_set(e, MIEN_ERR_ARG,
                            "the backbone's learning rate %g is larger than the heads' %g",
                            c->lr_backbone, c->lr);
    char name[2];
    for (size_t k = 0; teacher_name(c->teacher, k, name, sizeof name) != NULL; k++) {
        if (name[0] == '\0')
            return mien_err_set(e, MIEN_ERR_ARG, "a teacher without a name in '%s'", c->teacher);
    }
    return 0;
}

int fit_describe(const struct fit_config *c, struct mien_buf *out)
{
    static const char *const optimizers[] = {"adam", "adamw", "sgd"};
    static const char *const schedules[] = {"constant", "step", "cosine", "plateau"};
    static const char *const bests[] = {"mae", "loss", "gender", "last"};
    char number[NUM_TEXT];
    num_print(number, c->lr);
    int rc = mien_buf_printf(out, "seed=%llu epochs=%d batch=%d last=%d optimizer=%s lr=%s",
                             (unsigned long long)c->seed, c->epochs, c->batch, c->last,
                             optimizers[c->optim.kind], number);
    const struct fit_config d = fit_defaults();
    const struct {
        const char *name;
        double value, normal;
    } more[] = {
        {"beta1", c->optim.beta1, d.optim.beta1},
        {"beta2", c->optim.beta2, d.optim.beta2},
        {"epsilon", c->optim.epsilon, d.optim.epsilon},
        {"momentum", c->optim.momentum, d.optim.momentum},
        {"decay", c->decay, d.decay},
        {"lr-backbone", c->lr_backbone, d.lr_backbone},
        {"layer-decay", c->layer_decay, d.layer_decay},
        {"clip", c->clip, d.clip},
        {"ema", c->ema, d.ema},
        {"warmup", c->schedule.warmup, d.schedule.warmup},
        {"step-epochs", c->schedule.step_epochs, d.schedule.step_epochs},
        {"drop", c->schedule.drop, d.schedule.drop},
        {"patience", c->patience, d.patience},
        {"sigma", c->loss.sigma, d.loss.sigma},
        {"l1", c->loss.l1, d.loss.l1},
        {"smoothing", c->loss.smoothing, d.loss.smoothing},
        {"flip", c->augment.flip, d.augment.flip},
        {"shift", c->augment.shift, d.augment.shift},
        {"zoom", c->augment.zoom, d.augment.zoom},
        {"rotate", c->augment.rotate, d.augment.rotate},
        {"stretch", c->augment.stretch, d.augment.stretch},
        {"brightness", c->augment.brightness, d.augment.brightness},
        {"contrast", c->augment.contrast, d.augment.contrast},
        {"saturation", c->augment.saturation, d.augment.saturation},
        {"cast", c->augment.cast, d.augment.cast},
        {"gray", c->augment.gray, d.augment.gray},
        {"soft", c->augment.soft, d.augment.soft},
        {"erase", c->augment.erase, d.augment.erase},
        {"views", c->views, d.views},
        {"mixup", c->mixup, d.mixup},
        {"balance", c->balance, d.balance},
        {"class-weights", c->class_weights, d.class_weights},
    };
    if (c->schedule.kind != d.schedule.kind)
        rc |= mien_buf_printf(out, " schedule=%s", schedules[c->schedule.kind]);
    if (c->precision != d.precision)
        rc |= mien_buf_printf(out, " precision=bf16");
    if (c->best != d.best)
        rc |= mien_buf_printf(out, " best=%s", bests[c->best]);
    if (c->teacher != NULL) {
        num_print(number, c->loss.teacher);
        rc |= mien_buf_printf(out, " teacher=%s teacher-share=%s", c->teacher, number);
    }
    if (c->in_order)
        rc |= mien_buf_printf(out, " in-order");
    for (size_t k = 0; pack_set_weighted(c->set) && k < c->set->n; k++) {
        num_print(number, c->set->weight[k]);
        rc |= mien_buf_printf(out, "%s%s", k > 0 ? "," : " weights=", number);
    }
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
        if (more[i].value == more[i].normal)
            continue;
        num_print(number, more[i].value);
        rc |= mien_buf_printf(out, " %s=%s", more[i].name, number);
    }
    return rc < 0 ? MIEN_ERR_MEM : 0;
}
