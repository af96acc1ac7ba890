/* Draws faces for mien-synth: a painter of soft-edged shapes and one face made of them. They are
   caricatures; what matters is that age and gender show, and that much else varies. */
#ifndef FACE_H
#define FACE_H

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "util/hash.h"

/* --- The painter ---------------------------------------------------------------------------- */

/* A picture in the making: h x w x 3 values, 0 to 1. */
struct canvas {
    int w, h;
    float *rgb;
};

struct color {
    float r, g, b;
};

/* Where a face lies: the face's units, half a head's width, to pixels. v points to the chin. */
struct view {
    float x, y, scale, cos, sin;
};

enum { STEPS = 6 }; /* pieces of straight line in a curve */
enum shape_kind { ELLIPSE, HEAD, HAIRLINE, STROKE };

/* A shape in the face's units, around (u, v). */
struct shape {
    enum shape_kind kind;
    float u, v, ru, rv;
    float jaw;               /* HEAD: the lower half's exponent; 2 is an ellipse, more is squarer */
    float dip;               /* HAIRLINE: how far the hair comes down at the sides */
    float at[2 * STEPS + 2]; /* STROKE: the corners of a line, x and y */
    float width;             /* STROKE */
};

struct paint {
    struct color c;
    float alpha;
    float soft;  /* width of the edge in the face's units, besides a pixel for antialiasing */
    float shade; /* how much darker towards the sides, as on a ball */
};

static inline float clampf(float x, float lo, float hi)
{
    return x < lo ? lo : x > hi ? hi : x;
}

static inline float mixf(float a, float b, float t)
{
    return a + (b - a) * t;
}

static inline struct color mix(struct color a, struct color b, float t)
{
    return (struct color){mixf(a.r, b.r, t), mixf(a.g, b.g, t), mixf(a.b, b.b, t)};
}

static inline struct color dim(struct color c, float f)
{
    return (struct color){c.r * f, c.g * f, c.b * f};
}

/* The distance from the curve |x/ru|^2 + |y/rv|^q = 1, to first order. */
static inline float implicit(float x, float y, float ru, float rv, float q)
{
    float a = x / ru, b = fabsf(y) / rv, bq = q == 2 ? b : powf(b, q - 1);
    float gx = 2 * a / ru, gy = q * bq / rv;

    return (a * a + bq * b - 1) / (sqrtf(gx * gx + gy * gy) + 1e-4f);
}

/* The squared distance of (x, y) from a piece of line from p[0], p[1] to p[2], p[3]. */
static inline float to_piece(float x, float y, const float *p)
{
    float dx = p[2] - p[0], dy = p[3] - p[1];
    float t = clampf(((x - p[0]) * dx + (y - p[1]) * dy) / (dx * dx + dy * dy + 1e-9f), 0, 1);

    x -= p[0] + t * dx;
    y -= p[1] + t * dy;
    return x * x + y * y;
}

/* The signed distance of (u, v) from the shape's edge: negative inside. */
static inline float distance(const struct shape *s, float u, float v)
{
    float x = u - s->u, y = v - s->v, best = 1e9f;

    switch (s->kind) {
    case ELLIPSE:
        return implicit(x, y, s->ru, s->rv, 2);
    case HEAD:
        return implicit(x, y, s->ru, s->rv, y > 0 ? s->jaw : 2);
    case HAIRLINE:
        return fmaxf(implicit(x, y, s->ru, s->rv, 2), v + s->rv * 0.62f - s->dip * x * x);
    default:
        for (int i = 0; i < STEPS; i++) {
            float d = to_piece(u, v, s->at + 2 * i);

            best = d < best ? d : best;
        }
        return sqrtf(best) - s->width / 2;
    }
}

/* The rectangle that the shape lies in, in the face's units. */
static inline void extent(const struct shape *s, float e[4])
{
    if (s->kind == STROKE) {
        e[0] = e[1] = 1e9f;
        e[2] = e[3] = -1e9f;
        for (int i = 0; i < 2 * STEPS + 2; i++) {
            e[i % 2] = fminf(e[i % 2], s->at[i] - s->width / 2);
            e[2 + i % 2] = fmaxf(e[2 + i % 2], s->at[i] + s->width / 2);
        }
    } else {
        e[0] = s->u - s->ru;
        e[1] = s->v - s->rv;
        e[2] = s->u + s->ru;
        e[3] = s->v + s->rv;
    }
}

