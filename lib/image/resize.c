#include <stdlib.h>
#include <string.h>

#include "img.h"
#include "resize_avx2.h"
#include "resize_axis.h"

struct mien_resizer {
    struct axis x, y;
    struct img mid; /* between the passes */
    bool avx2;
};

const char *mien_resampling_name(enum mien_resampling f)
{
    static const char *const names[] = {
        [MIEN_BOX] = "box", [MIEN_TRIANGLE] = "triangle", [MIEN_LANCZOS3] = "lanczos3"};
    return names[f];
}

int mien_resize_describe(struct mien_size to, enum mien_resampling f, struct mien_prep *p)
{
    int rc = mien_prep_set(p, "size", "%dx%d", to.h, to.w);
    return rc < 0 ? rc : mien_prep_set(p, "filter", "%s", mien_resampling_name(f));
}

struct mien_resizer *mien_resizer_new(struct mien_err *e)
{
    struct mien_resizer *z = calloc(1, sizeof *z);
    if (z == NULL)
        mien_err_mem(e, sizeof *z, "a resizer");
    else
        z->avx2 = resize_have_avx2();
    return z;
}

void mien_resizer_free(struct mien_resizer *z)
{
    if (z == NULL)
        return;
    resize_axis_free(&z->x);
    resize_axis_free(&z->y);
    img_free(&z->mid);
    free(z);
}

int mien_resize(struct mien_resizer *z, const unsigned char *src, int h, int w, unsigned char *dst,
                struct mien_size to, enum mien_resampling f, struct mien_err *e)
{
    return img_resize_area(z, src, h, w, (struct img_area){0, 0, w, h}, dst, to, f, e);
}

/* Whether an axis leaves all as it is. */
static bool copies(const struct axis *a)
{
    return a->start == 0 && a->len == a->in && a->in == a->out;
}

int img_resize_area(struct mien_resizer *z, const unsigned char *src, int h, int w,
                    struct img_area from, unsigned char *dst, struct mien_size to,
                    enum mien_resampling f, struct mien_err *e)
{
    size_t row = (size_t)to.w * 3;
    if (resize_axis_set(&z->x, w, from.x, from.w, to.w, f) < 0 ||
        resize_axis_set(&z->y, h, from.y, from.h, to.h, f) < 0)
        return mien_err_set(e, MIEN_ERR_MEM, "out of memory for the weights of a resize");
    bool across = !copies(&z->x), down = !copies(&z->y);
    if (across && down && img_alloc(&z->mid, h, to.w, e) < 0)
        return MIEN_ERR_MEM;
    if (across) {
        unsigned char *out = down ? z->mid.px : dst;
        if (z->avx2)
            resize_rows_avx2(&z->x, src, h, out);
        else
            resize_rows(&z->x, src, h, out);
        src = out;
    }
    if (down) {
        if (z->avx2)
            resize_columns_avx2(&z->y, src, row, dst);
        else
            resize_columns(&z->y, src, row, dst);
    } else if (!across) {
        memcpy(dst, src, (size_t)h * row);
    }
    return 0;
}
