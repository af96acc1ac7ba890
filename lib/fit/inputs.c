#include "inputs.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agree.h"
#include "layers/layers.h"
#include "util/file.h"

enum { FROZEN_BATCH = 8 };

/* The computation of frozen layers, shared by threads. */
struct freezing {
    struct inputs *inputs;
    struct plan *plan;
    struct plan_work **work; /* one a thread */
    float **out;             /* a batch of each boundary layer's output, for each thread */
    size_t from;             /* the first batch of this round */
};

/* What plan_run reads for row `row` of all views; NULL when its image can't be used. */
static const void *frozen_input(const struct inputs *inputs, int worker, size_t row,
                                unsigned char *buf)
{
    size_t n = inputs->pack->n;
    if (inputs->pack->kind == MIEN_PACK_FEATURES)
        return mien_pack_features(inputs->pack, row % n);
    return decoded_get(&inputs->images, worker, row % n, row / n + 1, buf);
}

static void freeze_batch(void *ctx, int worker, size_t k)
{
    struct freezing *z = ctx;
    struct inputs *inputs = z->inputs;
    const struct boundary *at = &inputs->at;
    size_t first = (z->from + k) * FROZEN_BATCH,
           left = inputs->pack->n * (size_t)inputs->views - first;
    const void *in[FROZEN_BATCH];
    size_t row[FROZEN_BATCH], n = 0;
    float **out = z->out + worker * at->n;
    for (size_t i = 0; i < FROZEN_BATCH && i < left; i++) {
        unsigned char *buf = inputs->buf[worker] + n * decoded_bytes(&inputs->images);
        in[n] = frozen_input(inputs, worker, first + i, buf);
        row[n] = first + i;
        if (in[n] != NULL)
            n++;
        else
            memset(inputs->data + (first + i) * at->width, 0, at->width * sizeof(float));
    }
    if (n == 0)
        return;
    plan_run(z->plan, z->work[worker], in, (int)n, out);
    for (size_t i = 0; i < n; i++) {
        float *to = inputs->data + row[i] * at->width;
        for (int b = 0; b < at->n; b++) {
            size_t count = plan_out_count(z->plan, b);
            memcpy(to, out[b] + i * count, count * sizeof *to);
            to += count;
        }
    }
}

/* Takes n bytes of the disk for a file now: one that fills up later would end the program with a
   signal when the mapping is written. Returns 0 or an error number. */
static int reserve(int fd, size_t n)
{
#if defined _POSIX_ADVISORY_INFO && _POSIX_ADVISORY_INFO > 0
    return posix_fallocate(fd, 0, (off_t)n);
#else
    static const char zeros[1 << 16];
    for (size_t k; n > 0; n -= k) {
        k = n < sizeof zeros ? n : sizeof zeros;
        if (file_write(fd, zeros, k) < 0)
            return errno;
    }
    return 0;
#endif
}

static int take_memory(struct inputs *inputs, size_t cache_mem, struct mien_err *e)
{
    size_t n = inputs->pack->n * (size_t)inputs->views;
    if (n > SIZE_MAX / sizeof(float) / inputs->at.width)
        return mien_err_set(e, MIEN_ERR_LIMIT, "the frozen layers' output is too large");
    size_t bytes = n * inputs->at.width * sizeof(float);
    if (bytes <= cache_mem) {
        inputs->data = malloc(bytes);
        return inputs->data == NULL ? mien_err_mem(e, bytes, "the frozen layers' output") : 0;
    }
    int fd = file_temp(e);
    if (fd < 0)
        return fd;
    void *p = MAP_FAILED;
    int full = reserve(fd, bytes);
    if (full == 0)
        p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (p == MAP_FAILED)
        return mien_err_set(e, MIEN_ERR_SYS,
                            "no room for %zu bytes of the frozen layers' output: %s", bytes,
                            strerror(full != 0 ? full : ENOMEM));
    inputs->data = p;
    inputs->mapped = true;
    return 0;
}

