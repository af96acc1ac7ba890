#include "mien/par.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

struct par {
    int j;
    pthread_t *thread; /* j - 1 of them; the caller is worker 0 */
    pthread_mutex_t lock;
    pthread_cond_t wake, done;
    unsigned long round; /* counts the calls of par_for: a thread joins each once */
    int busy;
    bool quit;
    void (*fn)(void *, int, size_t);
    void *ctx;
    size_t n, next;
};

struct start {
    struct par *p;
    int worker;
};

int par_cores(void)
{
    /* glibc takes the affinity mask into account here. */
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > 256 ? 256 : (int)n;
}

static void work(struct par *p, int worker)
{
    for (;;) {
        pthread_mutex_lock(&p->lock);
        size_t i = p->next < p->n ? p->next++ : p->n;
        pthread_mutex_unlock(&p->lock);
        if (i >= p->n)
            return;
        p->fn(p->ctx, worker, i);
    }
}

static void *thread_main(void *arg)
{
    struct start s = *(struct start *)arg;
    struct par *p = s.p;
    free(arg);
    unsigned long seen = 0;
    for (;;) {
        pthread_mutex_lock(&p->lock);
        while (p->round == seen && !p->quit)
            pthread_cond_wait(&p->wake, &p->lock);
        seen = p->round;
        bool quit = p->quit;
        pthread_mutex_unlock(&p->lock);
        if (quit)
            return NULL;
        work(p, s.worker);
        pthread_mutex_lock(&p->lock);
        if (--p->busy == 0)
            pthread_cond_signal(&p->done);
        pthread_mutex_unlock(&p->lock);
    }
}

struct par *par_new(int j, struct err *e)
{
    struct par *p = calloc(1, sizeof *p);
    if (p == NULL || (p->thread = calloc((size_t)j, sizeof *p->thread)) == NULL) {
        free(p);
        err_mem(e, sizeof *p, "threads");
        return NULL;
    }
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    pthread_cond_init(&p->done, NULL);
    for (p->j = 1; p->j < j; p->j++) {
        struct start *s = malloc(sizeof *s);
        if (s != NULL)
            *s = (struct start){p, p->j};
        if (s == NULL || pthread_create(&p->thread[p->j - 1], NULL, thread_main, s) != 0) {
            free(s);
            par_free(p);
            err_set(e, ERR_SYS, "cannot start %d threads", j);
            return NULL;
        }
    }
    return p;
}

void par_free(struct par *p)
{
    if (p == NULL)
        return;
    pthread_mutex_lock(&p->lock);
    p->quit = true;
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
    for (int i = 1; i < p->j; i++)
        pthread_join(p->thread[i - 1], NULL);
    pthread_cond_destroy(&p->done);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p->thread);
    free(p);
}

int par_size(const struct par *p)
{
    return p == NULL ? 1 : p->j;
}

void par_for(struct par *p, size_t n, void (*fn)(void *ctx, int worker, size_t i), void *ctx)
{
    if (p == NULL || p->j == 1 || n <= 1) {
        for (size_t i = 0; i < n; i++)
            fn(ctx, 0, i);
        return;
    }
    pthread_mutex_lock(&p->lock);
    p->fn = fn;
    p->ctx = ctx;
    p->n = n;
    p->next = 0;
    p->busy = p->j - 1;
    p->round++;
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
    work(p, 0);
    pthread_mutex_lock(&p->lock);
    while (p->busy > 0)
        pthread_cond_wait(&p->done, &p->lock);
    pthread_mutex_unlock(&p->lock);
}
