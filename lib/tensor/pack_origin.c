#include "pack_origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pack_format.h"
#include "record/history.h"
#include "util/hash.h"

uint64_t pack_digest_add(uint64_t digest, const void *data, size_t n, int age, int gender,
                         const uint8_t band[2])
{
    const uint8_t labels[] = {(uint8_t)age, (uint8_t)gender, band[0], band[1]};
    return hash_mix(digest ^ hash_bytes(0, data, n)) ^ hash_bytes(1, labels, sizeof labels);
}

uint64_t pack_digest(const struct mien_pack *p)
{
    static const uint8_t no_band[] = {MIEN_PACK_UNKNOWN, MIEN_PACK_UNKNOWN};
    const char *known = pack_meta(p, "digest");
    char *end;
    uint64_t digest = known != NULL ? strtoull(known, &end, 16) : 0;
    if (known != NULL && strlen(known) == 16 && *end == '\0')
        return digest;
    digest = 0;
    for (size_t i = 0; i < p->n; i++) {
        size_t len = (size_t)p->height * (size_t)p->width * 3;
        const void *data = NULL;
        if (p->kind == MIEN_PACK_IMAGE) {
            data = mien_pack_image(p, i, &len);
        } else if (p->kind == MIEN_PACK_PIXELS) {
            data = mien_pack_pixels(p, i);
        } else {
            data = mien_pack_features(p, i);
            len = (size_t)p->dim * sizeof(float);
        }
        digest = pack_digest_add(digest, data, len, p->age[i], p->gender[i],
                                 p->band != NULL ? p->band + 2 * i : no_band);
    }
    return digest;
}

const char *pack_history(const struct mien_pack *p)
{
    const char *history = pack_meta(p, "history");
    return history != NULL ? history : "";
}

int pack_origin(const struct mien_pack *p, struct mien_buf *out)
{
    struct history h = {""};
    char step[MIEN_PREP_MAX + 64];
    const char *made = pack_meta(p, "made");
    snprintf(step, sizeof step, "%.60s%s%s\n", made != NULL ? made : "another program",
             p->prep.text[0] != '\0' ? ": " : "", p->prep.text);
    history_merge(&h, pack_history(p), strlen(pack_history(p)));
    history_step(&h, step);
    int rc = mien_buf_printf(out, "pack %016llx, %zu records\n", (unsigned long long)pack_digest(p),
                             p->n);
    rc |= history_indent(out, h.text);
    return rc < 0 ? MIEN_ERR_MEM : 0;
}
