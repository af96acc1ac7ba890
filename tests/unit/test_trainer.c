/* A trainer's gradients: in bfloat16 those of float within its rounding, for any number of threads
   the same bytes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "train/memory.h"
#include "train/trainer.h"
#include "util/hash.h"

enum { BATCH = 5 };

/* Wide layers, whose gradients are computed by blocks, a fused run, strides, groups, a shortcut. */
static const char description[] = "input 12x10x5\n"
                                  "a conv 24 3x3 stride=2 pad=same\n"
                                  "b bn\n"
                                  "c relu6\n"
                                  "d dwconv 3x3 pad=same\n"
                                  "e conv 96 1x1\n"
                                  "f relu\n"
                                  "g conv 96 3x3 pad=same\n"
                                  "h conv 96 3x3 groups=4 pad=same\n"
                                  "i conv 96 1x1 bias=no from=g\n"
                                  "j add from=h,i\n"
                                  "k conv 700 1x1\n"
                                  "l relu\n"
                                  "m conv 100 1x1\n"
                                  "n gap\n"
                                  "o dense 700\n"
                                  "p dense 3\n";

/* The gradients (weights) of a loss that gives each output the same one; owned by the caller. */
static float *gradients(const struct net *net, enum train_precision precision, int threads,
                        struct mien_err *e)
{
    struct par *par = par_new(threads, e);
    float *w = malloc(net->nweights * sizeof *w), *grad = malloc(net->nweights * sizeof *grad);
    bool *train = malloc((size_t)net->n * sizeof *train);
    int end = net->n - 1;
    struct rng r = {1};
    assert_non_null(par);
    for (int i = 0; i < net->n; i++)
        train[i] = true;
    for (size_t k = 0; k < net->nweights; k++)
        w[k] = (float)rng_normal(&r) * 0.1f;
    for (int i = 0; i < net->n; i++) {
        const struct layer *l = &net->layer[i];
        for (size_t k = 0; l->type == L_BN && k < l->param[3].count; k++)
            w[l->param[3].at + k] = 1 + fabsf(w[l->param[3].at + k]);
    }
    struct trainer *t =
        trainer_new(net, w, train, (int[]){0}, 1, &end, 1, BATCH, precision, par, NULL, e);
    if (t != NULL) {
        for (size_t k = 0; k < BATCH * shape_count(net->layer[0].shape); k++)
            trainer_act(t, 0)[k] = (float)rng_normal(&r);
        for (int n = BATCH; n >= BATCH - 1; n--) { /* a second step, with fewer images */
            trainer_forward(t, n, true, 1);
            for (int k = 0; k < n * 3; k++)
                trainer_dact(t, end)[k] = (float)(k % 3) - 0.8f;
            trainer_backward(t, n);
        }
        memcpy(grad, trainer_grad(t), net->nweights * sizeof *grad);
    } else {
        free(grad);
        grad = NULL;
    }
    trainer_free(t);
    par_free(par);
    free(train);
    free(w);
    return grad;
}

static struct net parse_text(const char *text)
{
    struct mien_err e;
    struct net net = {0};
    if (net_parse(&net, text, strlen(text), &e) < 0)
        fail_msg("%s", e.msg);
    return net;
}

static struct net parse(void)
{
    return parse_text(description);
}

/* A layer's gradient as a vector is off by less than a fiftieth of its length: each factor is
   rounded by up to 1/256 of itself, here and in the layers behind. Before a bn, which takes most of
   the gradient out, by less than a tenth. */
static void test_bf16(void **state)
{
    struct mien_err e;
    struct net net = parse();
    (void)state;
    float *want = gradients(&net, TRAIN_FLOAT, 1, &e), *got = gradients(&net, TRAIN_BF16, 1, &e);
    assert_non_null(want);
    if (got == NULL) {
        free(want);
        net_free(&net);
        skip();
    }
    assert_true(memcmp(want, got, net.nweights * sizeof *want) != 0);
    for (int i = 0; i < net.n; i++) {
        const struct layer *l = &net.layer[i];
        double off = 0, length = 0;
        for (int k = 0; k < l->nparam; k++) {
            for (size_t j = l->param[k].at; j < l->param[k].at + l->param[k].count; j++) {
                off += pow((double)got[j] - (double)want[j], 2);
                length += pow((double)want[j], 2);
            }
        }
        bool normed = i + 1 < net.n && net.layer[i + 1].type == L_BN;
        if (sqrt(off) > (normed ? 0.1 : 0.02) * sqrt(length))
            fail_msg("%s: off by %g of %g", l->name, sqrt(off), sqrt(length));
    }
    free(want);
    free(got);
    net_free(&net);
}