static int freezing_make(struct freezing *z, int jobs, size_t max_memory, struct mien_err *e)
{
    const struct boundary *at = &z->inputs->at;
    z->plan = plan_new(z->inputs->m, at->layer, at->n, FROZEN_BATCH, PRECISION_FLOAT, e);
    if (z->plan == NULL)
        return MIEN_ERR_MEM;
    int rc = plan_bound(z->plan, max_memory / (size_t)jobs, e);
    if (rc < 0)
        return rc;
    z->work = calloc((size_t)jobs, sizeof *z->work);
    z->out = calloc((size_t)(jobs * at->n), sizeof *z->out);
    if (z->work == NULL || z->out == NULL)
        return mien_err_mem(e, (size_t)(jobs * at->n) * sizeof *z->out, "the frozen layers");
    for (int j = 0; j < jobs; j++) {
        z->work[j] = plan_work_new(z->plan, e);
        if (z->work[j] == NULL)
            return MIEN_ERR_MEM;
        for (int b = 0; b < at->n; b++) {
            size_t bytes = FROZEN_BATCH * plan_out_count(z->plan, b) * sizeof(float);
            z->out[j * at->n + b] = malloc(bytes);
            if (z->out[j * at->n + b] == NULL)
                return mien_err_mem(e, bytes, "the frozen layers");
        }
    }
    return 0;
}

static void freezing_free(struct freezing *z, int jobs)
{
    for (int j = 0; z->work != NULL && j < jobs; j++)
        plan_work_free(z->work[j]);
    for (int k = 0; z->out != NULL && k < jobs * z->inputs->at.n; k++)
        free(z->out[k]);
    free(z->work);
    free(z->out);
    plan_free(z->plan);
}

/* Hands what each process has computed to all. Returns as freeze. */
static int share_frozen(struct inputs *inputs, struct ranks *r, size_t batches, bool stopped,
                        struct mien_err *e)
{
    size_t n = inputs->pack->n * (size_t)inputs->views, at[RANKS_MOST + 1] = {0};
    if (agree_any(r, stopped))
        return 1;
    for (int q = 1; q <= ranks_size(r); q++) {
        size_t row = batches * (size_t)q / (size_t)ranks_size(r) * FROZEN_BATCH;
        at[q] = (row < n ? row : n) * inputs->at.width * sizeof(float);
    }
    ranks_gather(r, inputs->data, at);
    return decoded_share_bad(&inputs->images, r, NULL, inputs->pack->n, e);
}

/* Computes and keeps the frozen layers' output. Returns 0, 1 when stopped, or a negative code. */
static int freeze(struct inputs *inputs, const struct inputs_how *how, struct par *par,
                  struct mien_err *e)
{
    struct freezing z = {.inputs = inputs};
    size_t n = inputs->pack->n * (size_t)inputs->views, round = (size_t)inputs->jobs * 16;
    size_t batches = (n + FROZEN_BATCH - 1) / FROZEN_BATCH;
    int rc = freezing_make(&z, inputs->jobs, how->max_memory, e);
    if (rc == 0)
        rc = take_memory(inputs, how->cache_mem, e);
    size_t end = batches * (size_t)(ranks_rank(how->ranks) + 1) / (size_t)ranks_size(how->ranks);
    z.from = batches * (size_t)ranks_rank(how->ranks) / (size_t)ranks_size(how->ranks);
    size_t first = z.from;
    if (how->on_frozen != NULL)
        how->on_frozen(how->ctx, 0, (end - first) * FROZEN_BATCH);
    /* In rounds, so that progress is told from this thread. */
    for (; rc == 0 && z.from < end; z.from += round) {
        par_for(par, end - z.from < round ? end - z.from : round, freeze_batch, &z);
        if (how->on_frozen != NULL)
            how->on_frozen(how->ctx, (z.from + round - first) * FROZEN_BATCH,
                           (end - first) * FROZEN_BATCH);
        if (how->stop != NULL && *how->stop != 0)
            rc = 1;
    }
    freezing_free(&z, inputs->jobs);
    return rc < 0 ? rc : share_frozen(inputs, how->ranks, batches, rc > 0, e);
}

