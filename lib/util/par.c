#include "par.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct par {
    int j;
    pthread_t *thread; /* j - 1 of them; the caller is worker 0 */
    pthread_mutex_t lock;
    pthread_cond_t wake, done;
    bool quit;

    /* The call under way. It is over when all its indices are finished: a thread that wakes up too
       late finds nothing to take, and nobody waits for it. */
    void (*fn)(void *, int, size_t);
    void *ctx;
    size_t n, next, finished;
};

struct start {
    struct par *p;
    int worker;
};

/* Takes indices until there are none. The lock is held before and after. */
static void work(struct par *p, int worker)
{
    while (p->next < p->n) {
        size_t i = p->next++;
        pthread_mutex_unlock(&p->lock);
        p->fn(p->ctx, worker, i);
        pthread_mutex_lock(&p->lock);
        if (++p->finished == p->n)
            pthread_cond_signal(&p->done);
    }
}

static void *thread_main(void *arg)
{
    struct start s = *(struct start *)arg;
    struct par *p = s.p;
    free(arg);
    pthread_mutex_lock(&p->lock);
    while (!p->quit) {
        work(p, s.worker);
        pthread_cond_wait(&p->wake, &p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

struct par *par_new(int j, struct mien_err *e)
{
    struct par *p = calloc(1, sizeof *p);
    if (p == NULL || (p->thread = calloc((size_t)j, sizeof *p->thread)) == NULL) {
        free(p);
        mien_err_mem(e, sizeof *p, "threads");
        return NULL;
    }
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    pthread_cond_init(&p->done, NULL);
    for (p->j = 1; p->j < j; p->j++) {
        struct start *s = malloc(sizeof *s);
        if (s != NULL)
            *s = (struct start){p, p->j};
        errno = s != NULL ? pthread_create(&p->thread[p->j - 1], NULL, thread_main, s) : ENOMEM;
        if (errno != 0) {
            mien_err_sys(e, "cannot start %d threads", j);
            free(s);
            par_free(p);
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
    p->next = p->finished = 0;
    pthread_cond_broadcast(&p->wake);
    work(p, 0);
    while (p->finished < p->n)
        pthread_cond_wait(&p->done, &p->lock);
    p->n = p->next = 0;
    pthread_mutex_unlock(&p->lock);
}
