/* An activation of a vector, for one variant of a source. */

TARGET static inline __attribute__((always_inline)) VEC VARIANT(activate)(VEC v, enum act act,
                                                                          VEC slope)
{
    const VEC zero = SET(0), six = SET(6);
    switch (act) {
    case ACT_RELU:
        return MAX(zero, v);
    case ACT_RELU6:
        return MIN(six, MAX(zero, v));
    case ACT_PRELU:
        return FMA(slope, MIN(zero, v), MAX(zero, v));
    default:
        return v;
    }
}
