/*
 * Every layer's gradient against central differences, in double precision: this program is built
 * with the same kernels as the library, their number type changed.
 *
 * A network's loss here is the sum of its outputs times fixed random numbers. The layer under test
 * stands behind a trained layer, whose own gradients are right only if the gradient that flows
 * through the layer is.
 *
 * test_grad MODEL... checks models instead, whole ones, of each parameter along one direction.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "net/model.h"
#include "util/hash.h"
#include "train/trainer.h"

struct bench {
    struct net net;
    double *w, *r;
    struct trainer *t;
    int n, last;
};

static double loss(struct bench *b, uint64_t seed)
{
    size_t count = (size_t)b->n * shape_count(b->net.layer[b->last].shape);
    trainer_forward(b->t, b->n, true, seed);
    const double *y = trainer_act(b->t, b->last);
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += y[i] * b->r[i];
    return sum;
}

/* Moving bn statistics would change the loss between two evaluations; put them back. */
static double loss_again(struct bench *b, const double *w)
{
    double v = loss(b, 5);
    for (int i = 0; i < b->net.n; i++) {
        for (int k = 0; k < b->net.layer[i].nparam; k++) {
            const struct param *p = &b->net.layer[i].param[k];
            if (!p->trained)
                memcpy(b->w + p->at, w + p->at, p->count * sizeof *w);
        }
    }
    return v;
}

/* Checks all trained layers of a network on n images; frozen names a layer that isn't trained. */
static void check(const char *text, int n, const char *frozen)
{
    struct mien_err e = {{0}};
    struct bench b = {.n = n};
    if (net_parse(&b.net, text, strlen(text), &e) < 0)
        fail_msg("%s", e.msg);
    b.last = b.net.n - 1;
    size_t nw = b.net.nweights, out = (size_t)n * shape_count(b.net.layer[b.last].shape);
    size_t in = (size_t)n * shape_count(b.net.layer[0].shape);
    struct rng rng = {7};
    bool *train = calloc((size_t)b.net.n, sizeof *train);
    double *w = calloc(nw + 1, sizeof *w), *grad = calloc(nw + 1, sizeof *grad);
    b.w = calloc(nw + 1, sizeof *b.w);
    b.r = calloc(out, sizeof *b.r);
    for (size_t i = 0; i < nw; i++)
        w[i] = 0.5 * rng_normal(&rng);
    for (int i = 0; i < b.net.n; i++) {
        struct layer *l = &b.net.layer[i];
        train[i] = frozen == NULL || strcmp(l->name, frozen) != 0;
        for (size_t k = 0; l->type == L_BN && k < l->param[3].count; k++)
            w[l->param[3].at + k] = 0.5 + rng_uniform(&rng); /* a variance is positive */
    }
    memcpy(b.w, w, nw * sizeof *w);
    for (size_t i = 0; i < out; i++)
        b.r[i] = rng_normal(&rng);
    struct par *par = par_new(1, &e);
    b.t = trainer_new(&b.net, b.w, train, (int[]){0}, 1, &b.last, 1, n, TRAIN_FLOAT, par, NULL, &e);
    assert_non_null(b.t);
    for (size_t i = 0; i < in; i++)
        trainer_act(b.t, 0)[i] = rng_normal(&rng);

    loss_again(&b, w);
    memcpy(trainer_dact(b.t, b.last), b.r, out * sizeof *b.r);
    trainer_backward(b.t, n);
    memcpy(grad, trainer_grad(b.t), nw * sizeof *grad);
    for (int i = 0; i < b.net.n; i++) {
        const struct layer *l = &b.net.layer[i];
        for (int k = 0; k < l->nparam; k++) {
            const struct param *p = &l->param[k];
            double worst = 0, scale = 1e-3;
            for (size_t j = 0; j < p->count; j++)
                scale = fmax(scale, fabs(grad[p->at + j]));
            for (size_t j = 0; j < p->count; j++) {
                double *v = &b.w[p->at + j], old = *v, h = 1e-5;
                if (!train[i] || !p->trained) {
                    assert_true(grad[p->at + j] == 0);
                    continue;
                }
                *v = old + h;
                double up = loss_again(&b, w);
                *v = old - h;
                double down = loss_again(&b, w);
                *v = old;
                double off = fabs((up - down) / (2 * h) - grad[p->at + j]) / scale;
                worst = off <= worst || isnan(worst) ? worst : off;
            }
            if (!(worst <= 1e-5))
                fail_msg("%s.%s is off by %g in:\n%s", l->name, p->name, worst, text);
        }
    }
    trainer_free(b.t);
    par_free(par);
    net_free(&b.net);
    free(train);
    free(w);
    free(grad);
    free(b.w);
    free(b.r);
}

