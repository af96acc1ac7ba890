/* Fitting: it learns what is there to learn, moves what it should, and repeats to the bit. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "fit/fit.h"
#include "train/optim.h"
#include "util/hash.h"
#include "tensor/pack_writer.h"

enum { N = 300, D = 12 };

static char dir[] = "/tmp/mien-fit.XXXXXX";
static char features_path[64], pixels_path[64], partial_path[64];

/* Features whose first numbers tell age and gender, and pixels that do so by their brightness. */
static void write_pack(const char *path, bool pixels, bool partial)
{
    struct mien_err e = {{0}};
    struct rng r = {11};
    struct pack_writer *w = pack_writer_new(path, MIEN_PACK_AUTO, &e);
    struct mien_rec rec = {0};
    assert_non_null(w);
    for (int i = 0; i < N; i++) {
        int gender = (int)rng_below(&r, 2), age = 10 + 20 * (int)rng_below(&r, 4);
        mien_rec_clear(&rec);
        if (!partial || i % 3 != 0)
            mien_rec_set_u8(&rec, MIEN_TAG_GENDER, gender);
        if (!partial || i % 3 == 0)
            mien_rec_set_u8(&rec, MIEN_TAG_AGE, age);
        else if (i % 3 == 1)
            memcpy(mien_rec_alloc(&rec, MIEN_TAG_AGE_BAND, MIEN_U8, 1, (uint32_t[]){2}),
                   (unsigned char[]){(unsigned char)(age - 5), (unsigned char)(age + 5)}, 2);
        if (pixels) {
            unsigned char *p =
                mien_rec_alloc(&rec, MIEN_TAG_PIXELS, MIEN_U8, 3, (uint32_t[]){8, 8, 3});
            for (int k = 0; k < 192; k++)
                p[k] = (unsigned char)(k % 3 == 0   ? age * 2
                                       : k % 3 == 1 ? 200 * gender + 20
                                                    : (int)rng_below(&r, 50));
        } else {
            float *f = mien_rec_alloc(&rec, MIEN_TAG_FEATURES, MIEN_F32, 1, (uint32_t[]){D});
            for (int k = 0; k < D; k++)
                f[k] = (float)(0.1 * rng_normal(&r));
            f[0] += (float)gender;
            f[1 + age / 20] += 1;
        }
        assert_int_equal(pack_add(w, &rec, &e), 0);
    }
    assert_int_equal(pack_writer_end(w, "test", "", &e), 0);
    pack_writer_free(w);
    mien_rec_free(&rec);
}

static int set_up(void **state)
{
    (void)state;
    if (mkdtemp(dir) == NULL)
        return -1;
    snprintf(features_path, sizeof features_path, "%s/f.pack", dir);
    snprintf(pixels_path, sizeof pixels_path, "%s/p.pack", dir);
    snprintf(partial_path, sizeof partial_path, "%s/q.pack", dir);
    write_pack(features_path, false, false);
    write_pack(pixels_path, true, false);
    write_pack(partial_path, false, true);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(features_path);
    unlink(pixels_path);
    unlink(partial_path);
    return rmdir(dir);
}

static struct fit_config config(int epochs, int jobs)
{
    struct fit_config c = fit_defaults();
    c.epochs = epochs;
    c.batch = 16;
    c.jobs = jobs;
    c.seed = 5;
    c.lr = 0.01;
    return c;
}

/* Trains new heads on the features pack at path. */
static struct model heads(const char *path, struct fit_heads h, int jobs, struct fit_epoch *kept)
{
    struct mien_err e = {{0}};
    struct mien_pack p;
    struct model m = {0};
    struct mien_prep none = {""};
    struct fit_config c = config(20, jobs);
    assert_int_equal(mien_pack_open(&p, path, &e), 0);
    c.last = fit_new_heads(&m, NULL, NULL, D, &none, &h, 5, &e);
    if (h.list == NULL)
        assert_int_equal(c.last, h.hidden > 0 ? 3 : 2);
    if (fit(&m, &p, &p, &c, kept, &e) < 0)
        fail_msg("%s", e.msg);
    mien_pack_close(&p);
    return m;
}

