/*
 * A ring of jobs goes round between three parties: the main thread reads records into free jobs,
 * workers take them in order, and whichever thread finishes the oldest job writes all that are
 * done from there on. So the output is in input order and no thread is spent on waiting to write.
 */
#include "mien/filter.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/cores.h"
#include "util/array.h"

/* Records that a worker takes at once where they are there already, or another is waited for: each
   costs less that way. Not more than so many bytes are waited for. */
#define TOGETHER       16
#define TOGETHER_BYTES ((size_t)16 << 20)

enum state { FREE, READY, TAKEN, DONE };

/* A record that the function added behind good[behind]. */
struct added {
    size_t behind;
    struct mien_rec rec;
};

struct job {
    enum state state;
    struct mien_rec *rec;   /* batch of them */
    struct mien_rec **good; /* those without an error field */
    bool *drop;             /* one for each of good */
    struct added *added;
    size_t nadded, cadded; /* records in use, and in memory */
    size_t n;
    int rc;
    struct mien_err err;
};

struct mien_ring {
    struct mien_filter *f;
    struct mien_writer *w;
    struct job *job;
    size_t njob;
    struct job **current; /* what each worker is at */
    pthread_mutex_t lock;
    pthread_cond_t free, ready;
    size_t in, take, out; /* jobs filled, taken, written so far: indices modulo njob */
    bool writing, eof;
    pthread_mutex_t terminal; /* for progress, which bad records interrupt */
    struct mien_progress progress;
    struct mien_reader *rd;
    pthread_t *thread;
    int nthread;
};

struct start {
    struct mien_ring *g;
    int worker;
};

void mien_filter_report(const struct mien_cli *c, uint64_t number, const struct mien_rec *r,
                        const char *cause)
{
    char id[256];
    char where[sizeof id + 32];
    snprintf(where, sizeof where, "record %llu (%s)", (unsigned long long)number,
             mien_rec_id(r, id, sizeof id));
    mien_cli_bad(c, where, cause);
}

void mien_filter_prepare(struct mien_filter *f)
{
    if (f->jobs == 0)
        f->jobs = cores_usable();
    if (f->batch == 0) {
        f->batch = TOGETHER;
        f->as_there = true;
    }
}

struct mien_rec *mien_filter_add(struct mien_filter *f, int worker, size_t i)
{
    struct job *job = f->ring->current[worker];
    size_t had = job->cadded;
    struct added *p = array_grow(job->added, job->nadded, &job->cadded, sizeof *p);
    if (p == NULL)
        return NULL;
    memset(p + had, 0, (job->cadded - had) * sizeof *p);
    job->added = p;
    struct added *a = &job->added[job->nadded++];
    a->behind = i;
    mien_rec_clear(&a->rec);
    return &a->rec;
}

/* Fails a record that has become larger than readers take, and leaves out what makes it large. */
static void bound(const struct mien_filter *f, struct mien_rec *r)
{
    size_t limit = f->limit != 0 ? f->limit : MIEN_RECORD_LIMIT, n = mien_rec_bytes(r);
    if (n > limit && !r->failed)
        mien_rec_fail(r, "the record would have %zu bytes, more than the limit of %zu", n, limit);
    if (mien_rec_bytes(r) > limit)
        mien_rec_del(r, MIEN_TAG_IMAGE);
}

static void run_job(struct mien_ring *g, struct job *job, int worker)
{
    size_t n = 0;
    for (size_t i = 0; i < job->n; i++) {
        if (!mien_rec_has(&job->rec[i], MIEN_TAG_ERROR))
            job->good[n++] = &job->rec[i];
    }
    memset(job->drop, 0, n);
    job->nadded = 0;
    g->current[worker] = job;
    job->rc = n == 0 ? 0 : g->f->fn(g->f->ctx, worker, job->good, n, job->drop, &job->err);
    for (size_t i = 0; i < n; i++)
        bound(g->f, job->good[i]);
}

/* Delivers the records written so far, then ends the program. */
static _Noreturn void stop(struct mien_ring *g, const char *why)
{
    struct mien_err e;
    if (mien_writer_flush(g->w, &e) < 0)
        mien_cli_die_output(g->f->cli, &e);
    mien_cli_die(g->f->cli, "%s", why);
}

static void deliver(struct mien_ring *g, const struct mien_rec *r)
{
    struct mien_err e;
    if (mien_write(g->w, r, &e) < 0)
        mien_cli_die_output(g->f->cli, &e);
    g->f->nout++;
}

