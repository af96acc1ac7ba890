#include "blaze.h"

#include <math.h>
#include <stdbool.h>

static bool is_read(const struct net *net, int layer)
{
    for (int i = layer + 1; i < net->n; i++) {
        for (int k = 0; k < net->layer[i].nin; k++) {
            if (net->layer[i].in[k] == layer)
                return true;
        }
    }
    return false;
}

/* Whether layer b can be the boxes for the scores that layer a makes. */
static bool is_pair(struct shape a, struct shape b)
{
    return b.h == a.h && b.w == a.w && a.c <= NET_MAX_EXTENT / BLAZE_VALUES &&
           b.c == BLAZE_VALUES * a.c;
}

int blaze_heads(const struct model *m, struct blaze_head head[BLAZE_MAX_HEADS], struct mien_err *e)
{
    const struct net *net = &m->net;
    struct shape in = net->layer[0].shape;
    int out[2 * BLAZE_MAX_HEADS], nout = 0, n = 0;
    for (int i = 0; i < net->n; i++) {
        if (is_read(net, i))
            continue;
        if (nout == 2 * BLAZE_MAX_HEADS)
            return mien_err_set(e, MIEN_ERR_FORMAT, "not a face detector: it has too many outputs");
        out[nout++] = i;
    }
    for (int a = 0; a < nout; a++) {
        for (int b = 0; b < nout; b++) {
            struct shape s = net->layer[out[a]].shape;
            if (n < BLAZE_MAX_HEADS && in.h * s.w == in.w * s.h &&
                is_pair(s, net->layer[out[b]].shape))
                head[n++] =
                    (struct blaze_head){s.h, s.w, s.c, (float)in.w / (float)s.w, out[a], out[b]};
        }
    }
    if (n == 0 || 2 * n != nout || in.c != 3)
        return mien_err_set(e, MIEN_ERR_FORMAT,
                            "not a face detector: its outputs aren't scores and boxes");
    return n;
}

static bool decode_one(const float *v, float cx, float cy, struct face *f)
{
    for (int i = 0; i < BLAZE_VALUES; i++) {
        if (!isfinite(v[i]))
            return false;
    }
    float x = cx + v[0], y = cy + v[1];
    f->box[0] = x - v[2] / 2;
    f->box[1] = y - v[3] / 2;
    f->box[2] = x + v[2] / 2;
    f->box[3] = y + v[3] / 2;
    for (int i = 0; i < MIEN_FACE_POINTS; i++) {
        f->point[i][0] = cx + v[4 + 2 * i];
        f->point[i][1] = cy + v[5 + 2 * i];
    }
    return v[2] > 0 && v[3] > 0;
}

int blaze_decode(const struct blaze_head *h, const float *score, const float *box, double min_score,
                 struct face_list *out, struct mien_err *e)
{
    for (int i = 0; i < h->rows * h->columns * h->anchors; i++) {
        struct face f = {.score = 1 / (1 + expf(-score[i]))};
        int cell = i / h->anchors, row = cell / h->columns, column = cell % h->columns;
        float cx = ((float)column + 0.5f) * h->stride, cy = ((float)row + 0.5f) * h->stride;
        if (f.score >= min_score && decode_one(box + (size_t)i * BLAZE_VALUES, cx, cy, &f) &&
            face_add(out, &f, e) < 0)
            return MIEN_ERR_MEM;
    }
    return 0;
}
