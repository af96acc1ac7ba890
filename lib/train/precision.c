#include "precision.h"

#include <stdio.h>

enum train_precision train_precision_of(enum train_precision wanted)
{
    struct train_kernels k;
    struct mien_err e;
    if (wanted != TRAIN_AUTO)
        return wanted;
    if (train_kernels_choose(&k, TRAIN_BF16, &e) < 0)
        return TRAIN_FLOAT;
    return k.conv->pairs ? TRAIN_BF16 : TRAIN_FLOAT;
}

int train_kernels_choose(struct train_kernels *k, enum train_precision precision,
                         struct mien_err *e)
{
    *k = (struct train_kernels){.simd = simd_choose(e)};
    if (k->simd == NULL)
        return MIEN_ERR_ARG;
    k->other = gemm_choose(k->simd, false);
    k->conv = gemm_choose(k->simd, precision == TRAIN_BF16);
    if (precision == TRAIN_BF16 && k->conv == NULL)
        return mien_err_set(e, MIEN_ERR_ARG,
                            "bf16 needs AVX2 and FMA or AVX-512, which this processor lacks");
    return 0;
}

const char *train_order(enum train_precision precision)
{
    struct train_kernels k;
    struct mien_err e;
    bool tiles = train_kernels_choose(&k, precision, &e) == 0 && k.conv != NULL && k.conv->by_row;
    return tiles ? "tiles" : "terms";
}

int train_kernels_describe(enum train_precision precision, char text[TRAIN_KERNELS_TEXT],
                           struct mien_err *e)
{
    struct train_kernels k;
    int rc = train_kernels_choose(&k, precision, e);
    if (rc < 0)
        return rc;
    const char *other = k.other != NULL ? k.other->name : "openblas";
    const char *conv = k.conv != NULL ? k.conv->name : other;
    snprintf(text, TRAIN_KERNELS_TEXT, "precision %s, products by %s%s%s",
             precision == TRAIN_BF16 ? "bf16" : "float", conv,
             k.conv != k.other ? " for convolutions, " : "", k.conv != k.other ? other : "");
    return 0;
}