/* Writes one finished job, in order. Ends the program on what is fatal. */
static void write_job(struct mien_ring *g, struct job *job)
{
    struct mien_filter *f = g->f;
    if (job->rc < 0)
        stop(g, job->err.msg);
    size_t k = 0, a = 0; /* in good, in added */
    for (size_t i = 0; i < job->n; i++) {
        const struct mien_rec *r = &job->rec[i];
        bool good = k < job->n && job->good[k] == r;
        bool drop = good && job->drop[k];
        f->nin++;
        size_t len = 0;
        const char *why = r->failed ? mien_rec_text(r, MIEN_TAG_ERROR, &len) : NULL;
        if (why != NULL) {
            char cause[400];
            snprintf(cause, sizeof cause, "%.*s", (int)len, why);
            pthread_mutex_lock(&g->terminal);
            mien_cli_progress_end(&g->progress);
            mien_filter_report(f->cli, f->nin, r, cause);
            pthread_mutex_unlock(&g->terminal);
            f->nbad++;
            if (f->strict)
                stop(g, "stopped at the first bad record, as --strict asks");
        }
        if (!drop)
            deliver(g, r);
        for (; good && a < job->nadded && job->added[a].behind == k; a++)
            deliver(g, &job->added[a].rec);
        k += good;
    }
}

/* Called with the lock held: writes what is due, unless another thread is at it. */
static void write_due(struct mien_ring *g)
{
    if (g->writing)
        return;
    g->writing = true;
    while (g->out < g->in && g->job[g->out % g->njob].state == DONE) {
        struct job *job = &g->job[g->out % g->njob];
        pthread_mutex_unlock(&g->lock);
        write_job(g, job);
        pthread_mutex_lock(&g->lock);
        for (size_t i = 0; i < g->f->batch; i++)
            job->good[i] = NULL;
        job->state = FREE;
        g->out++;
        pthread_cond_signal(&g->free);
    }
    if (g->out == g->in) { /* nothing is under way: let a reader downstream have what there is */
        struct mien_err e;
        if (mien_writer_flush(g->w, &e) < 0)
            mien_cli_die_output(g->f->cli, &e);
    }
    g->writing = false;
}

static void *worker_main(void *arg)
{
    struct start s = *(struct start *)arg;
    struct mien_ring *g = s.g;
    free(arg);
    pthread_mutex_lock(&g->lock);
    for (;;) {
        while (g->take == g->in && !g->eof)
            pthread_cond_wait(&g->ready, &g->lock);
        if (g->take == g->in)
            break;
        struct job *job = &g->job[g->take++ % g->njob];
        job->state = TAKEN;
        pthread_mutex_unlock(&g->lock);
        run_job(g, job, s.worker);
        pthread_mutex_lock(&g->lock);
        job->state = DONE;
        write_due(g);
    }
    pthread_mutex_unlock(&g->lock);
    return NULL;
}

/* Whether a job that has some records, of so many bytes, takes another one. */
static bool takes_another(const struct mien_ring *g, const struct job *job, uint64_t bytes)
{
    const struct mien_filter *f = g->f;
    return job->n < f->batch &&
           (!f->as_there || mien_reader_has_one(g->rd) ||
            (f->another != NULL && bytes < TOGETHER_BYTES && f->another(&job->rec[job->n - 1])));
}

/* Reads the records of a job. Returns 1, 0 at the end of the input, or a negative code. */
static int read_job(struct mien_ring *g, struct job *job, struct mien_err *e)
{
    int rc = 1;
    uint64_t from = mien_reader_bytes(g->rd);
    job->n = 0;
    while (rc > 0 && (job->n == 0 || takes_another(g, job, mien_reader_bytes(g->rd) - from))) {
        rc = mien_read(g->rd, &job->rec[job->n], e);
        job->n += rc > 0;
    }
    return rc;
}

/* Fills jobs until the input ends. Returns 0, or a negative code for a broken input. */
static int read_all(struct mien_ring *g, struct mien_err *e)
{
    int rc = 1;
    while (rc > 0) {
        struct job *job = &g->job[g->in % g->njob];
        pthread_mutex_lock(&g->lock);
        while (job->state != FREE)
            pthread_cond_wait(&g->free, &g->lock);
        pthread_mutex_unlock(&g->lock);
        rc = read_job(g, job, e);
        if (job->n > 0) {
            pthread_mutex_lock(&g->lock);
            job->state = READY;
            g->in++;
            pthread_cond_signal(&g->ready);
            pthread_mutex_unlock(&g->lock);
        }
        pthread_mutex_lock(&g->terminal);
        mien_cli_progress(&g->progress, mien_reader_count(g->rd), 0, mien_reader_bytes(g->rd));
        pthread_mutex_unlock(&g->terminal);
    }
    pthread_mutex_lock(&g->lock);
    g->eof = true;
    pthread_cond_broadcast(&g->ready);
    pthread_mutex_unlock(&g->lock);
    return rc;
}

