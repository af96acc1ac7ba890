#include "eyes.h"

#include <stdlib.h>

#include "blaze.h"
#include "infer/plan.h"

/* Photographs of one folder have few shapes, each with a size of input for every level. A plan that
   isn't there is made in about a millisecond. */
#define EYES 8

/* The network at one size. */
struct eye {
    int h, w; /* 0: none yet */
    struct plan *plan;
    struct blaze_head head[BLAZE_MAX_HEADS];
    int nhead;
    float *out[2 * BLAZE_MAX_HEADS]; /* scores and boxes of each head */
    unsigned long used;              /* when; the one unused for longest gives way */
};

struct eyes {
    const struct model *model;
    struct eye eye[EYES];
    struct plan_work *work; /* that of all plans, which run one at a time */
    unsigned long now;
    size_t max_memory;
    int step;
};

static void close_eye(struct eye *y)
{
    plan_free(y->plan);
    for (int i = 0; i < 2 * BLAZE_MAX_HEADS; i++)
        free(y->out[i]);
    *y = (struct eye){0};
}

/* Compiles a model of the eye's size. */
static int compile(struct eye *y, const struct model *sized, size_t max_memory, struct mien_err *e)
{
    int out[2 * BLAZE_MAX_HEADS];
    y->nhead = blaze_heads(sized, y->head, e);
    if (y->nhead < 0)
        return y->nhead;
    for (int i = 0; i < y->nhead; i++) {
        out[2 * i] = y->head[i].score;
        out[2 * i + 1] = y->head[i].box;
    }
    y->plan = plan_new(sized, out, 2 * y->nhead, 1, PRECISION_FLOAT, e);
    if (y->plan == NULL)
        return MIEN_ERR_MEM;
    int rc = plan_bound(y->plan, max_memory, e);
    if (rc < 0)
        return rc;
    for (int i = 0; i < 2 * y->nhead; i++) {
        size_t bytes = plan_out_count(y->plan, i) * sizeof(float);
        if ((y->out[i] = malloc(bytes)) == NULL)
            return mien_err_mem(e, bytes, "a detector's outputs");
    }
    return 0;
}

/* Compiles the network for inputs of h x w. */
static int open_eye(struct eye *y, const struct eyes *s, int h, int w, struct mien_err *e)
{
    const struct model *m = s->model;
    struct model sized = {.weights = m->weights, .prep = m->prep};
    int rc = net_resize(&sized.net, &m->net, h, w, e);
    if (rc < 0)
        return rc;
    if (mien_prep_set(&sized.prep, "size", "%dx%d", h, w) < 0)
        rc = mien_err_set(e, MIEN_ERR_LIMIT, "the description of the preprocessing is too long");
    else
        rc = compile(y, &sized, s->max_memory, e);
    net_free(&sized.net);
    if (rc < 0) {
        close_eye(y);
        return rc;
    }
    y->h = h;
    y->w = w;
    return 0;
}

/* *found is the network at h x w. Returns 0 or a negative code. */
static int eye_of(struct eyes *s, int h, int w, struct eye **found, struct mien_err *e)
{
    struct eye *oldest = &s->eye[0];
    for (int i = 0; i < EYES; i++) {
        struct eye *y = &s->eye[i];
        if (y->h == h && y->w == w) {
            *found = y;
            return 0;
        }
        oldest = y->used < oldest->used ? y : oldest;
    }
    close_eye(oldest);
    *found = oldest;
    return open_eye(oldest, s, h, w, e);
}

struct eyes *eyes_new(const struct model *m, size_t max_memory, struct mien_err *e)
{
    struct shape in = m->net.layer[0].shape;
    struct eyes *s = calloc(1, sizeof *s);
    if (s == NULL) {
        mien_err_mem(e, sizeof *s, "a detector");
        return NULL;
    }
    s->model = m;
    s->max_memory = max_memory > 0 ? max_memory : PLAN_MAX_BYTES;
    struct eye *y;
    if (eye_of(s, in.h, in.w, &y, e) < 0 || (s->work = plan_work_new(y->plan, e)) == NULL) {
        eyes_free(s);
        return NULL;
    }
    for (int i = 0; i < y->nhead; i++)
        s->step = (int)y->head[i].stride > s->step ? (int)y->head[i].stride : s->step;
    return s;
}

void eyes_free(struct eyes *s)
{
    if (s == NULL)
        return;
    for (int i = 0; i < EYES; i++)
        close_eye(&s->eye[i]);
    plan_work_free(s->work);
    free(s);
}

int eyes_step(const struct eyes *s)
{
    return s->step;
}

int eyes_look(struct eyes *s, const unsigned char *px, int h, int w, double min_score,
              struct face_list *out, struct mien_err *e)
{
    const void *input = px;
    struct eye *y;
    int rc = eye_of(s, h, w, &y, e);
    if (rc == 0)
        rc = plan_work_refit(s->work, y->plan, e);
    if (rc < 0)
        return rc;
    y->used = ++s->now;
    plan_run(y->plan, s->work, &input, 1, y->out);
    for (int i = 0; i < y->nhead; i++) {
        if (blaze_decode(&y->head[i], y->out[2 * i], y->out[2 * i + 1], min_score, out, e) < 0)
            return MIEN_ERR_MEM;
    }
    return 0;
}
