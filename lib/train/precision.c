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

void train_kernels_name(const struct train_kernels *k, char text[TRAIN_KERNELS_TEXT])
{
    const char *other = k->other != NULL ? k->other->name : "openblas";
    if (k->conv == k->other)
        snprintf(text, TRAIN_KERNELS_TEXT, "%s", other);
    else
        snprintf(text, TRAIN_KERNELS_TEXT, "%s for convolutions, %s", k->conv->name, other);
}