static void ring_make(struct mien_ring *g, struct mien_filter *f)
{
    struct mien_err e;
    *g = (struct mien_ring){.f = f, .njob = 2 * (size_t)f->jobs + 2};
    pthread_mutex_init(&g->lock, NULL);
    pthread_mutex_init(&g->terminal, NULL);
    pthread_cond_init(&g->free, NULL);
    pthread_cond_init(&g->ready, NULL);
    g->rd = mien_filter_reader(f->cli, STDIN_FILENO, f->limit, &e);
    if (g->rd == NULL || (g->w = mien_filter_writer(f->cli, STDOUT_FILENO, &e)) == NULL)
        mien_cli_die(f->cli, "%s", e.msg);
    g->job = calloc(g->njob, sizeof *g->job);
    g->thread = calloc((size_t)f->jobs, sizeof *g->thread);
    g->current = calloc((size_t)f->jobs, sizeof(struct job *));
    f->ring = g;
    bool ok = g->job != NULL && g->thread != NULL && g->current != NULL;
    for (size_t i = 0; ok && i < g->njob; i++) {
        struct job *job = &g->job[i];
        job->rec = calloc(f->batch, sizeof *job->rec);
        job->good = calloc(f->batch, sizeof *job->good);
        job->drop = calloc(f->batch, sizeof *job->drop);
        ok = job->rec != NULL && job->good != NULL && job->drop != NULL;
    }
    int rc = ok ? 0 : ENOMEM;
    for (; rc == 0 && g->nthread < f->jobs; g->nthread += rc == 0) {
        struct start *s = malloc(sizeof *s);
        if (s != NULL)
            *s = (struct start){g, g->nthread};
        rc = s != NULL ? pthread_create(&g->thread[g->nthread], NULL, worker_main, s) : ENOMEM;
    }
    if (rc != 0)
        mien_cli_die(f->cli, "cannot start %d workers: %s", f->jobs, strerror(rc));
}

static void ring_free(struct mien_ring *g)
{
    for (size_t i = 0; i < g->njob; i++) {
        for (size_t k = 0; k < g->f->batch; k++)
            mien_rec_free(&g->job[i].rec[k]);
        free(g->job[i].rec);
        free(g->job[i].good);
        free(g->job[i].drop);
        for (size_t k = 0; k < g->job[i].cadded; k++)
            mien_rec_free(&g->job[i].added[k].rec);
        free(g->job[i].added);
    }
    free(g->job);
    free(g->current);
    free(g->thread);
    mien_reader_free(g->rd);
    mien_writer_free(g->w);
    pthread_cond_destroy(&g->ready);
    pthread_cond_destroy(&g->free);
    pthread_mutex_destroy(&g->lock);
    pthread_mutex_destroy(&g->terminal);
}

int mien_filter_run(struct mien_filter *f)
{
    struct mien_ring g;
    struct mien_err e;
    mien_filter_prepare(f);
    mien_cli_check_input(f->cli, STDIN_FILENO);
    mien_cli_check_output(f->cli, STDOUT_FILENO);
    ring_make(&g, f);
    mien_cli_progress_start(&g.progress, f->cli, "records");
    mien_cli_progress_input(&g.progress, STDIN_FILENO);
    int rc = read_all(&g, &e);
    for (int i = 0; i < g.nthread; i++)
        pthread_join(g.thread[i], NULL);
    mien_cli_progress_end(&g.progress);
    if (rc < 0)
        stop(&g, e.msg);
    mien_filter_history(f->cli, g.rd, g.w);
    if (mien_writer_end(g.w, &e) < 0)
        mien_cli_die_output(f->cli, &e);
    ring_free(&g);
    f->ring = NULL;
    bool judged = f->cli->state != NULL; /* by --max-bad, where the program has such options */
    int status = mien_cli_end(f->cli, f->nin);
    return judged ? status : f->nbad > 0 ? MIEN_EXIT_BAD : MIEN_EXIT_OK;
}