static inline void fill(struct canvas *c, const struct view *w, const struct shape *s,
                        const struct paint *p)
{
    float e[4], x0 = 1e9f, y0 = 1e9f, x1 = -1e9f, y1 = -1e9f;
    float edge = p->soft + 1 / w->scale;

    extent(s, e);
    for (int i = 0; i < 4; i++) {
        float u = i & 1 ? e[2] + edge : e[0] - edge, v = i & 2 ? e[3] + edge : e[1] - edge;
        float x = w->x + w->scale * (w->cos * u - w->sin * v);
        float y = w->y + w->scale * (w->sin * u + w->cos * v);

        x0 = fminf(x0, x);
        x1 = fmaxf(x1, x);
        y0 = fminf(y0, y);
        y1 = fmaxf(y1, y);
    }
    for (int y = (int)fmaxf(y0, 0); y <= y1 && y < c->h; y++) {
        for (int x = (int)fmaxf(x0, 0); x <= x1 && x < c->w; x++) {
            float dx = ((float)x + 0.5f - w->x) / w->scale,
                  dy = ((float)y + 0.5f - w->y) / w->scale;
            float u = w->cos * dx + w->sin * dy, v = w->cos * dy - w->sin * dx;
            float a = p->alpha * clampf(0.5f - distance(s, u, v) / edge, 0, 1);
            float *o = c->rgb + 3 * ((size_t)y * (size_t)c->w + (size_t)x), ru, rv, f;

            if (a <= 0)
                continue;
            ru = (u - s->u) / (s->ru + 0.01f);
            rv = (v - s->v) / (s->rv + 0.01f);
            f = p->shade > 0 ? 1 + p->shade * (0.1f - 0.55f * ru * ru - 0.3f * rv * rv) : 1;
            o[0] = mixf(o[0], p->c.r * f, a);
            o[1] = mixf(o[1], p->c.g * f, a);
            o[2] = mixf(o[2], p->c.b * f, a);
        }
    }
}

static inline void ellipse(struct canvas *c, const struct view *w, float u, float v, float ru,
                           float rv, struct color col, float alpha, float soft)
{
    struct shape s = {.kind = ELLIPSE, .u = u, .v = v, .ru = ru, .rv = rv};

    fill(c, w, &s, &(struct paint){col, alpha, soft, 0});
}

/* A curve from (u0, v0) to (u2, v2), drawn towards (u1, v1). */
static inline void stroke(struct canvas *c, const struct view *w, float u0, float v0, float u1,
                          float v1, float u2, float v2, float width, struct color col, float alpha,
                          float soft)
{
    struct shape s = {.kind = STROKE, .width = width};

    for (int i = 0; i <= STEPS; i++) {
        float t = (float)i / STEPS, r = 1 - t;

        s.at[2 * i] = r * r * u0 + 2 * r * t * u1 + t * t * u2;
        s.at[2 * i + 1] = r * r * v0 + 2 * r * t * v1 + t * t * v2;
    }
    fill(c, w, &s, &(struct paint){col, alpha, soft, 0});
}

/* --- A face --------------------------------------------------------------------------------- */

/* What stays the same in all pictures of a person. */
struct person {
    bool male;
    float skin;                     /* 0 light to 1 dark */
    float hair;                     /* a place in the table of natural colors */
    float width, eyes, nose, mouth; /* -1 to 1 */
    float gray;                     /* years by which the hair grays late */
    float length;                   /* of the hair: 0 short to 1 long */
    float beard;                    /* 0 shaven to 1 full */
    float balding, glasses, makeup; /* 0 to 1: how likely */
};

static inline float spread(struct rng *r, float lo, float hi)
{
    return lo + (hi - lo) * (float)rng_uniform(r);
}