static void convolutions(void **state)
{
    (void)state;
    check("input 5x7x3\na conv 4 1x1\nb conv 5 3x3 pad=same\n", 3, NULL);
    check("input 6x5x3\na conv 4 1x1\nb conv 6 3x2 stride=2x3 pad=same groups=2\n", 2, NULL);
    check("input 7x7x2\na conv 3 1x1\nb conv 4 2x2 stride=3 pad=valid bias=no\n", 1, NULL);
    check("input 4x4x2\na conv 3 1x1\nb conv 4 3x3 stride=2 pad=1,0,2,1\n", 2, NULL);
    check("input 1x1x3\na conv 4 1x1\nb conv 2 3x3 pad=same\n", 1, NULL);
    check("input 3x3x5\na conv 17 1x1\nb conv 19 1x1\n", 17, NULL);
}

static void dilations(void **state)
{
    (void)state;
    check("input 7x7x2\na conv 4 1x1\nb conv 4 3x3 dilation=2 pad=2 groups=2\n", 2, NULL);
    check("input 7x7x2\na conv 3 1x1\nb conv 4 3x2 dilation=1x3 stride=2 pad=1,0,2,1\n", 2, NULL);
    check("input 7x7x2\na conv 17 1x1\nb dwconv 3x3 dilation=2 pad=2\n", 2, NULL);
}

static void transposed(void **state)
{
    (void)state;
    check("input 3x4x2\na conv 4 1x1\nb tconv 6 3x3 stride=2 pad=1 groups=2 outpad=1,0\nr relu\n"
          "d dense 2\n",
          3, NULL);
    check("input 3x4x2\na conv 3 1x1\nb tconv 2 2x3 dilation=2 bias=no\n", 3, NULL);
}

/* Fused runs, more images than they have parts, with a second reader of an output and a frozen
   layer among them. */
static void fused_runs(void **state)
{
    (void)state;
    const char *text =
        "input 6x6x2\na conv 3 1x1\na_relu relu6\nb dwconv 3x3 pad=same\nb_relu relu\n"
        "c conv 4 1x1\np maxpool 2x2 stride=2\nd conv 4 3x3 pad=same from=p\n"
        "s add from=p,d\nf conv 3 1x1\nf_slope prelu\ng dense 2\n";
    check(text, 19, NULL);
    check(text, 19, "c");
    check(text, 1, "a");
}

static void depthwise(void **state)
{
    (void)state;
    check("input 5x6x3\na conv 3 1x1\nb dwconv 3x3 pad=same\n", 2, NULL);
    check("input 6x5x3\na conv 19 1x1\nb dwconv 3x3 stride=2 pad=same\n", 2, NULL);
    check("input 5x5x2\na conv 16 1x1\nb dwconv 3x3 pad=valid bias=no\n", 1, NULL);
    check("input 7x6x2\na conv 5 1x1\nb dwconv 5x2 stride=3 pad=same\n", 2, NULL);
    check("input 1x1x2\na conv 20 1x1\nb dwconv 3x3 pad=same\n", 1, NULL);
}

static void dense_and_activations(void **state)
{
    (void)state;
    check("input 2x3x2\na dense 7\nb dense 5 bias=no\n", 3, NULL);
    check("input 2x3x2\na dense 7\nb coral 5\n", 3, NULL);
    check("input 2x3x2\na conv 3 1x1\nb coral 1\n", 1, NULL);
    check("input 1x1x6\na dense 9\nr relu\nb dense 4\n", 5, NULL);
    check("input 1x1x6\na dense 9\nr relu6\nb dense 4\n", 5, NULL);
    check("input 2x2x3\na conv 9 1x1\nr prelu\nb dense 4\n", 5, NULL);
    check("input 1x1x6\na dense 9\nr sigmoid\nb dense 4\n", 2, NULL);
    check("input 1x1x6\na dense 9\nr softmax\nb dense 4\n", 2, NULL);
    check("input 1x1x6\na dense 9\nr l2norm\nb dense 4\n", 2, NULL);
    check("input 1x1x6\na dense 9\nr dropout 0.4\nb dense 4\n", 4, NULL);
    check("input 2x3x3\na conv 4 1x1\nf flatten\nb dense 4\n", 2, NULL);
}

