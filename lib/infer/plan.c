/* Room for a compiled network's values, and running it. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net/table.h"
#include "op.h"
#include "util/aligned.h"

struct plan_work {
    float *mem;
    size_t bytes; /* of mem */
    void *scratch;
    float *zeros;
    double *seconds; /* the caller's, a step each, or NULL */
};

/* --- Memory --------------------------------------------------------------------------------- */

static void make_segments(struct plan *p)
{
    for (int i = 0; i < p->nstep; i++) {
        int g = plan_group(p, &p->step[i]);
        if (p->nseg == 0 || p->seg[p->nseg - 1].group != g)
            p->seg[p->nseg++] = (struct segment){i, i, g};
        p->seg[p->nseg - 1].end = i + 1;
    }
}

static int segment_of(const struct plan *p, int step)
{
    int s = 0;
    while (p->seg[s].end <= step)
        s++;
    return s;
}

/* The steps while which a value is there, and its place: floats [at, at + size). */
struct life {
    int from, to;
    size_t at, size;
};

/* From the step that makes a value to the last one that reads it. Values are numbered in the order
   in which they are made. */
static void find_lives(const struct plan *p, struct life *life)
{
    for (int i = 0; i < p->nstep; i++) {
        const struct step *s = &p->step[i];
        assert(s->out == i); /* a step makes one value */
        life[s->out].from = life[s->out].to = i;
        for (int k = 0; k < s->nin; k++) {
            assert(s->in[k] < s->out);
            life[s->in[k]].to = i;
        }
    }
}

static bool is_output(const struct plan *p, int v)
{
    for (int k = 0; k < p->nout; k++) {
        if (p->out[k] == v)
            return true;
    }
    return false;
}

/* A local value has room for a group of images. One that a later segment reads, or the caller, has
   room for the batch, and lives while other groups of its segments run; an output to the end. */
static void make_room(struct plan *p, int v, struct life *a)
{
    bool output = is_output(p, v);
    int born = segment_of(p, a->from), dies = segment_of(p, output ? p->nstep - 1 : a->to);
    int images = p->seg[born].group;
    p->value[v].batch = output || born != dies;
    if (p->value[v].batch) {
        images = p->batch;
        a->from = p->seg[born].first;
        a->to = p->seg[dies].end - 1;
    }
    a->size = (plan_floats(&p->value[v], (size_t)images) + 15) & ~(size_t)15;
}

/* The first place where value v meets none of those before it that live at the same time. */
static size_t first_fit(const struct life *life, int v)
{
    const struct life *a = &life[v];
    size_t at = 0;
    for (bool moved = true; moved;) {
        moved = false;
        for (const struct life *b = life; b < a; b++) {
            bool together = b->to >= a->from && b->from <= a->to;
            if (together && b->at < at + a->size && at < b->at + b->size) {
                at = b->at + b->size;
                moved = true;
            }
        }
    }
    return at;
}

/* Cuts the steps into segments and gives every value its place, in order of birth. */
static int lay_out(struct plan *p, struct mien_err *e)
{
    struct life *life = calloc((size_t)p->nvalue, sizeof *life);
    if (life == NULL)
        return mien_err_mem(e, (size_t)p->nvalue * sizeof *life, "a plan");
    p->nseg = 0;
    p->floats = 0;
    make_segments(p);
    find_lives(p, life);
    for (int v = 0; v < p->nvalue; v++) {
        struct life *a = &life[v];
        make_room(p, v, a);
        p->value[v].at = a->at = first_fit(life, v);
        if (a->at + a->size > p->floats)
            p->floats = a->at + a->size;
    }
    free(life);
    return 0;
}

/* --- Making and freeing --------------------------------------------------------------------- */

/* What multiplies in bfloat16, or NULL with a message. */
static const struct gemm *choose_bf16(const struct simd *simd, struct mien_err *e)
{
    const struct gemm *g = gemm_choose(simd, true);
    if (g != NULL && g->pairs)
        return g;
    mien_err_set(e, MIEN_ERR_ARG, "bf16 needs AVX512_BF16, which this processor lacks");
    return NULL;
}

int plan_check(enum precision precision, struct mien_err *e)
{
    const struct simd *simd = simd_choose(e);
    return simd != NULL && (precision != PRECISION_BF16 || choose_bf16(simd, e) != NULL)
               ? 0
               : MIEN_ERR_ARG;
}

struct plan *plan_new(const struct model *m, const int *out, int nout, int batch,
                      enum precision precision, struct mien_err *e)
{
    struct plan *p = calloc(1, sizeof *p);
    if (p == NULL) {
        mien_err_mem(e, sizeof *p, "a plan");
        return NULL;
    }
    p->batch = batch;
    p->simd = simd_choose(e);
    if (p->simd != NULL && precision == PRECISION_INT8)
        p->int8 = int8_choose(p->simd);
    if (p->simd == NULL ||
        (precision == PRECISION_BF16 && (p->bf16 = choose_bf16(p->simd, e)) == NULL) ||
        model_input(m, &p->input, e) < 0 || plan_compile(p, m, out, nout, e) < 0 ||
        lay_out(p, e) < 0) {
        plan_free(p);
        return NULL;
    }
    return p;
}

void plan_free(struct plan *p)
{
    if (p == NULL)
        return;
    arena_free(&p->arena);
    free(p->step);
    free(p->value);
    free(p->seg);
    free(p->out);
    net_free(&p->net);
    free(p);
}

