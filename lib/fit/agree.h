/* What processes that train together must agree on, and how they do. */
#ifndef MIEN_FIT_AGREE_H
#define MIEN_FIT_AGREE_H

#include "ranks/ranks.h"

/* Where two texts that aren't the same begin to differ: that word's start in both. */
size_t differ_at(const char *a, const char *b);

/* Bytes of the word at s, as many as a message shows. */
int differ_word(const char *s);

/* Whether a description is the same in all processes. Returns 0, in all or in none;
   MIEN_ERR_FORMAT, with what rank 0 has and another one hasn't; or MIEN_ERR_MEM. */
MIEN_CHECKED int agree_text(struct ranks *r, const char *text, struct mien_err *e);

/* Whether it is true in any of them. */
bool agree_any(struct ranks *r, bool one);

/* The sum of what each of them has. */
uint64_t agree_sum(struct ranks *r, uint64_t one);

#endif