static void functions(void **state)
{
    (void)state;
    static const char *const words[] = {
        "tanh",
        "hswish",
        "swish",
        "gelu",
        "softplus",
        "softsign",
        "mish",
        "exp",
        "abs",
        "neg",
        "erf",
        "sin",
        "cos",
        "atan",
        "sinh",
        "cosh",
        "asinh",
        "leaky",
        "elu",
        "selu",
        "celu alpha=0.7",
        "clip -0.5,0.7",
        "hsigmoid",
        "threshold alpha=0.3",
        "shrink beta=0.1",
        "sign",
        "floor",
        "ceil",
        "round",
    };
    static const char *const part[][2] = {
        {"hsigmoid alpha=0.1", "log"},        {"hsigmoid alpha=0.1", "sqrt"},
        {"hsigmoid alpha=0.1", "reciprocal"}, {"hsigmoid alpha=0.1", "tan"},
        {"hsigmoid alpha=0.1", "asin"},       {"hsigmoid alpha=0.1", "acos"},
        {"hsigmoid alpha=0.1", "atanh"},      {"cosh", "acosh"},
    };
    char text[200];
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        snprintf(text, sizeof text, "input 1x1x6\na dense 9\nr %s\nb dense 4\n", words[i]);
        check(text, 3, NULL);
    }
    check("input 4x4x2\na conv 3 1x1\nr swish\nb dwconv 3x3 pad=same\ns tanh\nc dense 2\n", 19,
          NULL);
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++) {
        snprintf(text, sizeof text, "input 1x1x6\na dense 9\np %s\nr %s\nb dense 4\n", part[i][0],
                 part[i][1]);
        check(text, 3, NULL);
    }
}

static void arithmetic(void **state)
{
    (void)state;
    static const char *const op[] = {"add", "sub", "mul", "div", "min", "max", "pow"};
    static const char *const value[] = {"1x1x1", "1x1x3", "4x1x1", "4x3x3"};
    char text[300];
    for (size_t i = 0; i < sizeof op / sizeof op[0]; i++) {
        snprintf(text, sizeof text,
                 "input 4x3x2\na conv 3 1x1\nap softplus\nb conv 3 1x1 from=input\nbp softplus\n"
                 "g gap\nu %1$s from=ap,bp\nv %1$s from=u,g\nw %1$s from=g,v\nd dense 2\n",
                 op[i]);
        check(text, 2, NULL);
        for (size_t k = 0; k < sizeof value / sizeof value[0]; k++) {
            snprintf(text, sizeof text,
                     "input 4x3x2\na conv 3 1x1\nap softplus\nb %s value=%s\nd dense 2\n", op[i],
                     value[k]);
            check(text, 2, NULL);
            snprintf(text, sizeof text,
                     "input 4x3x2\na conv 3 1x1\nap softplus\nb %s value=%s swap=yes\nd dense 2\n",
                     op[i], value[k]);
            if (strcmp(op[i], "add") != 0 && strcmp(op[i], "pow") != 0)
                check(text, 2, NULL);
        }
    }
    check("input 1x1x4\na dense 3\nb mul from=a,a\nc add value=1x1x3\nd add from=b,c,a\n", 2, NULL);
    check("input 1x1x1\na add value=1x1x1\nb mul value=3x2x2\n", 2, NULL);
}

static void normalization(void **state)
{
    (void)state;
    check("input 3x4x2\na conv 5 1x1\nn bn\nr relu\nb dense 3\n", 4, NULL);
    check("input 3x4x2\na conv 5 1x1\nn bn eps=0.1\nb dense 3\n", 1, NULL);
    check("input 3x4x2\na conv 5 1x1\nn bn\nb dense 3\n", 3, "n"); /* fixed statistics */
}

