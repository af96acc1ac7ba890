/* Ranks that train together have the gradients and outputs of one alone, byte for byte. Threads of this
   process stand for them, so it needs no MPI. */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "train/exchange.h"
#include "train/trainer.h"
#include "train/tree.h"
#include "util/hash.h"

/* --- A carrier between threads -------------------------------------------------------------- */

struct request {
    bool swap;
    unsigned char *data;
    const unsigned char *send;
    const size_t *at, *send_at;
};

/* Where all ranks meet. They test and wait for the same requests in the same order. */
struct meeting {
    pthread_barrier_t barrier;
    struct request *now[RANKS_MOST];
};

/* One rank. */
struct guest {
    struct ranks ranks;
    struct meeting *meeting;
    unsigned tests;
};

static void *start(struct request r)
{
    struct request *q = malloc(sizeof *q);
    assert_non_null(q);
    *q = r;
    return q;
}

static void *gather(struct ranks *r, int lane, void *data, const size_t *at)
{
    (void)r;
    (void)lane;
    return start((struct request){.data = data, .at = at});
}

static void *swap(struct ranks *r, int lane, const void *send, const size_t *send_at, void *receive,
                  const size_t *receive_at)
{
    (void)r;
    (void)lane;
    return start((struct request){
        .swap = true, .data = receive, .at = receive_at, .send = send, .send_at = send_at});
}

static void wait(struct ranks *r, void *request)
{
    struct guest *g = r->state;
    struct request *mine = request, **all = g->meeting->now;
    all[r->rank] = mine;
    pthread_barrier_wait(&g->meeting->barrier);
    for (int q = 0; q < r->size; q++) {
        const struct request *other = all[q];
        size_t bytes = mine->at[q + 1] - mine->at[q];
        if (mine->swap) {
            assert(other->send_at[r->rank + 1] - other->send_at[r->rank] == bytes);
            memcpy(mine->data + mine->at[q], other->send + other->send_at[r->rank], bytes);
        } else if (q != r->rank) {
            assert(other->at[q] == mine->at[q] && other->at[q + 1] == mine->at[q + 1]);
            memcpy(mine->data + mine->at[q], other->data + other->at[q], bytes);
        }
    }
    pthread_barrier_wait(&g->meeting->barrier);
    free(mine);
}

/* Every third one is done. */
static bool test(struct ranks *r, void *request)
{
    struct guest *g = r->state;
    if (++g->tests % 3 != 0)
        return false;
    wait(r, request);
    return true;
}

static const struct ranks_carrier carrier = {gather, swap, test, wait, NULL};

/* --- Training ------------------------------------------------------------------------------- */

/* Layers that are summed by leaves, in blocks and whole, a fused run, bn, an input that two layers read,
   and dropout. */
static const char description[] = "input 12x10x5\n"
                                  "a conv 24 3x3 stride=2 pad=same\n"
                                  "b bn\n"
                                  "c relu6\n"
                                  "d dwconv 3x3 pad=same\n"
                                  "e conv 96 1x1\n"
                                  "f relu\n"
                                  "g conv 96 3x3 pad=same\n"
                                  "h bn\n"
                                  "k conv 700 1x1\n"
                                  "l relu\n"
                                  "n gap\n"
                                  "x dropout 0.3\n"
                                  "o dense 200\n"
                                  "q dense 200 from=x\n"
                                  "s add from=o,q\n"
                                  "p dense 3\n";

struct run {
    const struct net *net;
    enum train_precision precision;
    int n, batch;
    struct guest guest;
    float *w, *grad, out[3 * 128]; /* after a step: the weights, for bn moves some, too */
};

static void *train(void *ctx)
{
    struct run *run = ctx;
    const struct net *net = run->net;
    struct mien_err e;
    struct rng r = {1};
    bool trained[NET_MAX_LAYERS];
    int end = net->n - 1;
    for (int i = 0; i < net->n; i++)
        trained[i] = true;
    for (size_t k = 0; k < net->nweights; k++)
        run->w[k] = fabsf((float)rng_normal(&r)) * 0.1f + (k % 2 ? 0 : -0.1f);
    for (int i = 0; i < net->n; i++) {
        const struct layer *l = &net->layer[i];
        for (size_t k = 0; l->type == L_BN && k < l->param[3].count; k++)
            run->w[l->param[3].at + k] = 1;
    }
    struct trainer *t =
        trainer_new(net, run->w, trained, (int[]){0}, 1, &end, 1, run->batch, run->precision, NULL,
                    run->guest.ranks.size > 1 ? &run->guest.ranks : NULL, &e);
    if (t == NULL)
        return NULL;
    size_t first, own, count = shape_count(net->layer[0].shape);
    trainer_images(t, run->n, &first, &own);
    for (size_t k = 0; k < (size_t)run->n * count; k++) {
        float v = (float)rng_normal(&r);
        if (k / count >= first && k / count < first + own)
            trainer_act(t, 0)[k] = v;
    }
    trainer_forward(t, run->n, true, 1);
    trainer_gather(t, end);
    for (int k = 0; k < run->n * 3; k++)
        trainer_dact(t, end)[k] = run->out[k] = trainer_act(t, end)[k];
    trainer_backward(t, run->n);
    memcpy(run->grad, trainer_grad(t), net->nweights * sizeof(float));
    trainer_free(t);
    return run;
}

