/* One channel's tail, for loops that store what they sum. */
#ifndef MIEN_LAYERS_TAIL_H
#define MIEN_LAYERS_TAIL_H

#include "layers.h"

static inline real clip6(real v)
{
    return v < 0 ? 0 : v > 6 ? 6 : v;
}

static inline real tail_one(const struct tail *t, int c, real v)
{
    if (t->bias != NULL)
        v += t->bias[c];
    switch (t->act) {
    case ACT_RELU:
        return v < 0 ? 0 : v;
    case ACT_RELU6:
        return clip6(v);
    case ACT_PRELU:
        return v < 0 ? v * t->slope[c] : v;
    default:
        return v;
    }
}

#endif