int plan_bound(struct plan *p, size_t bytes, struct mien_err *e)
{
    size_t results = 0;
    for (int k = 0; k < p->nout; k++)
        results += (size_t)p->batch * plan_out_count(p, k) * sizeof(float);
    while (plan_work_bytes(p) + results > bytes) {
        if (p->batch == 1) {
            char need[NET_BYTES_TEXT], most[NET_BYTES_TEXT];
            net_bytes((double)plan_work_bytes(p) + (double)results, need);
            return mien_err_set(e, MIEN_ERR_LIMIT,
                                "the network needs %s of memory, more than the limit of %s", need,
                                net_bytes((double)bytes, most));
        }
        p->batch = (p->batch + 1) / 2;
        int rc = lay_out(p, e);
        if (rc < 0)
            return rc;
    }
    return 0;
}

size_t plan_out_count(const struct plan *p, int k)
{
    return p->value[p->out[k]].count;
}

size_t plan_work_bytes(const struct plan *p)
{
    return (p->floats + p->zeros) * sizeof(float) + p->scratch;
}

int plan_work_refit(struct plan_work *w, const struct plan *p, struct mien_err *e)
{
    size_t bytes = plan_work_bytes(p);
    if (bytes > w->bytes) {
        free(w->mem);
        w->mem = aligned_new(bytes, 1);
        w->bytes = w->mem != NULL ? bytes : 0;
        if (w->mem == NULL)
            return mien_err_mem(e, bytes, "a network's work space");
    }
    assert(w->mem != NULL);
    w->zeros = w->mem + p->floats;
    w->scratch = w->zeros + p->zeros;
    memset(w->zeros, 0, p->zeros * sizeof *w->zeros);
    return 0;
}

struct plan_work *plan_work_new(const struct plan *p, struct mien_err *e)
{
    struct plan_work *w = calloc(1, sizeof *w);
    if (w == NULL)
        mien_err_mem(e, sizeof *w, "a network's work space");
    else if (plan_work_refit(w, p, e) < 0) {
        free(w);
        w = NULL;
    }
    return w;
}

void plan_work_free(struct plan_work *w)
{
    if (w != NULL)
        free(w->mem);
    free(w);
}

/* --- Running -------------------------------------------------------------------------------- */

static void *value_at(const struct plan *p, const struct plan_work *w, int v, int first)
{
    const struct plan_value *value = &p->value[v];
    size_t elements = value->batch ? (size_t)first * value->count : 0;
    char *at = (char *)(w->mem + value->at);
    return at + elements * (value->bf16 ? sizeof(bfloat) : sizeof(float));
}

static void run_input(const struct plan *p, const void *const *in, float *y, int n, size_t count)
{
    const struct model_input *mi = &p->input;
    for (int i = 0; i < n; i++, y += count) {
        if (mi->h > 0)
            k_pixels(in[i], y, count / 3, mi->bgr, mi->mean, mi->scale);
        else
            memcpy(y, in[i], count * sizeof *y);
    }
}

/* Runs one step on images [first, first + n). */
static void run_step(const struct plan *p, struct plan_work *w, const struct step *s,
                     const void *const *in, int first, int n)
{
    const struct layer *l = &p->net.layer[s->layer];
    struct run r = {.p = p, .s = s, .l = l, .y = value_at(p, w, s->out, first), .n = (size_t)n};
    r.count = p->value[s->out].count;
    if (l->type == L_INPUT) {
        run_input(p, in + first, r.y, n, r.count);
        return;
    }
    for (int k = 0; k < s->nin; k++) {
        r.x[k] = value_at(p, w, s->in[k], first);
        assert(r.x[k] != r.y);
    }
    r.in = p->net.layer[l->in[0]].shape;
    r.rows = r.count / (size_t)l->shape.c * r.n;
    r.zeros = w->zeros;
    r.scratch = w->scratch;
    infer_op_of(l->type)->run(&r);
    for (int k = 0; k < s->nafter; k++)
        k_unary(&p->net.layer[s->after[k]], r.y, r.y, r.n * r.count);
}

static double thread_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Runs n images, at most a batch; in the results they are those from `at` on. */
static void run_batch(const struct plan *p, struct plan_work *w, const void *const *in, int n,
                      float *const *out, size_t at)
{
    for (int s = 0; s < p->nseg; s++) {
        const struct segment *seg = &p->seg[s];
        for (int first = 0; first < n; first += seg->group) {
            int count = n - first < seg->group ? n - first : seg->group;
            for (int i = seg->first; i < seg->end; i++) {
                double from = w->seconds != NULL ? thread_seconds() : 0;
                run_step(p, w, &p->step[i], in, first, count);
                if (w->seconds != NULL)
                    w->seconds[i] += thread_seconds() - from;
            }
        }
    }
    for (int k = 0; k < p->nout; k++)
        memcpy(out[k] + at * plan_out_count(p, k), value_at(p, w, p->out[k], 0),
               (size_t)n * plan_out_count(p, k) * sizeof(float));
}

void plan_run(const struct plan *p, struct plan_work *w, const void *const *in, int n,
              float *const *out)
{
    assert(w->bytes >= plan_work_bytes(p));
    for (int at = 0; at < n; at += p->batch)
        run_batch(p, w, in + at, n - at < p->batch ? n - at : p->batch, out, (size_t)at);
}

const char *plan_simd(const struct plan *p)
{
    return p->int8 != NULL ? p->int8->name : p->bf16 != NULL ? p->bf16->name : p->simd->name;
}

int plan_steps(const struct plan *p)
{
    return p->nstep;
}

const struct layer *plan_step(const struct plan *p, int i, double *madds)
{
    *madds = layer_madds(&p->net, p->step[i].layer);
    return &p->net.layer[p->step[i].layer];
}

void plan_time(struct plan_work *w, double *seconds)
{
    w->seconds = seconds;
}