static void pooling(void **state)
{
    (void)state;
    check("input 5x5x2\na conv 3 1x1\np maxpool 2x2 stride=2\nb dense 3\n", 2, NULL);
    /* A relu elsewhere than behind the layer that it reads. */
    check("input 6x6x2\na conv 3 3x3 pad=same\nb conv 3 1x1 from=input\nr relu from=a\n"
          "c add from=r,b\nd dense 2\n",
          3, NULL);
    check("input 5x6x2\na conv 3 1x1\np maxpool 3x3 stride=2 pad=same\nb dense 3\n", 2, NULL);
    check("input 5x6x2\na conv 3 1x1\np avgpool 3x2 stride=2 pad=same\nb dense 3\n", 2, NULL);
    check("input 5x6x2\na conv 3 1x1\np gap\nb dense 3\n", 2, NULL);
    check("input 4x4x2\na conv 3 1x1\np avgpool 2x2 stride=3\nb dense 3\n", 1, NULL);
    check("input 6x5x2\na conv 3 1x1\np avgpool 3x3 stride=2 pad=1 ceil=yes count=yes\nb dense 3\n",
          2, NULL);
    check("input 6x5x2\na conv 3 1x1\np maxpool 2x3 stride=3 dilation=2x1 pad=1 ceil=yes\nb dense "
          "3\n",
          2, NULL);
}

static void over_axes(void **state)
{
    (void)state;
    static const char *const axes[] = {"h", "c", "hw", "wc", "hwc"};
    static const char *const kind[] = {"mean", "sum", "max",   "min",    "prod",
                                       "l1",   "l2",  "sumsq", "logsum", "logsumexp"};
    static const char *const norm[] = {"softmax axes=", "logsoftmax axes=", "l2norm axes="};
    char text[300];
    for (size_t i = 0; i < sizeof axes / sizeof axes[0]; i++) {
        for (size_t k = 0; k < sizeof kind / sizeof kind[0]; k++) {
            snprintf(text, sizeof text,
                     "input 3x4x2\na conv 3 1x1\nap softplus\nb reduce %s %s\nc dense 2\n", kind[k],
                     axes[i]);
            check(text, 2, NULL);
        }
        for (size_t k = 0; k < 3; k++) {
            snprintf(text, sizeof text, "input 3x4x2\na conv 3 1x1\nb %s%s\nc dense 2\n", norm[k],
                     axes[i]);
            check(text, 2, NULL);
        }
        snprintf(text, sizeof text, "input 3x4x2\na conv 3 1x1\nb norm %s\nc dense 2\n", axes[i]);
        check(text, 2, NULL);
        check(text, 2, "b");
        snprintf(text, sizeof text,
                 "input 3x4x2\na conv 3 1x1\nb norm %s affine=no eps=0.1\nc dense 2\n", axes[i]);
        check(text, 2, NULL);
    }
    check("input 3x4x2\na conv 6 1x1\nb norm hwc groups=3\nc dense 2\n", 2, NULL);
    check("input 3x4x2\na conv 6 1x1\nb lrn 3 alpha=0.5 beta=0.6 k=2\nc dense 2\n", 2, NULL);
}

static void resizes(void **state)
{
    (void)state;
    check("input 3x4x2\na conv 3 1x1\nb resize 6x7\nc dense 2\n", 2, NULL);
    check("input 3x4x2\na conv 3 1x1\nb resize 5x2 mode=linear coords=corners\nc dense 2\n", 2,
          NULL);
    check("input 3x4x2\na conv 3 1x1\nb resize 5x7 mode=cubic\nc dense 2\n", 2, NULL);
}

static void matrix_products(void **state)
{
    (void)state;
    const char *const option[] = {"", " ta=yes tb=yes"};
    char text[200];
    for (int i = 0; i < 2; i++) {
        snprintf(text, sizeof text,
                 "input 3x4x2\na conv 4 1x1\nb conv 4 1x1 from=input\nc matmul from=a,b%s\n"
                 "d dense 2\n",
                 option[i]);
        check(text, 2, NULL);
        snprintf(text, sizeof text,
                 "input 3x4x2\na conv 4 1x1\nb slice 1x4x4\nc matmul from=a,b%s\n"
                 "d matmul from=b,c\ne dense 2\n",
                 option[i]);
        check(text, 2, NULL);
    }
}