static void learns(void **state)
{
    (void)state;
    struct fit_epoch kept;
    struct model m = heads(features_path, (struct fit_heads){0}, 2, &kept);
    assert_true(kept.val.gender_accuracy > 0.99);
    assert_true(kept.val.age_exact > 0.99);
    assert_true(kept.val.n_age == N && kept.val.n_gender == N);
    model_free(&m);
    m = heads(features_path, (struct fit_heads){.hidden = 16, .dropout = 0.2}, 2, &kept);
    assert_true(kept.val.gender_accuracy > 0.99 && kept.val.age_exact > 0.95);
    model_free(&m);
}

/* Every kind of head learns what the features tell, ages 10, 30, 50 and 70, alone and with the
   other. */
static void kinds(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        double exact, mae;
    } kind[] = {
        {"age=101", 0.99, 3},
        {"gender=2,age=0:20:40:60", 0.99, 3}, /* the years within a bin are those of the records */
        {"age=0:35", 0.99, 11},
        {"age=coral:0:20:40:60,gender=2", 0.99, 3},
        {"gender=2,age=coral", 0.5, 8},
    };
    struct fit_epoch kept;
    for (size_t k = 0; k < sizeof kind / sizeof kind[0]; k++) {
        struct fit_heads h = {.list = kind[k].list, .hidden = 16};
        struct model m = heads(features_path, h, 2, &kept);
        bool gender = strstr(h.list, "gender") != NULL;
        assert_int_equal(kept.val.n_gender, gender ? N : 0);
        assert_int_equal(net_find(&m.net, "gender") >= 0, gender);
        assert_int_equal(kept.val.n_age, N);
        if (kept.val.age_exact < kind[k].exact || kept.val.age_mae > kind[k].mae ||
            (gender && kept.val.gender_accuracy < 0.99))
            fail_msg("%s: exact %g, MAE %g", h.list, kept.val.age_exact, kept.val.age_mae);
        model_free(&m);
        m = heads(partial_path, h, 2, &kept); /* bands, and one label missing */
        assert_int_equal(kept.val.n_age, N / 3);
        if (kept.val.age_mae > kind[k].mae + 3)
            fail_msg("%s, partly labelled: MAE %g", h.list, kept.val.age_mae);
        model_free(&m);
    }
    struct model m = heads(features_path, (struct fit_heads){.list = "gender=2"}, 2, &kept);
    assert_true(kept.val.gender_accuracy > 0.99 && kept.val.n_age == 0 &&
                net_find(&m.net, "age") < 0);
    model_free(&m);
}

static void keep_loss(void *ctx, const struct fit_epoch *e)
{
    ((double *)ctx)[e->epoch] = e->val.loss;
}

static void keep_rate(void *ctx, const struct fit_epoch *e)
{
    ((double *)ctx)[e->epoch] = e->lr;
}

/* An epoch's learning rate is that of its last step. */
static void rates(void **state)
{
    (void)state;
    struct mien_err e = {{0}};
    struct mien_pack p;
    struct mien_prep none = {""};
    struct fit_heads h = {0};
    struct fit_epoch kept;
    struct fit_config c = config(3, 1);
    double rate[4] = {0};
    assert_int_equal(mien_pack_open(&p, features_path, &e), 0);
    struct model m = {0};
    c.schedule.warmup = 1;
    c.schedule.kind = SCHEDULE_STEP;
    c.schedule.step_epochs = 2;
    c.on_epoch = keep_rate;
    c.ctx = rate;
    c.last = fit_new_heads(&m, NULL, NULL, D, &none, &h, 5, &e);
    assert_int_equal(fit(&m, &p, NULL, &c, &kept, &e), 0);
    assert_float_equal(rate[1], c.lr * 294 / 300, 1e-9); /* 300 records, 16 a step: 288 to 300 */
    assert_float_equal(rate[2], c.lr, 1e-9);
    assert_float_equal(rate[3], c.lr * 0.1, 1e-9);
    model_free(&m);
    mien_pack_close(&p);
}

