/*
 * Age heads: what the outputs of a model's layer `age` say about 101 years, from 0 to 100.
 *
 * A head tells classes of age apart, each some years in a row. Its outputs are
 *   a softmax of n: the probability of each class; or
 *   n - 1 sigmoids, then it is ordinal: output k is the probability of a class beyond k.
 *
 * The model's preprocessing names the classes (model.h): single years from age0 on, or the first
 * years of bins, the last of which ends at 100. A bin's probability is spread over its years as the
 * ages of the training part are, which the model keeps, or else evenly.
 */
#ifndef MIEN_NET_AGE_HEAD_H
#define MIEN_NET_AGE_HEAD_H

#include <stdbool.h>

#include "model.h"
#include "record/pred.h"

enum { AGE_CLASSES = 256 }; /* at most */

struct age_head {
    bool ordinal;
    int n;                     /* classes; 0: there is no such head */
    int from[AGE_CLASSES + 1]; /* class k is the years from[k] to from[k + 1] - 1; they may lie
                                  outside of 0-100, and count with the nearest year then */
    double share[MIEN_AGES];   /* a year's part of the probability of its class */
};

/* Reads a head's kind as mien-train --heads has it: "101", the years from 0 to 100; "0:10:20", bins
   by their first years; "coral", the years, ordinal; or "coral:0:10:20". Shares are even. Returns
   0, or MIEN_ERR_ARG. */
MIEN_CHECKED int age_head_parse(struct age_head *h, const char *text, struct mien_err *e);

/* The age head of a model. Returns 0, with h->n 0 where there is none, or MIEN_ERR_FORMAT when the
   layer and the preprocessing contradict each other. */
MIEN_CHECKED int age_head_of(struct age_head *h, const struct model *m, struct mien_err *e);

/* How many outputs it has. */
static inline int age_head_outputs(const struct age_head *h)
{
    return h->n - h->ordinal;
}

/* Whether a class is of several years. */
bool age_head_binned(const struct age_head *h);

/* Sets the model's preprocessing to this head's classes. Returns 0 or MIEN_ERR_LIMIT. */
MIEN_CHECKED int age_head_describe(const struct age_head *h, struct mien_prep *p);

/* The years of class k within 0-100; where it has none there, the nearest. */
void age_head_years(const struct age_head *h, int k, int *first, int *last);

/* The class that an age belongs to, the nearest for ages that none has. */
int age_head_class(const struct age_head *h, int age);

/* From the outputs for one record: the probabilities of the n classes, and of the 101 years. An
   ordinal head's answers may contradict each other; a class that would get less than nothing gets
   nothing then. */
void age_head_classes(const struct age_head *h, const float *out, double *p);
void age_head_distribution(const struct age_head *h, const float *out, float year[MIEN_AGES]);

#endif