static void movements(void **state)
{
    (void)state;
    check("input 3x4x2\na conv 6 1x1\nb reshape 2x12x3\nc conv 2 1x1\n", 2, NULL);
    check("input 3x4x2\na conv 6 1x1\nb permute 3x4x6 view=12x2x3 order=0,2,1\nc dense 2\n", 2,
          NULL);
    check("input 3x4x2\na conv 8 1x1\nb permute 6x8x2 view=3x4x2x2x2 order=0,2,1,3,4\nc dense 2\n",
          2, NULL);
    check("input 5x4x2\na conv 5 1x1\nb slice 2x2x3 at=1,3,4 step=3,-2,-2\nc dense 2\n", 2, NULL);
    check("input 3x4x2\na conv 3 1x1\nb conv 3 1x1 from=input\nc concat from=a,b,a axis=h\nd dense "
          "2\n",
          2, NULL);
    check("input 3x4x2\na conv 3 1x1\nb conv 3 1x1 from=input\nc concat from=a,b,a axis=w\nd dense "
          "2\n",
          2, NULL);
    check("input 3x4x2\na conv 3 1x1\nb pad 1,2,1,0 value=2 channels=1,0\nd dense 2\n", 2, NULL);
    check("input 3x4x2\na conv 3 1x1\nb pad 1,2,1,0 mode=edge channels=1,0\nd dense 2\n", 2, NULL);
    check("input 3x4x2\na conv 3 1x1\nb pad 1,2,1,0 mode=reflect channels=1,0\nd dense 2\n", 2,
          NULL);
    check("input 3x4x2\na conv 3 1x1\nb pad 1,2,1,0 mode=wrap channels=1,0\nd dense 2\n", 2, NULL);
}

static void joins(void **state)
{
    (void)state;
    check("input 4x4x2\na conv 3 1x1\nb conv 3 3x3 pad=same\nc add from=a,b\nd dense 2\n", 2, NULL);
    check("input 4x4x2\na conv 3 1x1\nb conv 2 3x3 pad=same\nc concat from=b,a\nd dense 2\n", 2,
          NULL);
    check("input 4x4x2\na conv 3 1x1\np pad 1,0,2,1 channels=1,2\nb conv 2 2x2\n", 2, NULL);
    check("input 1x1x4\na dense 3\nb add from=a,a\nc add from=b,a,b\n", 2, NULL);
}

static void whole_networks(void **state)
{
    (void)state;
    check(
        "input 8x8x3\nc1 conv 8 3x3 stride=2 pad=same bias=no\nb1 bn\nr1 relu6\n"
        "d1 dwconv 3x3 pad=same bias=no\nb2 bn\nr2 relu6\np1 conv 12 1x1 bias=no\nb3 bn\nr3 relu6\n"
        "d2 dwconv 3x3 stride=2 pad=same bias=no\nb4 bn\nr4 relu6\np2 conv 16 1x1 bias=no\nb5 bn\n"
        "r5 relu6\ng gap\nage dense 7\ns softmax\n",
        4, NULL);
    check("input 9x9x2\nc1 conv 6 3x3 stride=2 pad=1 bias=no\nb1 bn\nr1 relu\nm maxpool 3x3 "
          "stride=2 pad=1\n"
          "c2 conv 6 3x3 pad=1 bias=no\nb2 bn\nr2 relu\nc3 conv 6 3x3 pad=1 bias=no\nb3 bn\n"
          "a1 add from=b3,m\nr3 relu\nc4 conv 8 3x3 stride=2 pad=1\nb4 bn\nr4 relu\nc5 conv 8 3x3 "
          "pad=1\n"
          "b5 bn\nk conv 8 1x1 stride=2 from=r3\nb6 bn\na2 add from=b5,b6\nr5 relu\ng gap\nf dense "
          "5\n",
          3, NULL);
}

/* --- Models --------------------------------------------------------------------------------- */

/* The derivative along d, of `count` weights from `at` on, by a central difference. */
static double along(struct bench *b, const double *w, size_t at, size_t count, const double *d,
                    double h)
{
    double side[2];
    for (int k = 0; k < 2; k++) {
        for (size_t j = 0; j < count; j++)
            b->w[at + j] = w[at + j] + (k == 0 ? h : -h) * d[j];
        side[k] = loss_again(b, w);
    }
    memcpy(b->w + at, w + at, count * sizeof *w);
    return (side[0] - side[1]) / (2 * h);
}

/* A direction of length 1: half of it that of g, half of it random. */
static void direction(struct rng *rng, const double *g, size_t count, double *d)
{
    double norm[2] = {0, 0}, sum = 0;
    for (size_t j = 0; j < count; j++) {
        d[j] = rng_normal(rng);
        norm[0] += d[j] * d[j];
        norm[1] += g[j] * g[j];
    }
    for (size_t j = 0; j < count; j++) {
        d[j] = d[j] / sqrt(norm[0]) + (norm[1] > 0 ? g[j] / sqrt(norm[1]) : 0);
        sum += d[j] * d[j];
    }
    for (size_t j = 0; j < count; j++)
        d[j] /= sqrt(sum);
}

