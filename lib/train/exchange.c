#include "exchange.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "blocks.h"
#include "ranks/ranks.h"
#include "util/aligned.h"

/* A layer's gradient, or a fused run's, on its way. */
struct message {
    int layer;      /* of SUM_WHOLE, else -1 */
    size_t at, len; /* elements of the gradient */
    real *send;     /* (roots, len), slice after slice */
    real *receive;  /* (roots of all ranks, this rank's slice); of SUM_WHOLE: dy of all images */
    size_t send_at[RANKS_MOST + 1], receive_at[RANKS_MOST + 1], result_at[RANKS_MOST + 1];
    void *arriving[2], *result; /* requests */
};

struct exchange {
    struct ranks *ranks;
    int n, arrived; /* messages of this pass, of which so many have arrived and gone on */
    struct message *message;
    real *send, *receive; /* rooms for all of a pass, of which so much is taken */
    size_t sent, received;
    real *roots; /* of a layer that is summed by blocks */
    real *now;   /* (roots of all ranks, len), of exchange_sums_now */
    size_t now_at[RANKS_MOST + 1];
};

/* --- Who has what --------------------------------------------------------------------------- */

static struct tree_node leaves_of(int n, int rank, int size)
{
    size_t leaves = tree_leaves(n);
    return (struct tree_node){leaves * (size_t)rank / (size_t)size,
                              leaves * (size_t)(rank + 1) / (size_t)size};
}

static size_t image_of(int n, size_t leaf)
{
    return (size_t)n * leaf / tree_leaves(n);
}

void trainer_images(const struct trainer *t, int n, size_t *first, size_t *count)
{
    struct tree_node own = leaves_of(n, ranks_rank(t->ranks), ranks_size(t->ranks));
    *first = image_of(n, own.from);
    *count = image_of(n, own.to) - *first;
}

void exchange_share(struct trainer *t)
{
    struct tree_node own = leaves_of(t->n, ranks_rank(t->ranks), ranks_size(t->ranks));
    t->leaves = tree_leaves(t->n);
    t->leaf_from = own.from;
    t->leaf_to = own.to;
    trainer_images(t, t->n, &t->own_first, &t->own);
}

static size_t slice(size_t len, int rank, int size)
{
    return len * (size_t)rank / (size_t)size;
}

static struct tree roots_of(int n, int rank, int size)
{
    struct tree_node own = leaves_of(n, rank, size);
    return tree_roots(own.from, own.to, tree_leaves(n));
}

/* Each rank's images of a layer, in bytes; `each` are an image's. */
static void image_bytes(const struct trainer *t, size_t each, size_t *at)
{
    int size = ranks_size(t->ranks);
    for (int q = 0; q <= size; q++)
        at[q] = image_of(t->n, tree_leaves(t->n) * (size_t)q / (size_t)size) * each;
}

/* --- Sums ----------------------------------------------------------------------------------- */

enum { CHUNK = 16384 };

/* The sums of all ranks' roots, of one slice, that are to be joined. */
struct joining {
    const struct trainer *t;
    real *of[TREE_LEAVES]; /* the one that begins with a leaf */
    struct tree roots[RANKS_MOST];
    size_t len;
};

static void join_chunk(void *ctx, int worker, size_t i)
{
    const struct joining *j = ctx;
    struct tree tree = {.leaves = j->t->leaves};
    size_t at = i * CHUNK, left = j->len - at, count = left < CHUNK ? left : CHUNK;
    (void)worker;
    for (int q = 0; q < ranks_size(j->t->ranks); q++) {
        for (int r = 0; r < j->roots[q].n; r++) {
            tree_push(&tree, j->roots[q].node[r].from, j->roots[q].node[r].to);
            while (tree_join(&tree))
                k_add(j->of[tree.node[tree.n - 1].from] + at, j->of[tree.node[tree.n].from] + at,
                      count);
        }
    }
}

/* Joins what lies rank after rank, root after root, in data. Returns the batch's sum. */
static real *join_roots(struct trainer *t, real *data, size_t len)
{
    struct joining j = {.t = t, .len = len};
    for (int q = 0; q < ranks_size(t->ranks); q++) {
        j.roots[q] = roots_of(t->n, q, ranks_size(t->ranks));
        for (int r = 0; r < j.roots[q].n; r++, data += len)
            j.of[j.roots[q].node[r].from] = data;
    }
    par_for(t->par, (len + CHUNK - 1) / CHUNK, join_chunk, &j);
    return j.of[0];
}

const real *exchange_sums_now(struct trainer *t, size_t len)
{
    struct exchange *x = t->exchange;
    int size = ranks_size(x->ranks), me = ranks_rank(x->ranks);
    x->now_at[0] = 0;
    for (int q = 0; q < size; q++)
        x->now_at[q + 1] = x->now_at[q] + (size_t)roots_of(t->n, q, size).n * len * sizeof(real);
    struct tree own = pass_roots(t);
    for (int r = 0; r < own.n; r++)
        memcpy(x->now + x->now_at[me] / sizeof(real) + (size_t)r * len, pass_root(t, &own.node[r]),
               len * sizeof(real));
    ranks_gather(x->ranks, x->now, x->now_at);
    return join_roots(t, x->now, len);
}