static inline struct person person_make(struct rng *r)
{
    struct person p;
    bool long_hair;

    p.male = rng_below(r, 2);
    p.skin = spread(r, 0, 1);
    p.skin *= p.skin;
    p.hair = spread(r, 0, 1);
    p.width = spread(r, -1, 1);
    p.eyes = spread(r, -1, 1);
    p.nose = spread(r, -1, 1);
    p.mouth = spread(r, -1, 1);
    p.gray = spread(r, -6, 6);
    long_hair = rng_uniform(r) < (p.male ? 0.08 : 0.85);
    p.length = long_hair ? spread(r, 0.5f, 1) : spread(r, 0, 0.25f);
    p.beard = rng_uniform(r) < 0.35 ? spread(r, 0.5f, 1) : spread(r, 0, 0.25f);
    p.balding = spread(r, 0, 1);
    p.glasses = spread(r, 0, 1);
    p.makeup = spread(r, 0, 1);
    return p;
}

static inline struct color skin_color(float t)
{
    static const struct color tone[] = {{0.98f, 0.84f, 0.74f}, {0.94f, 0.75f, 0.62f},
                                        {0.84f, 0.63f, 0.48f}, {0.70f, 0.49f, 0.35f},
                                        {0.51f, 0.34f, 0.24f}, {0.36f, 0.24f, 0.18f}};
    int i = (int)fminf(t * 5, 4);

    return mix(tone[i], tone[i + 1], t * 5 - (float)i);
}

/* Any color, but seldom a loud one. */
static inline struct color muted(struct rng *r)
{
    float gray = spread(r, 0.1f, 0.9f);
    struct color c = {spread(r, 0, 1), spread(r, 0, 1), spread(r, 0, 1)};

    return mix(c, (struct color){gray, gray, gray}, spread(r, 0.3f, 1));
}

/* Natural colors, dark ones for dark skin, graying with age. */
static inline struct color hair_color(const struct person *p, float age)
{
    static const struct color tone[] = {{0.09f, 0.07f, 0.07f},
                                        {0.20f, 0.12f, 0.08f},
                                        {0.38f, 0.23f, 0.13f},
                                        {0.55f, 0.26f, 0.12f},
                                        {0.80f, 0.64f, 0.38f}};
    static const struct color gray = {0.86f, 0.86f, 0.88f};
    float t = p->hair * (p->skin > 0.3f ? 1.2f : 4);
    int i = (int)fminf(t, 3);

    return mix(mix(tone[i], tone[i + 1], t - (float)i), gray,
               1 / (1 + expf(-(age - 50 - p->gray) / 6)));
}

/* Measures that the parts of a face share. */
struct look {
    float age, adult; /* adult: 0 a newborn, to 1 */
    float wrinkles;   /* 0 to about 1.2 */
    float male;       /* 0 or 1, blurred in children */
    float head_v;     /* half the head's height */
    float eye_u, eye_v, brow_v, nose_v, mouth_v;
    struct color skin, fold, hair; /* fold: what wrinkles are drawn in */
};

static inline struct look look_make(const struct person *p, float age)
{
    struct look k;

    k.age = age;
    k.adult = 1 - expf(-powf(age / 11, 1.5f));
    k.wrinkles = clampf((age - 22) / 55, 0, 1.25f);
    k.male = p->male ? k.adult : 0;
    k.head_v = 1.08f + 0.2f * k.adult + 0.09f * k.male + 0.0006f * age;
    k.eye_u = 0.41f + 0.03f * p->eyes;
    k.eye_v = 0.24f - 0.26f * k.adult;
    k.brow_v = k.eye_v - 0.24f + 0.02f * k.male + 0.03f * k.wrinkles;
    k.nose_v = k.eye_v + 0.24f + 0.24f * k.adult + 0.05f * k.wrinkles;
    k.mouth_v = k.nose_v + 0.24f + 0.05f * k.adult;
    k.skin = mix(skin_color(p->skin), (struct color){0.75f, 0.68f, 0.6f}, 0.18f * k.wrinkles);
    k.fold = dim(k.skin, 0.52f);
    k.hair = hair_color(p, age);
    return k;
}

static inline void draw_wrinkles(struct canvas *c, const struct view *w, const struct look *k,
                                 struct rng *r)
{
    int lines = (int)clampf((k->age - 24) / 11, 0, 5);
    float strength = clampf(0.15f + 0.5f * k->wrinkles, 0, 0.8f);
    float top = k->brow_v - 0.12f;