/* A validation part of bands alone has a loss: the epoch of the smallest is kept. */
static void bands_alone(void **state)
{
    (void)state;
    enum { EPOCHS = 12 };
    struct mien_err e = {{0}};
    struct mien_pack p, val;
    struct model m = {0};
    struct mien_prep none = {""};
    struct fit_heads h = {0};
    struct fit_epoch kept;
    struct fit_config c = config(EPOCHS, 1);
    double loss[EPOCHS + 1];
    unsigned char unknown[N], band[2 * N];
    assert_int_equal(mien_pack_open(&p, features_path, &e), 0);
    memset(unknown, MIEN_PACK_UNKNOWN, sizeof unknown);
    for (int i = 0; i < N; i++) {
        band[2 * i] = (unsigned char)(p.age[i] + 15); /* wrong, so that learning makes it worse */
        band[2 * i + 1] = (unsigned char)(p.age[i] + 25);
    }
    val = p;
    val.age = val.gender = unknown;
    val.band = band;
    c.on_epoch = keep_loss;
    c.ctx = loss;
    c.last = fit_new_heads(&m, NULL, NULL, D, &none, &h, 5, &e);
    assert_int_equal(fit(&m, &p, &val, &c, &kept, &e), 0);
    int best = 1;
    for (int k = 2; k <= EPOCHS; k++)
        best = loss[k] < loss[best] ? k : best;
    assert_int_not_equal(best, EPOCHS);
    assert_int_equal(kept.epoch, best);
    model_free(&m);
    mien_pack_close(&p);
}

static void no_heads(const char *list, const char *why)
{
    struct mien_err e = {{0}};
    struct mien_prep none = {""};
    struct model m = {0};
    struct fit_heads h = {.list = list};
    if (fit_new_heads(&m, NULL, NULL, D, &none, &h, 5, &e) != MIEN_ERR_ARG ||
        strstr(e.msg, why) == NULL)
        fail_msg("'%s': got '%s', wanted '%s'", list, e.msg, why);
    model_free(&m);
}

static void lists(void **state)
{
    (void)state;
    no_heads("", "heads: the list is empty");
    no_heads("age", "heads: 'age': give a list such as gender=2,age=101");
    no_heads("age=", "heads: age: '' is not 101 (years), coral");
    no_heads("age=101,age=coral", "heads: 'age=coral': give a list");
    no_heads("gender=3", "heads: 'gender=3': give a list");
    no_heads("gender=2,gender=2", "each head once");
    no_heads("gender=2,age=0:10:5", "heads: age: '0:10:5': a bin begins at 5");
}

static void threads_change_nothing(void **state)
{
    (void)state;
    struct fit_epoch a, b;
    struct model one =
        heads(features_path, (struct fit_heads){.hidden = 16, .dropout = 0.5}, 1, &a);
    struct model three =
        heads(features_path, (struct fit_heads){.hidden = 16, .dropout = 0.5}, 3, &b);
    assert_memory_equal(one.weights, three.weights, one.net.nweights * sizeof(float));
    assert_true(a.val.loss == b.val.loss);
    model_free(&one);
    model_free(&three);
}

/* Bands and records with one label teach as well. */
static void partial_labels(void **state)
{
    (void)state;
    struct fit_epoch kept;
    struct mien_err e;
    struct mien_pack p;
    struct model m = heads(partial_path, (struct fit_heads){0}, 2, &kept);
    assert_true(kept.val.n_age == N / 3 && kept.val.n_gender == N - N / 3);
    assert_int_equal(mien_pack_open(&p, features_path, &e), 0);
    struct fit_config c = config(1, 1);
    struct fit_epoch seen;
    c.lr = 1e-12; /* only look */
    assert_int_equal(fit(&m, &p, &p, &c, &seen, &e), 0);
    assert_true(seen.val.gender_accuracy > 0.98 && seen.val.age_mae < 5);
    mien_pack_close(&p);
    model_free(&m);
}

static const char *const network =
    "input 8x8x3\nc1 conv 6 3x3 stride=2 pad=same\nb1 bn\nr1 relu\nc2 conv 8 1x1\nr2 relu\n"
    "skip conv 8 1x1 from=b1\nsum add from=r2,skip\ng gap\n";