real *exchange_roots(struct trainer *t, size_t len, int root)
{
    return t->exchange->roots + (size_t)root * len;
}

/* --- Messages ------------------------------------------------------------------------------- */

void exchange_begin(struct trainer *t)
{
    struct exchange *x = t->exchange;
    if (x == NULL)
        return;
    x->n = x->arrived = 0;
    x->sent = x->received = 0;
    for (int i = 0; i < t->net->n; i++)
        t->state[i].all = false;
}

void exchange_sums(struct trainer *t, const real *const *root, size_t at, size_t len)
{
    struct exchange *x = t->exchange;
    struct message *m = &x->message[x->n++];
    int size = ranks_size(x->ranks), me = ranks_rank(x->ranks), roots = pass_roots(t).n;
    size_t mine = slice(len, me + 1, size) - slice(len, me, size);
    *m = (struct message){
        .layer = -1, .at = at, .len = len, .send = x->send + x->sent, .receive = x->receive};
    m->receive += x->received;
    for (int q = 0; q < size; q++) {
        size_t from = slice(len, q, size), count = slice(len, q + 1, size) - from;
        real *to = m->send + (size_t)roots * from;
        for (int r = 0; r < roots; r++)
            memcpy(to + (size_t)r * count, root[r] + from, count * sizeof *to);
        m->send_at[q + 1] = (size_t)roots * (from + count) * sizeof(real);
        m->receive_at[q + 1] =
            m->receive_at[q] + (size_t)roots_of(t->n, q, size).n * mine * sizeof(real);
        m->result_at[q + 1] = (from + count) * sizeof(real);
    }
    x->sent += (size_t)roots * len;
    x->received += m->receive_at[size] / sizeof(real);
    m->arriving[0] =
        ranks_start_swap(x->ranks, RANKS_SUMS, m->send, m->send_at, m->receive, m->receive_at);
}

void exchange_images(struct trainer *t)
{
    struct exchange *x = t->exchange;
    struct message *m = &x->message[x->n++];
    const struct images v = pass_images(t, t->cur, t->own_first, t->own, 0);
    int in = v.l->in[0];
    *m = (struct message){.layer = t->cur, .at = v.l->param[0].at};
    m->receive = x->receive + x->received;
    const struct reals dy = t->state[t->cur].dact, all = reals_like(dy, m->receive);
    memcpy(reals_at(reals_from(all, t->own_first * v.count)),
           reals_at(reals_from(dy, t->own_first * v.count)), t->own * v.count * reals_size(dy));
    x->received += (size_t)t->n * v.count;
    image_bytes(t, v.count * reals_size(dy), m->receive_at);
    m->arriving[0] = ranks_start_gather(x->ranks, RANKS_SUMS, m->receive, m->receive_at);
    if (!t->state[in].all) {
        const struct reals act = t->state[in].act;
        image_bytes(t, v.icount * reals_size(act), m->send_at);
        m->arriving[1] = ranks_start_gather(x->ranks, RANKS_SUMS, reals_at(act), m->send_at);
        t->state[in].all = true;
    }
}

/* Of what has arrived, makes this rank's part of the gradient, and sends it to all. */
static void go_on(struct trainer *t, struct message *m)
{
    struct exchange *x = t->exchange;
    int size = ranks_size(x->ranks), me = ranks_rank(x->ranks);
    if (m->layer < 0) {
        size_t from = slice(m->len, me, size), count = slice(m->len, me + 1, size) - from;
        memcpy(t->grad + m->at + from, join_roots(t, m->receive, count), count * sizeof *t->grad);
    } else {
        const struct layer *l = &t->net->layer[m->layer];
        size_t down = train_weight_blocks(l).down;
        for (int q = 0; q <= size; q++)
            m->result_at[q] =
                blocks_row(t, m->layer, slice(down, q, size)) * (size_t)l->units * sizeof(real);
        blocks_whole(t, m->layer, reals_like(t->state[m->layer].dact, m->receive),
                     slice(down, me, size), slice(down, me + 1, size));
    }
    m->result = ranks_start_gather(x->ranks, RANKS_RESULTS, t->grad + m->at, m->result_at);
}

static bool has_arrived(struct exchange *x, struct message *m)
{
    for (int k = 0; k < 2; k++) {
        if (!ranks_test(x->ranks, m->arriving[k]))
            return false;
        m->arriving[k] = NULL;
    }
    return true;
}

void exchange_progress(struct trainer *t)
{
    struct exchange *x = t->exchange;
    if (x == NULL)
        return;
    for (; x->arrived < x->n && has_arrived(x, &x->message[x->arrived]); x->arrived++)
        go_on(t, &x->message[x->arrived]);
    for (int k = 0; k < x->arrived; k++) {
        if (ranks_test(x->ranks, x->message[k].result))
            x->message[k].result = NULL;
    }
}

