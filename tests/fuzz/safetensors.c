/* safetensors files: every tensor's bytes and name, and the metadata that programs ask for. */
#include "fuzz.h"
#include "mutate_safetensors.h"

#include "mien/safetensors.h"

static volatile unsigned char seen;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mien_err e = {{0}};
    struct mien_safetensors *s = mien_st_open(fuzz_file("input", data, size), &e);
    if (s == NULL) {
        fuzz_error(MIEN_ERR_FORMAT, &e);
        return 0;
    }
    size_t bytes = 0;
    for (size_t i = 0; i < mien_st_count(s); i++) {
        const struct mien_tensor *t = mien_st_at(s, i);
        const unsigned char *p = t->data;
        FUZZ_CHECK((uintptr_t)t->data % mien_st_size(t->dtype) == 0);
        FUZZ_CHECK(t->bytes == t->count * mien_st_size(t->dtype));
        FUZZ_CHECK(mien_st_find(s, t->name) == t);
        for (size_t k = 0; k < t->bytes; k++)
            seen = p[k];
        bytes += t->bytes;
    }
    FUZZ_CHECK(bytes <= size);
    mien_st_meta(s, "network");
    mien_st_meta(s, "");
    mien_st_close(s);
    return 0;
}