/* A step of so many ranks, each in a thread. Returns whether there is such a precision. */
static bool step(struct run *run, int size)
{
    struct meeting meeting;
    pthread_t thread[RANKS_MOST];
    bool can = true;
    pthread_barrier_init(&meeting.barrier, NULL, (unsigned)size);
    for (int q = 0; q < size; q++) {
        run[q].guest = (struct guest){{q, size, &carrier, 0, &run[q].guest}, &meeting, 0};
        assert_int_equal(pthread_create(&thread[q], NULL, train, &run[q]), 0);
    }
    for (int q = 0; q < size; q++) {
        void *result;
        pthread_join(thread[q], &result);
        can = can && result != NULL;
    }
    pthread_barrier_destroy(&meeting.barrier);
    return can;
}

static void compare(enum train_precision precision, int n, int batch)
{
    enum { MOST = 5 };
    struct net net = {0};
    struct mien_err e;
    struct run one, many[MOST];
    if (net_parse(&net, description, strlen(description), &e) < 0)
        fail_msg("%s", e.msg);
    size_t bytes = net.nweights * sizeof(float);
    one = (struct run){.net = &net, .precision = precision, .n = n, .batch = batch};
    one.w = malloc(bytes);
    one.grad = malloc(bytes);
    bool can = step(&one, 1);
    for (int q = 0; q < MOST; q++) {
        many[q] = one;
        many[q].w = malloc(bytes);
        many[q].grad = malloc(bytes);
    }
    for (int size = 2; can && size <= MOST; size++) {
        assert_true(step(many, size));
        for (int q = 0; q < size; q++) {
            assert_memory_equal(many[q].out, one.out, (size_t)n * 3 * sizeof *one.out);
            assert_memory_equal(many[q].w, one.w, bytes);
            assert_memory_equal(many[q].grad, one.grad, bytes);
        }
    }
    for (int q = 0; q < MOST; q++) {
        free(many[q].w);
        free(many[q].grad);
    }
    free(one.w);
    free(one.grad);
    net_free(&net);
}

static void in_float(void **state)
{
    (void)state;
    compare(TRAIN_FLOAT, 33, 33);
}

static void in_bfloat16(void **state)
{
    (void)state;
    compare(TRAIN_BF16, 17, 20);
    compare(TRAIN_BF16, 11, 12); /* g is summed whole, its input and output are bfloat16 */
}

/* Fewer images than ranks, and so many that there are 32 leaves. */
static void of_all_sizes(void **state)
{
    (void)state;
    compare(TRAIN_FLOAT, 3, 8);
    compare(TRAIN_FLOAT, 70, 70);
}

/* --- Memory --------------------------------------------------------------------------------- */

/* Floats of messages for one trained layer. */
static size_t floats_of(const char *text, int batch, int rank, int size)
{
    struct train_memory p;
    struct ranks ranks = {rank, size, &carrier, 0, NULL};
    struct net net = {0};
    struct mien_err e;
    if (net_parse(&net, text, strlen(text), &e) < 0)
        fail_msg("%s", e.msg);
    assert_int_equal(train_memory_make(&p, &net, (bool[]){true, true}, (int[]){0}, 1, (int[]){1}, 1,
                                       batch, 1, false),
                     0);
    size_t bytes = exchange_bytes(&p, &ranks);
    train_memory_free(&p);
    net_free(&net);
    return bytes / sizeof(float);
}

/* A rank's roots go out, and all ranks' roots of its slice come in. The first layer has 32 + 3
   parameters. Of 3 of the 4 images rank 0 has one, and rank 1 two, which make two roots. */
static void messages_take_memory(void **state)
{
    (void)state;
    const char *leaves = "input 1x1x10\nd dense 3\n", *whole = "input 1x1x2000\nd dense 100\n",
               *blocks = "input 1x1x300\nd dense 300\n";
    assert_int_equal(floats_of(leaves, 4, 0, 1), 0);
    assert_int_equal(floats_of(leaves, 4, 0, 2), 35 + 3 * (17 + 1));
    assert_int_equal(floats_of(leaves, 4, 1, 2), 2 * 35 + 3 * (17 + 1));
    assert_int_equal(floats_of(whole, 4, 0, 2), 4 * 100); /* gradients of outputs */
    /* Of 15 leaves, rank 0 has 7, in three roots, and rank 1 has two roots. Rank 0's lie there twice:
       whole, and cut into slices. */
    assert_int_equal(floats_of(blocks, 256, 0, 2), 2 * 3 * 90300 + 5 * (45150 + 1));
}

/* --- The tree ------------------------------------------------------------------------------- */

/* Whatever the ranks, all leaves are joined, each into one sum. */
static void all_roots_join(void **state)
{
    (void)state;
    for (int n = 1; n <= 200; n++) {
        size_t leaves = tree_leaves(n);
        for (size_t size = 1; size <= TREE_LEAVES; size++) {
            struct tree all = {.leaves = leaves};
            for (size_t q = 0; q < size; q++) {
                struct tree own = tree_roots(leaves * q / size, leaves * (q + 1) / size, leaves);
                for (int r = 0; r < own.n; r++) {
                    tree_push(&all, own.node[r].from, own.node[r].to);
                    while (tree_join(&all))
                        ;
                }
            }
            assert_int_equal(all.n, 1);
        }
    }
}

/* The sums that tree.h draws. */
static void the_example(void **state)
{
    (void)state;
    struct tree a = tree_roots(0, 4, 7), b = tree_roots(4, 7, 7), c = tree_roots(1, 6, 7);
    assert_int_equal(a.n, 1);
    assert_int_equal(b.n, 1);
    assert_int_equal(c.n, 3); /* 1, 2-3, 4-5 */
    assert_int_equal(c.node[1].from, 2);
    assert_int_equal(c.node[1].to, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_float),       cmocka_unit_test(in_bfloat16),
        cmocka_unit_test(of_all_sizes),   cmocka_unit_test(messages_take_memory),
        cmocka_unit_test(all_roots_join), cmocka_unit_test(the_example),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