void exchange_finish(struct trainer *t)
{
    struct exchange *x = t->exchange;
    if (x == NULL)
        return;
    for (; x->arrived < x->n; x->arrived++) {
        struct message *m = &x->message[x->arrived];
        ranks_wait(x->ranks, m->arriving[0]);
        ranks_wait(x->ranks, m->arriving[1]);
        go_on(t, m);
    }
    for (int k = 0; k < x->n; k++)
        ranks_wait(x->ranks, x->message[k].result);
}

void trainer_gather(struct trainer *t, int i)
{
    size_t at[RANKS_MOST + 1];
    if (t->exchange == NULL || i < 0)
        return;
    const struct reals act = t->state[i].act;
    image_bytes(t, shape_count(t->net->layer[i].shape) * reals_size(act), at);
    ranks_gather(t->ranks, reals_at(act), at);
}

/* --- Memory --------------------------------------------------------------------------------- */

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Roots of this rank, and of all together, at most, of all batches. */
static void most_roots(int batch, const struct ranks *ranks, size_t *own, size_t *all)
{
    int size = ranks_size(ranks);
    *own = *all = 0;
    for (int n = 1; n <= batch; n++) {
        size_t sum = 0;
        for (int q = 0; q < size; q++)
            sum += (size_t)roots_of(n, q, size).n;
        *all = larger(*all, sum);
        *own = larger(*own, (size_t)roots_of(n, ranks_rank(ranks), size).n);
    }
}

/* Elements of the rooms. */
struct rooms {
    size_t send, receive, roots, now, longest;
};

static void add_sums(struct rooms *r, size_t len, size_t own, size_t all, int size)
{
    r->send += own * len;
    r->receive += all * (len / (size_t)size + 1);
    r->longest = larger(r->longest, larger(own * len, all * (len / (size_t)size + 1)));
}

static struct rooms count_rooms(const struct train_memory *p, const struct ranks *ranks)
{
    struct rooms r = {0};
    size_t own, all;
    int size = ranks_size(ranks);
    most_roots(p->batch, ranks, &own, &all);
    for (int i = 0; i < p->net->n; i++) {
        const struct layer *l = &p->net->layer[i];
        if (p->use[i].role != COMPUTED || p->use[i].run >= 0)
            continue;
        size_t len = train_params_span(l), dy = (size_t)p->batch * shape_count(l->shape);
        struct shape in = p->net->layer[l->in[0]].shape;
        if (l->type == L_BN)
            r.now = larger(r.now, 2 * all * (size_t)l->shape.c);
        else if (p->use[i].train && train_sum_of(l, in, p->batch) == SUM_WHOLE)
            r.receive += dy;
        else if (p->use[i].train)
            add_sums(&r, len, own, all, size);
        if (p->use[i].train && train_sum_of(l, in, p->batch) == SUM_BLOCKS)
            r.roots = larger(r.roots, own * len);
        r.longest = larger(r.longest, p->use[i].train ? larger(dy, len) : 0);
    }
    for (const struct fused_run *run = p->run; run < p->run + p->runs; run++)
        add_sums(&r, run->span, own, all, size);
    return r;
}

size_t exchange_bytes(const struct train_memory *p, const struct ranks *ranks)
{
    if (ranks_size(ranks) == 1)
        return 0;
    struct rooms r = count_rooms(p, ranks);
    return (r.send + r.receive + r.roots + r.now) * sizeof(real);
}

int exchange_make(struct trainer *t, struct mien_err *e)
{
    if (ranks_size(t->ranks) == 1)
        return 0;
    struct exchange *x = calloc(1, sizeof *x);
    struct rooms r = count_rooms(&t->memory, t->ranks);
    t->exchange = x;
    if (r.longest > INT_MAX / sizeof(real))
        return mien_err_set(e, MIEN_ERR_LIMIT, "a layer is too large for several processes");
    if (x == NULL)
        return mien_err_mem(e, sizeof *x, "messages");
    x->ranks = t->ranks;
    x->message = calloc((size_t)t->net->n, sizeof *x->message);
    x->send = aligned_new(r.send, sizeof *x->send);
    x->receive = aligned_new(r.receive, sizeof *x->receive);
    x->roots = aligned_new(r.roots, sizeof *x->roots);
    x->now = aligned_new(r.now, sizeof *x->now);
    return x->message != NULL && x->send != NULL && x->receive != NULL && x->roots != NULL &&
                   x->now != NULL
               ? 0
               : mien_err_mem(e, exchange_bytes(&t->memory, t->ranks), "messages");
}

void exchange_free(struct exchange *x)
{
    if (x == NULL)
        return;
    free(x->message);
    free(x->send);
    free(x->receive);
    free(x->roots);
    free(x->now);
    free(x);
}
