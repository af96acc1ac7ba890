/* The records whose labels are the least likely by their predictions: candidates for wrong
   labels. */
#ifndef MIEN_SCORE_SUSPECTS_H
#define MIEN_SCORE_SUSPECTS_H

#include <stddef.h>
#include <stdint.h>

#include "mien/err.h"
#include "mien/record.h"

struct suspect {
    double doubt; /* pred_doubt's */
    struct mien_rec rec;
};

/* The `most` records of the greatest doubt so far, those first; of equals the earlier. Zeroed but
   for `most` it is empty; its owner frees it. */
struct suspects {
    size_t most, n;
    struct suspect *list;     /* most + 1 */
    uint64_t records, judged; /* considered, and those with a label and a prediction of it */
};

/* Considers a record for the struct suspects at ctx, which takes a copy if it is among them: made
   for cli_input_each. Returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int suspects_add(void *ctx, const struct mien_rec *r, struct mien_err *e);
void suspects_free(struct suspects *s);

#endif
