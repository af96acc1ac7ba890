#include "label.h"

bool rec_label_ages(const struct mien_rec *r, int *from, int *to)
{
    if (mien_rec_int(r, MIEN_TAG_AGE, from)) {
        *to = *from;
        return true;
    }
    const struct mien_field *f = mien_rec_find(r, MIEN_TAG_AGE_BAND);
    if (f == NULL)
        return false;
    const uint8_t *band = f->data;
    *from = band[0];
    *to = band[1];
    return true;
}

int rec_set_age_band(struct mien_rec *r, int from, int to)
{
    uint8_t *band = mien_rec_alloc(r, MIEN_TAG_AGE_BAND, MIEN_U8, 1, (const uint32_t[]){2});
    if (band == NULL)
        return MIEN_ERR_MEM;
    band[0] = (uint8_t)from;
    band[1] = (uint8_t)to;
    return 0;
}