/* Prints how far off the gradients of a model's parameters are at most, relative to the gradient's
   length. Returns whether that is little. */
static bool check_model(const char *path)
{
    struct mien_err e;
    struct model m = {0};
    struct bench b = {.n = 2};
    struct rng rng = {7};
    if (model_load(&m, path, &e) < 0) {
        fprintf(stderr, "test_grad: %s\n", e.msg);
        return false;
    }
    b.net = m.net;
    b.last = m.net.n - 1;
    size_t nw = m.net.nweights, out = (size_t)b.n * shape_count(m.net.layer[b.last].shape);
    size_t in = (size_t)b.n * shape_count(m.net.layer[0].shape);
    double *w = calloc(nw, sizeof *w), *d = calloc(nw, sizeof *d), worst = 0;
    bool *train = calloc((size_t)m.net.n, sizeof *train);
    b.w = calloc(nw, sizeof *b.w);
    b.r = calloc(out, sizeof *b.r);
    for (size_t i = 0; i < nw; i++)
        w[i] = b.w[i] = (double)m.weights[i];
    for (size_t i = 0; i < out; i++)
        b.r[i] = rng_normal(&rng);
    for (int i = 0; i < m.net.n; i++)
        train[i] = true;
    b.t = trainer_new(&m.net, b.w, train, (int[]){0}, 1, &b.last, 1, b.n, TRAIN_FLOAT, NULL, NULL,
                      &e);
    if (b.t == NULL) {
        fprintf(stderr, "test_grad: %s\n", e.msg);
        return false;
    }
    for (size_t i = 0; i < in; i++)
        trainer_act(b.t, 0)[i] = rng_normal(&rng);
    loss_again(&b, w);
    memcpy(trainer_dact(b.t, b.last), b.r, out * sizeof *b.r);
    trainer_backward(b.t, b.n);
    double *grad = calloc(nw, sizeof *grad);
    memcpy(grad, trainer_grad(b.t), nw * sizeof *grad);
    int params = 0;
    for (int i = 0; i < m.net.n; i++) {
        for (int k = 0; k < m.net.layer[i].nparam; k++) {
            const struct param *p = &m.net.layer[i].param[k];
            const double *g = grad + p->at;
            double length = 0, want = 0;
            if (!p->trained)
                continue;
            direction(&rng, g, p->count, d);
            for (size_t j = 0; j < p->count; j++) {
                length += g[j] * g[j];
                want += g[j] * d[j];
            }
            length = fmax(sqrt(length), 1e-6);
            /* A step may lead across the kink of a rectifier: then a smaller one. */
            double off = 1;
            for (double h = 1e-7; !(off <= 1e-5) && h > 0.9e-9; h /= 10)
                off = fabs(along(&b, w, p->at, p->count, d, h) - want) / length;
            if (!(off <= 1e-4))
                printf("%s: %s.%s is off by %g\n", path, m.net.layer[i].name, p->name, off);
            worst = off <= worst ? worst : off;
            params++;
        }
    }
    printf("%s: %d parameters, largest difference %.1e\n", path, params, worst);
    trainer_free(b.t);
    free(w);
    free(d);
    free(train);
    free(b.w);
    free(b.r);
    free(grad);
    model_free(&m);
    return params > 0 && worst <= 1e-4;
}

int main(int argc, char **argv)
{
    bool good = true;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolutions),  cmocka_unit_test(dilations),
        cmocka_unit_test(transposed),    cmocka_unit_test(fused_runs),
        cmocka_unit_test(depthwise),     cmocka_unit_test(dense_and_activations),
        cmocka_unit_test(functions),     cmocka_unit_test(arithmetic),
        cmocka_unit_test(normalization), cmocka_unit_test(pooling),
        cmocka_unit_test(movements),     cmocka_unit_test(over_axes),
        cmocka_unit_test(resizes),       cmocka_unit_test(matrix_products),
        cmocka_unit_test(joins),         cmocka_unit_test(whole_networks),
    };
    for (int i = 1; i < argc; i++)
        good = check_model(argv[i]) && good;
    return argc > 1 ? !good : cmocka_run_group_tests(tests, NULL, NULL);
}