    for (int i = 0; i < lines; i++) {
        float v = top - 0.1f * (float)i, half = spread(r, 0.35f, 0.5f);

        stroke(c, w, -half, v, spread(r, -0.1f, 0.1f), v - 0.06f, half, v, 0.025f, k->fold,
               strength, 0.02f);
    }
    lines = (int)clampf((k->age - 28) / 11, 0, 4);
    for (int side = -1; side <= 1; side += 2) {
        float s = (float)side, u = s * (k->eye_u + 0.21f);

        for (int i = 0; i < lines; i++) {
            float dv = 0.07f * ((float)i - (float)(lines - 1) / 2);

            stroke(c, w, u, k->eye_v + dv * 0.4f, u + s * 0.08f, k->eye_v + dv, u + s * 0.17f,
                   k->eye_v + dv * 2, 0.02f, k->fold, strength, 0.015f);
        }
        /* Bags under the eyes, folds from nose to mouth and below it, hollow cheeks. */
        if (k->wrinkles > 0.15f)
            stroke(c, w, s * (k->eye_u - 0.15f), k->eye_v + 0.17f, s * k->eye_u, k->eye_v + 0.25f,
                   s * (k->eye_u + 0.16f), k->eye_v + 0.15f, 0.03f, k->fold, 0.6f * k->wrinkles,
                   0.03f);
        if (k->wrinkles > 0.05f)
            stroke(c, w, s * 0.2f, k->nose_v - 0.04f, s * 0.38f, k->nose_v + 0.08f, s * 0.4f,
                   k->mouth_v + 0.05f, 0.035f, k->fold, 0.7f * k->wrinkles, 0.03f);
        if (k->age > 50)
            stroke(c, w, s * 0.36f, k->mouth_v + 0.08f, s * 0.42f, k->mouth_v + 0.16f, s * 0.4f,
                   k->mouth_v + 0.28f, 0.03f, k->fold, 0.02f * (k->age - 50), 0.03f);
        if (k->age > 55)
            ellipse(c, w, s * 0.66f, k->mouth_v - 0.1f, 0.13f, 0.28f, k->fold,
                    0.009f * (k->age - 55), 0.25f);
    }
    for (int i = 0; i < (int)((k->age - 56) / 3); i++)
        ellipse(c, w, spread(r, -0.75f, 0.75f), spread(r, -0.8f, 0.6f), spread(r, 0.015f, 0.045f),
                spread(r, 0.015f, 0.04f), k->fold, 0.45f, 0.02f);
}

static inline void draw_eyes(struct canvas *c, const struct view *w, const struct person *p,
                             const struct look *k, struct rng *r)
{
    static const struct color iris[] = {
        {0.25f, 0.14f, 0.08f}, {0.3f, 0.45f, 0.6f}, {0.35f, 0.4f, 0.25f}};
    static const struct color white = {0.96f, 0.95f, 0.93f}, black = {0.06f, 0.05f, 0.05f};
    struct color col = iris[p->skin > 0.25f ? 0 : (int)(p->hair * 2.99f)];
    float ru = 0.215f - 0.045f * k->adult,
          rv = (0.145f - 0.06f * k->adult) * (1 - 0.3f * k->wrinkles);
    float gaze = spread(r, -0.04f, 0.04f), lash = 0.025f + (p->male ? 0 : 0.025f * k->adult);
    struct color brow = mix(k->hair, dim(k->hair, 0.6f), 0.6f);

    for (int side = -1; side <= 1; side += 2) {
        float s = (float)side, u = s * k->eye_u, v = k->eye_v;

        ellipse(c, w, u, v, ru * 1.3f, rv * 1.9f, k->fold, 0.25f, 0.12f);
        if (!p->male && k->age > 15 && p->makeup > 0.5f)
            ellipse(c, w, u, v - 0.07f, ru * 1.1f, 0.07f, (struct color){0.4f, 0.3f, 0.5f}, 0.4f,
                    0.06f);
        ellipse(c, w, u, v, ru, rv, white, 1, 0);
        ellipse(c, w, u + gaze, v, fminf(rv, 0.1f), fminf(rv, 0.1f), col, 1, 0.01f);
        ellipse(c, w, u + gaze, v, fminf(rv, 0.1f) * 0.5f, fminf(rv, 0.1f) * 0.5f, black, 1, 0.01f);
        ellipse(c, w, u + gaze + 0.03f, v - 0.03f, 0.018f, 0.018f, white, 0.9f, 0.01f);
        stroke(c, w, u - ru, v, u, v - 2 * rv, u + ru, v, lash, black, 0.75f, 0.01f);
        stroke(c, w, u - s * 0.17f, k->brow_v + 0.03f, u + s * 0.02f,
               k->brow_v - 0.07f + 0.03f * k->male, u + s * 0.22f, k->brow_v + 0.05f,
               0.03f + 0.015f * k->adult + 0.045f * k->male, brow, 0.85f, 0.02f);
    }
}

