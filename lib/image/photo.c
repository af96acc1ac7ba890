#include "photo.h"

void img_photo_free(struct img_photo *p)
{
    img_free(&p->im);
    img_free(&p->scratch);
}

int img_photo_read(struct img_photo *p, struct img_decoder *d, const void *image, size_t n,
                   const struct img_limits *limits, double longer, struct mien_err *e)
{
    struct img_info info;
    int rc = img_open(d, image, n, limits, &info, e), eighths = 8;
    if (rc < 0)
        return rc;
    p->longer = info.h > info.w ? info.h : info.w;
    while (eighths > 1 && img_scaled(p->longer, eighths / 2) >= longer)
        eighths /= 2;
    p->eighths = eighths;

    struct img_rect all = {0, 0, img_scaled(info.w, eighths), img_scaled(info.h, eighths)};
    struct img *stored = info.orientation == 1 ? &p->im : &p->scratch;
    if (img_alloc(stored, all.h, all.w, e) < 0)
        return MIEN_ERR_MEM;
    rc = img_read(d, eighths, all, stored->px, (size_t)all.w * 3, e);
    if (rc < 0 || stored == &p->im)
        return rc;

    bool turned = info.orientation >= 5;
    if (img_alloc(&p->im, turned ? all.w : all.h, turned ? all.h : all.w, e) < 0)
        return MIEN_ERR_MEM;
    img_upright(stored->px, all.h, all.w, info.orientation, p->im.px);
    return 0;
}