int inputs_make(struct inputs *inputs, const struct model *m, const struct mien_pack *p,
                const struct boundary *at, const struct inputs_how *how, struct par *par,
                struct mien_err *e)
{
    size_t jobs = (size_t)par_size(par);
    *inputs = (struct inputs){.m = m, .pack = p, .at = *at, .views = how->views};
    inputs->copies = how->copies;
    inputs->jobs = par_size(par);
    /* With nothing frozen, or features of what is, the inputs are the records themselves. */
    bool frozen = at->n > 1 || (at->layer[0] != 0 && p->kind != MIEN_PACK_FEATURES);
    int rc = model_input(m, &inputs->input, e);
    if (rc == 0 && p->kind != MIEN_PACK_FEATURES)
        rc = decoded_make(&inputs->images, m, p, how->augment, how->seed, inputs->jobs, e);
    if (rc < 0)
        return rc;
    inputs->buf = calloc(jobs, sizeof *inputs->buf);
    if (inputs->buf == NULL)
        return mien_err_mem(e, jobs * sizeof *inputs->buf, "a batch");
    for (size_t j = 0; j < jobs; j++) {
        size_t bytes = (frozen ? FROZEN_BATCH : 1) * decoded_bytes(&inputs->images) + 1;
        inputs->buf[j] = malloc(bytes);
        if (inputs->buf[j] == NULL)
            return mien_err_mem(e, bytes, "a batch");
    }
    return frozen ? freeze(inputs, how, par, e) : 0;
}

void inputs_free(struct inputs *inputs)
{
    if (inputs->mapped)
        munmap(inputs->data,
               inputs->pack->n * (size_t)inputs->views * inputs->at.width * sizeof(float));
    else
        free(inputs->data);
    inputs->data = NULL;
    for (int j = 0; inputs->buf != NULL && j < inputs->jobs; j++)
        free(inputs->buf[j]);
    free(inputs->buf);
    decoded_free(&inputs->images);
}

void inputs_load(const struct inputs *inputs, int worker, size_t k, int epoch, int copy,
                 float *const *x)
{
    const struct mien_pack *p = inputs->pack;
    assert(k < p->n && worker < inputs->jobs && epoch > 0 && copy < inputs->copies);
    if (inputs->data != NULL) {
        size_t view = (size_t)(epoch - 1 + copy) % (size_t)inputs->views;
        const float *row = inputs->data + (view * p->n + k) * inputs->at.width;
        for (int b = 0; b < inputs->at.n; b++) {
            size_t count = boundary_count(inputs->m, &inputs->at, b);
            memcpy(x[b], row, count * sizeof *row);
            row += count;
        }
        return;
    }
    size_t count = boundary_count(inputs->m, &inputs->at, 0);
    if (p->kind == MIEN_PACK_FEATURES) {
        memcpy(x[0], mien_pack_features(p, k), count * sizeof(float));
        return;
    }
    uint64_t round = (uint64_t)(epoch - 1) * (uint64_t)inputs->copies + (uint64_t)copy + 1;
    const unsigned char *rgb = decoded_get(&inputs->images, worker, k, round, inputs->buf[worker]);
    if (rgb != NULL)
        k_pixels(rgb, x[0], count / 3, inputs->input.bgr, inputs->input.mean, inputs->input.scale);
    else
        memset(x[0], 0, count * sizeof(float));
}

struct label inputs_label(const struct inputs *inputs, size_t k)
{
    const struct mien_pack *p = inputs->pack;
    struct label y = {p->age[k], p->gender[k], {MIEN_PACK_UNKNOWN, MIEN_PACK_UNKNOWN}, 1, 1,
                      NULL,      NULL};
    if (decoded_bad(&inputs->images, k))
        y.age = y.gender = MIEN_PACK_UNKNOWN;
    else if (p->band != NULL)
        memcpy(y.band, p->band + 2 * k, 2);
    return y;
}