static inline void draw_mouth(struct canvas *c, const struct view *w, const struct person *p,
                              const struct look *k, struct rng *r)
{
    static const struct color red = {0.76f, 0.16f, 0.2f}, teeth = {0.95f, 0.93f, 0.88f};
    bool lipstick = !p->male && k->age > 14 && p->makeup > 0.3f;
    struct color lip =
        mix(mix(k->skin, (struct color){0.72f, 0.33f, 0.32f}, 0.55f), red, lipstick ? 0.75f : 0);
    float half = 0.24f + 0.06f * k->adult + 0.02f * p->mouth + 0.02f * k->male;
    float full = (0.075f - 0.018f * k->male) * (1 - 0.45f * k->wrinkles);
    float smile = spread(r, -0.02f, 0.13f), v = k->mouth_v;

    stroke(c, w, -half, v - smile * 0.5f, 0, v + smile, half, v - smile * 0.5f, full * 2, lip,
           0.95f, 0.02f);
    if (smile > 0.08f)
        stroke(c, w, -half * 0.7f, v - smile * 0.2f, 0, v + smile * 0.7f, half * 0.7f,
               v - smile * 0.2f, full * 0.9f, teeth, 0.95f, 0.01f);
    else
        stroke(c, w, -half, v - smile * 0.5f, 0, v + smile * 0.8f, half, v - smile * 0.5f, 0.022f,
               dim(lip, 0.45f), 0.9f, 0.01f);
}

static inline void draw_beard(struct canvas *c, const struct view *w, const struct person *p,
                              const struct look *k)
{
    float grown = p->male ? clampf((k->age - 16) / 8, 0, 1) : 0;
    float alpha = p->beard > 0.4f ? 0.9f * grown : 0.25f * grown;
    float chin = k->head_v * 0.97f;

    if (alpha <= 0)
        return;
    for (int side = -1; side <= 1; side += 2) {
        float s = (float)side;

        stroke(c, w, s * 0.84f, k->mouth_v - 0.28f, s * 0.75f, k->mouth_v + 0.22f, 0, chin - 0.12f,
               0.2f + 0.2f * p->beard, k->hair, alpha, 0.08f);
    }
    stroke(c, w, -0.28f, k->mouth_v, 0, k->mouth_v - 0.25f, 0.28f, k->mouth_v, 0.09f, k->hair,
           alpha, 0.03f);
}

static inline void draw_nose(struct canvas *c, const struct view *w, const struct person *p,
                             const struct look *k)
{
    float half = 0.09f + 0.05f * k->adult + 0.02f * p->nose + 0.02f * k->male;

    for (int side = -1; side <= 1; side += 2) {
        float s = (float)side;

        ellipse(c, w, s * half * 0.55f, k->nose_v + 0.01f, 0.035f, 0.025f, dim(k->skin, 0.35f),
                0.8f, 0.02f);
        stroke(c, w, s * half, k->nose_v - 0.06f, s * (half + 0.03f), k->nose_v + 0.02f,
               s * half * 0.5f, k->nose_v + 0.03f, 0.025f, k->fold, 0.6f, 0.02f);
    }
    stroke(c, w, half * 0.5f, k->eye_v + 0.02f, half * 0.4f, (k->eye_v + k->nose_v) / 2,
           half * 0.9f, k->nose_v - 0.08f, 0.02f, k->fold, 0.25f + 0.15f * k->male, 0.04f);
    ellipse(c, w, 0, k->nose_v - 0.05f, half * 0.5f, 0.05f,
            mix(k->skin, (struct color){1, 1, 1}, 0.5f), 0.3f, 0.06f);
}

