/* Packs: every record, and all that training and mien-pack ask of it. */
#include "fuzz.h"
#include "mutate_safetensors.h"

#include "fit/pack_decode.h"
#include "mien/pack.h"
#include "record/text.h"

static volatile unsigned char seen;

static void touch(const void *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        seen = ((const unsigned char *)p)[i];
}

/* Decodes the first images, as training does. */
static void decode(const struct mien_pack *p)
{
    enum { SIDE = 32, MOST = 3 };
    static unsigned char px[SIDE * SIDE * 3];
    struct mien_err e = {{0}};
    struct pack_decode d;
    int rc = pack_decode_plan(&d, p, &p->prep, (struct mien_size){SIDE, SIDE}, &e);
    if (rc < 0) {
        fuzz_error(rc, &e);
        return;
    }
    struct pack_decoder *w = pack_decoder_new(&e);
    FUZZ_CHECK(w != NULL);
    for (size_t i = 0; i < p->n && i < MOST; i++) {
        e = (struct mien_err){{0}};
        rc = pack_decode(&d, p, i, w, px, &e);
        if (rc < 0)
            fuzz_error(rc, &e);
    }
    pack_decoder_free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mien_pack p;
    struct mien_err e = {{0}};
    struct mien_rec r = {0};
    struct mien_buf text = {0};
    int rc = mien_pack_open(&p, fuzz_file("input", data, size), &e);
    if (rc < 0) {
        fuzz_error(rc, &e);
        return 0;
    }
    FUZZ_CHECK(p.n > 0);
    touch(p.age, p.n);
    touch(p.gender, p.n);
    touch(p.band, p.band != NULL ? 2 * p.n : 0);
    for (size_t i = 0; i < p.n; i++) {
        size_t len;
        if (p.kind == MIEN_PACK_PIXELS)
            touch(mien_pack_pixels(&p, i), (size_t)p.height * (size_t)p.width * 3);
        if (p.kind == MIEN_PACK_FEATURES)
            touch(mien_pack_features(&p, i), (size_t)p.dim * sizeof(float));
        if (p.kind == MIEN_PACK_IMAGE) {
            const unsigned char *image = mien_pack_image(&p, i, &len);
            touch(image, len);
        }
        const char *s = mien_pack_id(&p, i, &len);
        touch(s, len);
        s = mien_pack_subject(&p, i, &len);
        touch(s, len);
        mien_pack_will_need(&p, &(uint32_t){(uint32_t)i}, 1);
        e = (struct mien_err){{0}};
        rc = mien_pack_record(&p, i, &r, &e);
        if (rc < 0)
            fuzz_error(rc, &e);
        mien_buf_clear(&text);
        FUZZ_CHECK(rc < 0 || text_json(&text, &r, NULL, 0, true) == 0);
    }
    if (p.kind == MIEN_PACK_IMAGE)
        decode(&p);
    mien_pack_close(&p);
    mien_rec_free(&r);
    mien_buf_free(&text);
    return 0;
}
