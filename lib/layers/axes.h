/*
 * Walking along some axes of an image's values: h, w and c, the channels in groups. An output is
 * made of the elements that differ in the axes walked along alone.
 */
#ifndef MIEN_LAYERS_AXES_H
#define MIEN_LAYERS_AXES_H

#include "net/net.h"

/* Of the axes h, w, group, channel of a group those that are kept, and those walked along: extents
   (1 for the others) and how far an element is from the next. */
struct walk {
    size_t kept[4], kept_step[4], n[4], step[4];
    size_t outputs, count; /* how many outputs, of how many elements each */
};

static inline struct walk walk_along(struct shape in, unsigned axes, int groups)
{
    const size_t c = (size_t)in.c, per = c / (size_t)groups;
    const size_t extent[] = {(size_t)in.h, (size_t)in.w, (size_t)groups, per};
    const size_t step[] = {(size_t)in.w * c, c, per, 1};
    const bool along[] = {axes & AXIS_H, axes & AXIS_W, false, axes & AXIS_C};
    struct walk walk = {.outputs = 1, .count = 1};
    for (int k = 0; k < 4; k++) {
        walk.kept[k] = along[k] ? 1 : extent[k];
        walk.n[k] = along[k] ? extent[k] : 1;
        walk.kept_step[k] = walk.step[k] = step[k];
        walk.outputs *= walk.kept[k];
        walk.count *= walk.n[k];
    }
    return walk;
}

/* Where the elements of output o begin. */
static inline size_t walk_from(const struct walk *k, size_t o)
{
    size_t at = 0;
    for (int i = 3; i >= 0; i--) {
        at += o % k->kept[i] * k->kept_step[i];
        o /= k->kept[i];
    }
    return at;
}

/* for (each element `at` of the output that begins at `from`); nth is its channel, counted from there */
#define WALK(k, from, at)                                                                          \
    for (size_t i0_ = 0; i0_ < (k)->n[0]; i0_++)                                                   \
        for (size_t i1_ = 0; i1_ < (k)->n[1]; i1_++)                                               \
            for (size_t nth = 0, at = (from) + i0_ * (k)->step[0] + i1_ * (k)->step[1];            \
                 nth < (k)->n[3]; nth++, at++)

#endif
