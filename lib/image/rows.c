#include "rows.h"

#include <stdlib.h>
#include <string.h>

static int shift_of(int eighths)
{
    return eighths == 8 ? 0 : eighths == 4 ? 1 : eighths == 2 ? 2 : 3;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int reserve(struct img_rows *s, size_t n, struct mien_err *e)
{
    if (n <= s->cap)
        return 0;
    img_rows_free(s);
    s->sum = malloc(n * sizeof *s->sum);
    s->line = malloc(n);
    s->cap = s->sum != NULL && s->line != NULL ? n : 0;
    return s->cap > 0 ? 0 : mien_err_mem(e, n * (sizeof *s->sum + 1), "rows");
}

int img_rows_start(struct img_rows *s, int h, int w, int eighths, const struct img_part *part,
                   size_t n, struct mien_err *e)
{
    if (!img_parts_fit(part, n, img_scaled(h, eighths), img_scaled(w, eighths)))
        return mien_err_set(e, MIEN_ERR_ARG, "a part outside the image was requested");
    struct img_rect hull = img_parts_hull(part, n);
    if (reserve(s, (size_t)hull.w * 3, e) < 0)
        return MIEN_ERR_MEM;
    s->part = part;
    s->n = n;
    s->h = h;
    s->w = w;
    s->shift = shift_of(eighths);
    s->need.x = hull.x << s->shift;
    s->need.y = hull.y << s->shift;
    s->need.w = least((hull.x + hull.w) << s->shift, w) - s->need.x;
    s->need.h = least((hull.y + hull.h) << s->shift, h) - s->need.y;
    return 0;
}

/* Hands out a row at the parts' scale, whose first pixel is the hull's. */
static void deliver(const struct img_rows *s, int y, const unsigned char *line)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct img_part *p = &s->part[i];
        const struct img_rect *r = &p->rect;
        if (img_part_has(p, y))
            memcpy(p->out + (size_t)(y - r->y) * p->stride,
                   line + (size_t)(r->x - (s->need.x >> s->shift)) * 3, (size_t)r->w * 3);
    }
}

/* Pixels of a row at the parts' scale. */
static int columns(const struct img_rows *s)
{
    return (s->need.w + (1 << s->shift) - 1) >> s->shift;
}

/* Adds a row to the sums: each is over side pixels, the last one perhaps over fewer. */
static void add(struct img_rows *s, const unsigned char *px)
{
    int side = 1 << s->shift;
    uint32_t *sum = s->sum;
    for (int x = 0; x < s->need.w; x += side, sum += 3) {
        int n = least(side, s->need.w - x);
        for (int k = 0; k < n; k++, px += 3) {
            sum[0] += px[0];
            sum[1] += px[1];
            sum[2] += px[2];
        }
    }
}

/* Makes a row of the sums over so many rows. */
static void mean(struct img_rows *s, int rows)
{
    int side = 1 << s->shift;
    for (int x = 0; x < columns(s); x++) {
        uint32_t n = (uint32_t)(rows * least(side, s->need.w - (x << s->shift)));
        for (int c = 3 * x; c < 3 * x + 3; c++)
            s->line[c] = (unsigned char)((s->sum[c] + n / 2) / n);
    }
}

void img_rows_put(struct img_rows *s, int y, const unsigned char *px)
{
    if (s->shift == 0) {
        deliver(s, y, px);
        return;
    }
    int first = y >> s->shift << s->shift, last = least(first + (1 << s->shift), s->h) - 1;
    if (y == first)
        memset(s->sum, 0, (size_t)columns(s) * 3 * sizeof *s->sum);
    add(s, px);
    if (y != last)
        return;
    mean(s, last - first + 1);
    deliver(s, y >> s->shift, s->line);
}

void img_rows_gray(struct img_rows *s, int y)
{
    int side = 1 << s->shift, rows = y & (side - 1);
    if (rows > 0 && img_rows_want(s, y)) { /* of one that was begun, what there is of it */
        mean(s, rows);
        deliver(s, y >> s->shift, s->line);
    }
    y += rows > 0 ? side - rows : 0;
    memset(s->line, 128, s->cap);
    for (; y < s->need.y + s->need.h; y += side)
        deliver(s, y >> s->shift, s->line);
}

void img_rows_free(struct img_rows *s)
{
    free(s->sum);
    free(s->line);
    *s = (struct img_rows){0};
}

void img_over_white(const unsigned char *px, size_t n, unsigned char *out)
{
    for (size_t i = 0; i < n; i++, px += 4, out += 3) {
        unsigned a = px[3], white = 255 * (255 - a) + 127;
        out[0] = (unsigned char)((px[0] * a + white) / 255);
        out[1] = (unsigned char)((px[1] * a + white) / 255);
        out[2] = (unsigned char)((px[2] * a + white) / 255);
    }
}
