/* What a training asks of its packs. */
#ifndef MIEN_FIT_FIT_PACK_H
#define MIEN_FIT_FIT_PACK_H

#include "inputs.h"

/* Whether a pack, the training or validation one, holds what the layers behind the boundary read,
   or what the model makes it of, and labels for its heads. Returns 0 or a negative code. */
MIEN_CHECKED int fit_pack_check(const struct mien_pack *p, const char *which, const struct model *m,
                                const struct boundary *b, const struct heads *h,
                                struct mien_err *e);

/* Of labels and some of the data: by it a pack is known again. */
uint64_t fit_pack_hash(const struct mien_pack *p);

#endif