static void transfer(void **state)
{
    (void)state;
    struct mien_err e = {{0}};
    struct mien_pack p;
    struct mien_prep none = {""};
    struct fit_epoch kept;
    assert_int_equal(mien_pack_open(&p, pixels_path, &e), 0);
    struct model init = {0};
    assert_int_equal(net_parse(&init.net, network, strlen(network), &e), 0);
    init.weights = net_weights_new(&init.net, &e);
    net_init(&init.net, init.weights, 1);
    mien_prep_parse(&init.prep, "size=8x8 scale=0.01 embed=g", 27, &e);
    /* Heads alone; the two layers before as well, with two boundary values; everything. */
    for (int last = 2; last <= 6; last += 2) {
        struct model m[2];
        memset(m, 0, sizeof m);
        for (int k = 0; k < 2; k++) {
            struct fit_heads h = {0};
            assert_int_equal(fit_new_heads(&m[k], &init, NULL, 0, &none, &h, 2, &e), 2);
            struct fit_config c = config(30, 1 + 2 * k);
            c.last = last == 6 ? 0 : last;
            c.cache_mem = k == 0 ? 1 << 20 : 0; /* in memory, in a file */
            if (fit(&m[k], &p, NULL, &c, &kept, &e) < 0)
                fail_msg("%s", e.msg);
        }
        assert_memory_equal(m[0].weights, m[1].weights, m[0].net.nweights * sizeof(float));
        for (int i = 0; i < init.net.n; i++) {
            const struct layer *a = &init.net.layer[i], *b = &m[0].net.layer[i];
            assert_string_equal(a->name, b->name);
            bool moved = a->nparam > 0 &&
                         memcmp(init.weights + a->param[0].at, m[0].weights + b->param[0].at,
                                a->param[0].count * sizeof(float)) != 0;
            bool trained = last == 6 || (last == 4 && i > 3);
            assert_int_equal(moved, trained && a->nparam > 0);
        }
        assert_true(kept.train_loss < 4);
        model_free(&m[0]);
        model_free(&m[1]);
    }
    model_free(&init);
    mien_pack_close(&p);
}

/* Every option that changes the course of a training, alone: it still learns, and is the same for
   any number of threads. */
static void options(void **state)
{
    (void)state;
    struct mien_err e = {{0}};
    struct mien_pack p;
    struct mien_prep none = {""};
    struct fit_heads h = {.hidden = 8};
    assert_int_equal(mien_pack_open(&p, features_path, &e), 0);
    for (int k = 0; k < 16; k++) {
        struct fit_config c = config(30, 1);
        double least = 0.9; /* accuracy of both heads */
        switch (k) {
        case 0:
            c.optim.kind = OPTIM_ADAMW;
            c.decay = 0.01;
            break;
        case 1:
            c.optim.kind = OPTIM_SGD;
            c.lr = 0.1;
            break;
        case 2:
            c.schedule.kind = SCHEDULE_COSINE;
            c.schedule.warmup = 2.5;
            break;
        case 3:
            c.schedule.kind = SCHEDULE_STEP;
            c.schedule.step_epochs = 12;
            break;
        case 4:
            c.schedule.kind = SCHEDULE_PLATEAU;
            c.schedule.step_epochs = 3;
            break;
        case 5:
            c.clip = 0.5;
            break;
        case 6:
            c.ema = 0.9;
            break;
        case 7:
            c.loss.sigma = 1;
            break;
        case 8:
            c.loss.l1 = 0.1;
            break;
        case 9:
            c.loss.smoothing = 0.1;
            break;
        case 10:
            c.mixup = 0.2;
            break;
        case 11:
            c.balance = 1;
            break;
        case 12:
            c.class_weights = 1;
            break;
        case 13:
            c.layer_decay = 0.5;
            break;
        case 14:
            c.decay = 0.001;
            break;
        case 15:
            c.patience = 3;
            least = 0.5;
            break;
        }
        struct model m[2];
        struct fit_epoch kept[2];
        memset(m, 0, sizeof m);
        for (int j = 0; j < 2; j++) {
            c.jobs = 1 + 2 * j;
            c.last = fit_new_heads(&m[j], NULL, NULL, D, &none, &h, 5, &e);
            if (fit(&m[j], &p, &p, &c, &kept[j], &e) < 0)
                fail_msg("option %d: %s", k, e.msg);
        }
        if (kept[0].val.gender_accuracy < least || kept[0].val.age_exact < least)
            fail_msg("option %d: gender %g, age %g", k, kept[0].val.gender_accuracy,
                     kept[0].val.age_exact);
        assert_memory_equal(m[0].weights, m[1].weights, m[0].net.nweights * sizeof(float));
        model_free(&m[0]);
        model_free(&m[1]);
    }
    mien_pack_close(&p);
}

static volatile sig_atomic_t stop;
static int batches_left;

static void count_down(void *ctx, const struct fit_progress *p)
{
    (void)ctx;
    if (p->epoch > 0 && --batches_left == 0)
        stop = 1;
}