static inline void draw_hair(struct canvas *c, const struct view *w, const struct person *p,
                             const struct look *k, struct rng *r)
{
    float bald = p->male ? clampf((k->age - 28) / 45, 0, 1) * p->balding : 0;
    float baby = clampf(1 - k->age / 1.5f, 0, 1);
    struct shape s = {.kind = HAIRLINE, .u = 0, .v = -0.05f, .ru = 1.06f + 0.05f * (1 - baby)};
    struct paint paint = {k->hair, 1 - 0.7f * baby, 0.04f, 0.5f};

    s.rv = k->head_v + 0.06f;
    s.dip = 0.55f - 0.5f * bald;
    if (bald > 0.55f) {
        /* Only the sides are left. */
        for (int side = -1; side <= 1; side += 2)
            ellipse(c, w, (float)side * 0.98f, -0.1f, 0.12f, 0.4f, k->hair, 0.95f, 0.08f);
        return;
    }
    fill(c, w, &s, &paint);
    for (int i = 0; i < 14; i++) {
        float u = spread(r, -0.8f, 0.8f), v = -s.rv * (0.96f - 0.3f * u * u);

        stroke(c, w, u * 0.8f, v, u, v + 0.1f, u * 1.1f, v + 0.28f, 0.02f,
               dim(k->hair, i % 2 ? 1.25f : 0.75f), 0.35f * paint.alpha, 0.02f);
    }
}

static inline void draw_glasses(struct canvas *c, const struct view *w, const struct look *k,
                                struct color col)
{
    static const int around = 4;

    for (int side = -1; side <= 1; side += 2) {
        float s = (float)side, u = s * k->eye_u, ru = 0.27f, rv = 0.2f, v = k->eye_v + 0.02f;

        for (int i = 0; i < around; i++) {
            float su = i & 1 ? 1 : -1, sv = i & 2 ? 1 : -1;

            stroke(c, w, u, v + sv * rv, u + su * ru, v + sv * rv, u + su * ru, v, 0.035f, col,
                   0.9f, 0.01f);
        }
        stroke(c, w, u + s * ru, v, u + s * 0.4f, v - 0.02f, s * 0.99f, v - 0.05f, 0.035f, col,
               0.9f, 0.01f);
    }
    stroke(c, w, -0.15f, k->eye_v, 0, k->eye_v - 0.06f, 0.15f, k->eye_v, 0.035f, col, 0.9f, 0.01f);
}

