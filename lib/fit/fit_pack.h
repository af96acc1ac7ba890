/* What a training asks of its packs. */
#ifndef MIEN_FIT_FIT_PACK_H
#define MIEN_FIT_FIT_PACK_H

#include "inputs.h"

/* Whether a pack, the training or validation one, holds what the layers behind the boundary read,
   or what the model makes it of. Returns 0 or a negative code. */
MIEN_CHECKED int fit_pack_check(const struct mien_pack *p, const char *which, const struct model *m,
                                const struct boundary *b, struct mien_err *e);

/* Whether a record has a gender, and whether one has an age or a band of ages. */
void fit_pack_labels(const struct mien_pack *p, bool *gender, bool *age);

/* Whether it has labels for one of the heads. Returns 0 or MIEN_ERR_FORMAT. */
MIEN_CHECKED int fit_pack_check_labels(const struct mien_pack *p, const char *which,
                                       const struct heads *h, struct mien_err *e);

/* Of labels and some of the data: by it a pack is known again. */
uint64_t fit_pack_hash(const struct mien_pack *p);

#endif
