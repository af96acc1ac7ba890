#include "rows.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernels.h"
#include "mien/file.h"

enum { FROZEN_BATCH = 32 };

/* The computation of frozen layers, shared by threads. */
struct freezing {
    struct rows *r;
    struct plan *plan;
    struct plan_work **work; /* one a thread */
    float **out;             /* a batch of each boundary layer's output, for each thread */
    size_t from;             /* the first batch of this round */
};

static const void *pack_row(const struct pack *p, size_t i)
{
    return p->kind == PACK_PIXELS ? (const void *)pack_pixels(p, i) : (const void *)pack_features(p, i);
}

static void freeze_batch(void *ctx, int worker, size_t k)
{
    struct freezing *z = ctx;
    const struct boundary *at = &z->r->at;
    size_t first = (z->from + k) * FROZEN_BATCH, n = z->r->pack->n - first;
    const void *in[FROZEN_BATCH] = {NULL};
    float **out = z->out + worker * at->n;
    if (n > FROZEN_BATCH)
        n = FROZEN_BATCH;
    for (size_t i = 0; i < n; i++)
        in[i] = pack_row(z->r->pack, first + i);
    plan_run(z->plan, z->work[worker], in, (int)n, out);
    for (size_t i = 0; i < n; i++) {
        float *row = z->r->data + (first + i) * at->width;
        for (int b = 0; b < at->n; b++) {
            size_t count = plan_out_count(z->plan, b);
            memcpy(row, out[b] + i * count, count * sizeof *row);
            row += count;
        }
    }
}

static int claim(struct rows *r, size_t cache_mem, struct err *e)
{
    size_t n = r->pack->n;
    if (n > SIZE_MAX / sizeof(float) / r->at.width)
        return err_set(e, ERR_LIMIT, "the frozen layers' output is too large");
    size_t bytes = n * r->at.width * sizeof(float);
    if (bytes <= cache_mem) {
        r->data = malloc(bytes);
        return r->data == NULL ? err_mem(e, bytes, "the frozen layers' output") : 0;
    }
    int fd = file_temp(e);
    if (fd < 0)
        return fd;
    void *p = MAP_FAILED;
    /* Blocks are claimed now: a disk that fills up later would end the program with a signal. */
    int full = posix_fallocate(fd, 0, (off_t)bytes);
    if (full == 0)
        p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (p == MAP_FAILED)
        return err_set(e, ERR_SYS, "no room for %zu bytes of the frozen layers' output: %s", bytes,
                       strerror(full != 0 ? full : ENOMEM));
    r->data = p;
    r->mapped = true;
    return 0;
}

static int freezing_make(struct freezing *z, int jobs, struct err *e)
{
    const struct boundary *at = &z->r->at;
    z->plan = plan_new(z->r->m, at->layer, at->n, FROZEN_BATCH, e);
    if (z->plan == NULL)
        return ERR_MEM;
    z->work = calloc((size_t)jobs, sizeof *z->work);
    z->out = calloc((size_t)(jobs * at->n), sizeof *z->out);
    if (z->work == NULL || z->out == NULL)
        return err_mem(e, (size_t)(jobs * at->n) * sizeof *z->out, "the frozen layers");
    for (int j = 0; j < jobs; j++) {
        z->work[j] = plan_work_new(z->plan, e);
        if (z->work[j] == NULL)
            return ERR_MEM;
        for (int b = 0; b < at->n; b++) {
            size_t bytes = FROZEN_BATCH * plan_out_count(z->plan, b) * sizeof(float);
            z->out[j * at->n + b] = malloc(bytes);
            if (z->out[j * at->n + b] == NULL)
                return err_mem(e, bytes, "the frozen layers");
        }
    }
    return 0;
}

static void freezing_free(struct freezing *z, int jobs)
{
    for (int j = 0; z->work != NULL && j < jobs; j++)
        plan_work_free(z->work[j]);
    for (int k = 0; z->out != NULL && k < jobs * z->r->at.n; k++)
        free(z->out[k]);
    free(z->work);
    free(z->out);
    plan_free(z->plan);
}

int rows_make(struct rows *r, const struct model *m, const struct pack *p,
              const struct boundary *at, size_t cache_mem, struct par *par,
              void (*on_frozen)(void *ctx, size_t done, size_t total), void *ctx, struct err *e)
{
    *r = (struct rows){.m = m, .pack = p, .at = *at};
    int rc = model_input(m, &r->input, e), jobs = par_size(par);
    /* With nothing frozen, or features of what is, the rows are the records themselves. */
    if (rc < 0 || (at->n == 1 && (at->layer[0] == 0 || p->kind == PACK_FEATURES)))
        return rc;
    struct freezing z = {.r = r};
    rc = claim(r, cache_mem, e);
    if (rc == 0)
        rc = freezing_make(&z, jobs, e);
    /* In rounds, so that progress is told from this thread. */
    size_t batches = (p->n + FROZEN_BATCH - 1) / FROZEN_BATCH, round = (size_t)jobs * 4;
    for (; rc == 0 && z.from < batches; z.from += round) {
        par_for(par, batches - z.from < round ? batches - z.from : round, freeze_batch, &z);
        if (on_frozen != NULL)
            on_frozen(ctx, (z.from + round) * FROZEN_BATCH, p->n);
    }
    freezing_free(&z, jobs);
    return rc;
}

void rows_free(struct rows *r)
{
    if (r->mapped)
        munmap(r->data, r->pack->n * r->at.width * sizeof(float));
    else
        free(r->data);
    r->data = NULL;
}

void rows_load(const struct rows *r, size_t k, float *const *x)
{
    const struct pack *p = r->pack;
    const float *row = r->data != NULL ? r->data + k * r->at.width : NULL;
    for (int b = 0; b < r->at.n; b++) {
        size_t count = shape_count(r->m->net.layer[r->at.layer[b]].shape);
        if (row != NULL) {
            memcpy(x[b], row, count * sizeof *row);
            row += count;
        } else if (p->kind == PACK_PIXELS) {
            k_pixels(pack_pixels(p, k), x[b], count / 3, r->input.bgr, r->input.mean, r->input.scale);
        } else {
            memcpy(x[b], pack_features(p, k), count * sizeof *row);
        }
    }
}

struct label rows_label(const struct rows *r, size_t k)
{
    const struct pack *p = r->pack;
    struct label y = {p->age[k], p->gender[k], {PACK_UNKNOWN, PACK_UNKNOWN}, 1, 1};
    if (p->band != NULL)
        memcpy(y.band, p->band + 2 * k, 2);
    return y;
}
