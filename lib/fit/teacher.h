/* Teachers: models whose answers a training learns along with the labels (Hinton, Vinyals, Dean:
   Distilling the knowledge in a neural network, 2015). */
#ifndef MIEN_FIT_TEACHER_H
#define MIEN_FIT_TEACHER_H

#include <signal.h>

#include "mien/pack.h"
#include "net/heads.h"
#include "ranks/ranks.h"
#include "train/loss.h"
#include "util/par.h"

/* What they say of each record of a pack: the means over all teachers, and over an image and its
   mirror image, of the probabilities of gender and age. Zeroed: no teacher. */
struct teacher {
    size_t n;
    float *gender; /* [n][MIEN_GENDERS]; NULL: none of them has that head */
    float *age;    /* [n][MIEN_AGES], likewise */
};

/* The n-th of names separated by commas, cut to fit, in buf; NULL behind the last, and of NULL. */
const char *teacher_name(const char *models, size_t n, char *buf, size_t size);

/* Told how far it is, and asked whether to stop; both may be NULL. */
struct teacher_watch {
    void (*on_record)(void *ctx, size_t done, size_t total);
    const volatile sig_atomic_t *stop;
    void *ctx;
};

/* Asks the models (names of model_find, see teacher_name) about the pack's images as they are.
   Records whose image can't be used are in none. t is zeroed by the caller, and freed by it in any
   case. Returns 0, 1 when stopped; MIEN_ERR_FORMAT when a model doesn't read such a pack;
   MIEN_ERR_ARG when one tells nothing that the heads predict; or another negative code. ranks, which may be NULL, ask about a part each and tell each other. */
MIEN_CHECKED int teacher_ask(struct teacher *t, const char *models, const struct heads *heads,
                             const struct mien_pack *pack, const struct teacher_watch *watch,
                             struct ranks *ranks, struct par *par, struct mien_err *e);
void teacher_free(struct teacher *t);

/* Adds what they say of record k to its label. */
void teacher_answer(const struct teacher *t, size_t k, struct label *y);

/* A hash of all answers; 0 of none. */
uint64_t teacher_hash(const struct teacher *t);

#endif