static void test_threads(void **state)
{
    struct mien_err e;
    struct net net = parse();
    (void)state;
    for (int precision = TRAIN_FLOAT; precision <= TRAIN_BF16; precision++) {
        float *one = gradients(&net, (enum train_precision)precision, 1, &e);
        for (int threads = 2; one != NULL && threads < 8; threads += 2) {
            float *more = gradients(&net, (enum train_precision)precision, threads, &e);
            assert_non_null(more);
            assert_memory_equal(one, more, net.nweights * sizeof *one);
            free(more);
        }
        assert_true(one != NULL || precision == TRAIN_BF16);
        free(one);
    }
    net_free(&net);
}

/* The processor's instructions for bfloat16 sum as others do, tiles apart. */
static void test_variants(void **state)
{
    struct mien_err e;
    struct net net = parse();
    float *of[2];
    (void)state;
    for (int i = 0; i < 2; i++) {
        setenv("MIEN_SIMD", i == 0 ? "avx512" : "avx2", 1);
        of[i] = gradients(&net, TRAIN_BF16, 1, &e);
        unsetenv("MIEN_SIMD");
    }
    if (of[0] != NULL && of[1] != NULL)
        assert_memory_equal(of[0], of[1], net.nweights * sizeof *of[0]);
    else
        print_message("%s\n", e.msg);
    free(of[0]);
    free(of[1]);
    net_free(&net);
}

/* Outputs between convolutions, normalizations and relus are bfloat16, those that other layers read
   floats, and so are the gradients. */
static void test_memory(void **state)
{
    struct net net = parse();
    bool train[32];
    int end = net.n - 1, input = 0;
    struct train_memory m[2] = {{0}, {0}};
    (void)state;
    for (int i = 0; i < net.n; i++)
        train[i] = true;
    for (int bf16 = 0; bf16 < 2; bf16++)
        assert_int_equal(
            train_memory_make(&m[bf16], &net, train, &input, 1, &end, 1, BATCH, 1, bf16), 0);
    static const char narrow[] = "abcdefkl"; /* g is read by a sum, m by an average */
    for (int i = 0; i < net.n; i++) {
        assert_false(m[0].use[i].bf16);
        assert_int_equal(m[1].use[i].bf16, strstr(narrow, net.layer[i].name) != NULL);
    }
    assert_true(m[1].bytes < m[0].bytes);
    train_memory_free(&m[0]);
    train_memory_free(&m[1]);
    net_free(&net);
}

/* The gradient of a product by a factor that is 0 is the product of the others. The factors are the
   inputs, by weights of 1, plus biases. */
static void test_product(void **state)
{
    static const float x[2][3] = {{0, 2, 3}, {4, 0, 0}}, want[3] = {6, 0, 0};
    struct mien_err e;
    struct net net = parse_text("input 1x1x3\na dwconv 1x1\nb reduce prod c\n");
    bool train[] = {false, true, true};
    int end = 2, input = 0;
    float *w = calloc(net.nweights, sizeof *w);
    const struct param *weight = &net.layer[1].param[0], *bias = &net.layer[1].param[1];
    (void)state;
    assert_non_null(w);
    for (size_t k = 0; k < 3; k++)
        w[weight->at + k] = 1;
    struct trainer *t =
        trainer_new(&net, w, train, &input, 1, &end, 1, 2, TRAIN_FLOAT, NULL, NULL, &e);
    assert_non_null(t);
    memcpy(trainer_act(t, 0), x, sizeof x);
    trainer_forward(t, 2, true, 1);
    for (int n = 0; n < 2; n++)
        trainer_dact(t, end)[n] = 1;
    trainer_backward(t, 2);
    assert_memory_equal(trainer_grad(t) + bias->at, want, sizeof want);
    trainer_free(t);
    free(w);
    net_free(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bf16), cmocka_unit_test(test_threads),
                                       cmocka_unit_test(test_variants),
                                       cmocka_unit_test(test_memory),
                                       cmocka_unit_test(test_product)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
