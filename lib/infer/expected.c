/*
 * What layers read on average, for rounding their weights: the means of each channel on a picture
 * whose light changes from pixel to pixel about as photographs' does. Those of faces correlate with
 * them by 0.9 and more in the layers of MobileNet.
 */
#include <math.h>
#include <stdlib.h>

#include "op.h"
#include "util/aligned.h"
#include "util/hash.h"

/* Noise of mean 0 and variance 1 in which pixels side by side correlate by NEAR. */
static void make_field(struct rng *rng, int h, int w, float *f)
{
    static const float NEAR = 0.98F;
    const float fresh = sqrtf(1 - NEAR * NEAR);
    for (int y = 0; y < h; y++) {
        float *row = f + (size_t)y * (size_t)w, left = 0;
        for (int x = 0; x < w; x++) {
            float noise = sqrtf(3) * (float)(2 * rng_uniform(rng) - 1);
            left = x == 0 ? noise : NEAR * left + fresh * noise;
            row[x] = y == 0 ? left : NEAR * row[x - w] + fresh * left;
        }
    }
}

/* A picture [h, w, 3] of a little color; NULL without memory. */
static unsigned char *make_picture(int h, int w)
{
    static const float LIGHT = 55, COLOR = 24; /* standard deviations */
    size_t n = (size_t)h * (size_t)w;
    float *light = calloc(n, sizeof *light), *color = calloc(n, sizeof *color);
    unsigned char *picture = malloc(3 * n);
    struct rng rng = {1};
    if (light != NULL && color != NULL && picture != NULL) {
        make_field(&rng, h, w, light);
        for (size_t c = 0; c < 3; c++) {
            make_field(&rng, h, w, color);
            for (size_t i = 0; i < n; i++) {
                float v = 128 + LIGHT * light[i] + COLOR * color[i];
                picture[3 * i + c] = (unsigned char)lrintf(fminf(fmaxf(v, 0), 255));
            }
        }
    } else {
        free(picture);
        picture = NULL;
    }
    free(light);
    free(color);
    return picture;
}

/* The means of x's channels, which are s.c. */
static void channel_means(const float *x, struct shape s, float *mean)
{
    const size_t pixels = (size_t)s.h * (size_t)s.w, channels = (size_t)s.c;
    for (size_t c = 0; c < channels; c++) {
        double sum = 0;
        for (size_t i = 0; i < pixels; i++)
            sum += x[i * channels + c];
        mean[c] = (float)(sum / (double)pixels);
    }
}

/* Runs the picture and takes the means of n layers' outputs, whose indices are the plan's. */
static int run_picture(struct compiler *c, const struct plan *p, const int *layer, int n,
                       struct mien_err *e)
{
    struct arena outputs = {0};
    struct plan_work *work = plan_work_new(p, e);
    const void *picture = make_picture(c->p->input.h, c->p->input.w);
    float **out = calloc((size_t)n, sizeof *out);
    int rc = work != NULL && picture != NULL && out != NULL ? 0 : MIEN_ERR_MEM;
    for (int k = 0; rc == 0 && k < n; k++) {
        out[k] = arena_zeros(&outputs, plan_out_count(p, k), sizeof *out[k]);
        rc = out[k] != NULL ? 0 : MIEN_ERR_MEM;
    }
    if (rc == 0) {
        plan_run(p, work, &picture, 1, out);
        for (int k = 0; k < n; k++)
            channel_means(out[k], c->p->net.layer[layer[k]].shape, c->mean[layer[k]]);
    }
    arena_free(&outputs);
    plan_work_free(work);
    free((void *)picture);
    free(out);
    return rc;
}

int compile_expected(struct compiler *c, const struct model *m, struct mien_err *e)
{
    const struct net *net = &c->p->net;
    const bool pixels = c->p->input.h > 0; /* not features */
    size_t layers = (size_t)net->n;
    int *layer = calloc(layers, sizeof *layer), *origin = calloc(layers, sizeof *origin), n = 0;
    c->mean = arena_zeros(&c->means, layers, sizeof *c->mean);
    int rc = layer != NULL && origin != NULL && c->mean != NULL ? 0 : MIEN_ERR_MEM;
    for (int i = 0; rc == 0 && i < net->n; i++) {
        int in = net->layer[i].nin > 0 ? net->layer[i].in[0] : -1;
        if (in < 0 || c->mean[in] != NULL || !pixels || !sums_in_bf16(c->p, &net->layer[i]))
            continue;
        layer[n] = in;
        origin[n++] = c->origin[in];
        c->mean[in] = arena_zeros(&c->means, (size_t)net->layer[in].shape.c, sizeof **c->mean);
        rc = c->mean[in] != NULL ? 0 : MIEN_ERR_MEM;
    }
    struct plan *floats = NULL;
    if (rc == 0 && n > 0) {
        floats = plan_new(m, origin, n, 1, PRECISION_FLOAT, e);
        rc = floats != NULL ? plan_bound(floats, PLAN_MAX_BYTES, e) : MIEN_ERR_MEM;
        if (rc == MIEN_ERR_LIMIT)
            rc = 0; /* of huge images, whose weights are rounded to the nearest: the means stay 0 */
        else if (rc == 0)
            rc = run_picture(c, floats, layer, n, e);
    }
    plan_free(floats);
    free(layer);
    free(origin);
    return rc == 0 ? 0 : mien_err_set(e, rc, "out of memory for what layers read on average");
}
