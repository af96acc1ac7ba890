/* A model's heads: which of its layers tell gender and age. */
#ifndef MIEN_NET_HEADS_H
#define MIEN_NET_HEADS_H

#include "age_head.h"

/* One of them may be missing. */
struct heads {
    int gender, age;               /* layers, or -1 */
    int gender_logits, age_logits; /* those that they read */
    int genders;                   /* outputs: 2 of a softmax, 1 (the probability of male), or 0 */
    struct age_head years;
};

/* Finds them. Returns 0, or MIEN_ERR_ARG or MIEN_ERR_FORMAT when one isn't of gender or age as
   model.h describes them, or there are none. */
MIEN_CHECKED int heads_find(struct heads *h, const struct model *m, struct mien_err *e);

#endif