/* Stopped after any number of batches and gone on with, a training ends with the same weights. */
static void resuming(void **state)
{
    (void)state;
    struct mien_err e = {{0}};
    struct mien_pack p;
    struct mien_prep none = {""};
    struct fit_heads h = {.hidden = 8, .dropout = 0.3};
    struct fit_epoch kept;
    char path[64];
    snprintf(path, sizeof path, "%s/c.checkpoint", dir);
    assert_int_equal(mien_pack_open(&p, features_path, &e), 0);
    struct fit_config c = config(5, 2);
    c.ema = 0.9;
    c.schedule.kind = SCHEDULE_COSINE;
    c.mixup = 0.2;
    c.balance = 0.5;
    struct model whole = {0};
    c.last = fit_new_heads(&whole, NULL, NULL, D, &none, &h, 5, &e);
    assert_int_equal(fit(&whole, &p, &p, &c, &kept, &e), 0);
    c.checkpoint = path;
    c.on_progress = count_down;
    c.stop = &stop;
    for (int gap = 1; gap < 100; gap += 13) { /* 19 batches an epoch */
        int rc = 1, runs = 0;
        unlink(path);
        while (rc == 1) {
            struct model m = {0};
            assert_int_equal(fit_new_heads(&m, NULL, NULL, D, &none, &h, 5, &e), 3);
            stop = 0;
            batches_left = gap;
            c.resume = true;
            rc = fit(&m, &p, &p, &c, &kept, &e);
            if (rc < 0)
                fail_msg("%s", e.msg);
            if (rc == 0)
                assert_memory_equal(m.weights, whole.weights, whole.net.nweights * sizeof(float));
            model_free(&m);
            runs++;
        }
        assert_int_equal(runs, (95 + gap - 1) / gap);
    }
    /* Of another training, it isn't taken. */
    struct model m = {0};
    assert_int_equal(fit_new_heads(&m, NULL, NULL, D, &none, &h, 5, &e), 3);
    c.lr = 0.02;
    assert_int_equal(fit(&m, &p, &p, &c, &kept, &e), MIEN_ERR_FORMAT);
    assert_non_null(strstr(e.msg, "it has 'lr=0.01"));
    model_free(&m);
    model_free(&whole);
    unlink(path);
    mien_pack_close(&p);
}

static void refusals(void **state)
{
    (void)state;
    struct mien_err e;
    struct mien_pack f, p;
    struct fit_epoch kept;
    struct mien_prep none = {""};
    struct fit_heads h = {0};
    struct model m = {0}, other = {0};
    struct fit_config c = config(3, 1);
    assert_int_equal(mien_pack_open(&f, features_path, &e), 0);
    assert_int_equal(mien_pack_open(&p, pixels_path, &e), 0);
    assert_int_equal(fit_new_heads(&m, NULL, NULL, D, &none, &h, 5, &e), 2);
    assert_int_equal(fit(&m, &p, NULL, &c, &kept, &e), MIEN_ERR_FORMAT);
    assert_string_equal(e.msg, "the training pack doesn't hold 12 features, as the model reads");
    c.last = 1;
    assert_int_equal(fit(&m, &f, NULL, &c, &kept, &e), MIEN_ERR_ARG);
    assert_non_null(strstr(e.msg, "a head would be frozen"));
    c.last = 2;
    c.epochs = 30;
    c.lr = 1e38;
    assert_int_equal(fit(&m, &f, NULL, &c, &kept, &e), MIEN_ERR_ARG);
    assert_non_null(strstr(e.msg, "smaller learning rate"));
    assert_int_equal(fit_new_heads(&other, NULL, NULL, D + 1, &none, &h, 5, &e), 2);
    assert_int_equal(fit(&other, &f, NULL, &c, &kept, &e), MIEN_ERR_FORMAT);
    model_free(&m);
    model_free(&other);
    mien_pack_close(&f);
    mien_pack_close(&p);
}

static void squares(void **state)
{
    (void)state;
    float grad[100];
    double want = 0;
    for (size_t n = 0; n < sizeof grad / sizeof *grad; n++) {
        assert_true(fabs(optim_square(grad, n) - want) <= 1e-13 * want);
        grad[n] = (float)n - 40.3F;
        want += (double)grad[n] * (double)grad[n];
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns),   cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(kinds),    cmocka_unit_test(bands_alone),
        cmocka_unit_test(rates),    cmocka_unit_test(lists),
        cmocka_unit_test(transfer), cmocka_unit_test(partial_labels),
        cmocka_unit_test(options),  cmocka_unit_test(resuming),
        cmocka_unit_test(refusals), cmocka_unit_test(squares),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