/* Draws a person at an age; r is what differs from picture to picture. */
static inline void face_draw(struct canvas *c, const struct view *w, const struct person *p,
                             float age, struct rng *r)
{
    struct look k = look_make(p, age);
    struct shape head = {.kind = HEAD, .ru = 0.95f + 0.04f * p->width, .rv = k.head_v};
    float length = p->length * clampf(age / 5, 0.1f, 1) * (age > 60 ? 0.65f : 1);
    struct color cloth = muted(r);
    float neck = 0.36f + 0.1f * k.adult + 0.14f * k.male;

    head.jaw = 2.1f - 0.25f * k.adult + 1.2f * k.male + 0.4f * k.wrinkles;
    if (length > 0.1f && p->length > 0.3f) {
        struct shape back = {
            .kind = ELLIPSE, .v = -0.05f + 0.55f * length, .ru = 1.12f + 0.18f * length};

        back.rv = k.head_v + 0.05f + 0.6f * length;
        fill(c, w, &back, &(struct paint){dim(k.hair, 0.7f), 1, 0.06f, 0.3f});
    }
    ellipse(c, w, 0, k.head_v + 1.25f, 1.5f + 0.45f * k.male, 0.95f, cloth, 1, 0.02f);
    stroke(c, w, 0, k.head_v * 0.6f, 0, k.head_v, 0, k.head_v + 0.35f, 2 * neck, dim(k.skin, 0.75f),
           1, 0.03f);
    for (int side = -1; side <= 1; side += 2)
        ellipse(c, w, (float)side * head.ru, k.eye_v + 0.12f, 0.1f, 0.2f + 0.04f * k.wrinkles,
                dim(k.skin, 0.85f), 1, 0.02f);
    fill(c, w, &head, &(struct paint){k.skin, 1, 0.01f, 0.45f});
    for (int side = -1; side <= 1; side += 2)
        ellipse(c, w, (float)side * 0.52f, k.nose_v, 0.22f, 0.18f,
                (struct color){0.9f, 0.35f, 0.3f},
                0.22f * (1 - 0.7f * k.adult) + (p->male || p->makeup < 0.5f ? 0 : 0.12f), 0.2f);
    draw_beard(c, w, p, &k);
    draw_wrinkles(c, w, &k, r);
    draw_nose(c, w, p, &k);
    draw_mouth(c, w, p, &k, r);
    draw_eyes(c, w, p, &k, r);
    draw_hair(c, w, p, &k, r);
    if (age > 6 && p->glasses < 0.1f + 0.004f * age)
        draw_glasses(c, w, &k, (struct color){0.12f, 0.1f, 0.1f});
    if (!p->male && age > 12 && p->makeup > 0.6f)
        for (int side = -1; side <= 1; side += 2)
            ellipse(c, w, (float)side * (head.ru + 0.02f), k.eye_v + 0.38f, 0.05f, 0.06f,
                    (struct color){0.95f, 0.85f, 0.4f}, 1, 0.01f);
}

/* --- Everything else in a picture ----------------------------------------------------------- */

static inline void background_draw(struct canvas *c, struct rng *r)
{
    struct view w = {0, 0, 1, 1, 0};
    struct color a = muted(r), b = muted(r);
    float side = (float)(c->w > c->h ? c->w : c->h), tilt = spread(r, 0, 1);

    for (int y = 0; y < c->h; y++)
        for (int x = 0; x < c->w; x++) {
            float *o = c->rgb + 3 * ((size_t)y * (size_t)c->w + (size_t)x);
            struct color m = mix(a, b, ((float)x * tilt + (float)y * (1 - tilt)) / side);

            o[0] = m.r;
            o[1] = m.g;
            o[2] = m.b;
        }
    for (int i = 0; i < 5; i++) {
        struct color m = muted(r);

        ellipse(c, &w, spread(r, 0, side), spread(r, 0, side), spread(r, 0.05f, 0.3f) * side,
                spread(r, 0.05f, 0.3f) * side, m, 0.5f, spread(r, 0.02f, 0.2f) * side);
    }
}

/* Light, its color, and the sensor's noise; then to bytes. */
static inline void develop(const struct canvas *c, struct rng *r, unsigned char *out)
{
    float bright = spread(r, 0.75f, 1.15f), gx = spread(r, -0.35f, 0.35f);
    float gy = spread(r, -0.25f, 0.15f), warm = spread(r, -0.07f, 0.07f);
    float noise = spread(r, 0.01f, 0.05f);

    for (int y = 0; y < c->h; y++)
        for (int x = 0; x < c->w; x++) {
            size_t at = 3 * ((size_t)y * (size_t)c->w + (size_t)x);
            float f = bright * (1 + gx * ((float)x / (float)c->w - 0.5f) +
                                gy * ((float)y / (float)c->h - 0.5f));
            uint64_t bits = rng_next(r);

            for (int k = 0; k < 3; k++) {
                /* Two bytes added up: a triangle is near enough to a bell. */
                int sum = (int)(bits >> 16 * k & 255) + (int)(bits >> (16 * k + 8) & 255);
                float tint = k == 0 ? 1 + warm : k == 2 ? 1 - warm : 1;
                float v = c->rgb[at + (size_t)k] * f * tint + noise * ((float)sum / 255 - 1);

                out[at + (size_t)k] = (unsigned char)(255 * clampf(v, 0, 1) + 0.5f);
            }
        }
}

#endif
