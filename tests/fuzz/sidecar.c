/* Labels in files beside an image; the last byte says which kind of file, and which field. */
#include "fuzz.h"

#include "labels/sidecar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int tags[] = {MIEN_TAG_ID,    MIEN_TAG_SUBJECT, MIEN_TAG_AGE,  MIEN_TAG_GENDER,
                               MIEN_TAG_GROUP, MIEN_TAG_BIRTH,   MIEN_TAG_YEAR, MIEN_TAG_SPLIT};
    static const struct label_codes codes[] = {{NULL, NULL}, {"f,0-5", "m,6"}};
    unsigned how = fuzz_last(data, &size);
    struct mien_err e = {{0}};
    struct mien_rec r = {0};
    char *text = malloc(size + 1); /* as a file in memory: no byte behind it is its own */
    FUZZ_CHECK(text != NULL && mien_rec_set_text(&r, MIEN_TAG_ID, "a.jpg", 5) == 0);
    memcpy(text, data, size);
    int rc = how & 1 ? sidecar_json(&r, text, size, &codes[how >> 1 & 1], &e)
                     : sidecar_text(&r, tags[how >> 2 & 7], text, size, &codes[how >> 1 & 1], &e);
    if (rc < 0)
        fuzz_error(rc, &e);
    int age;
    FUZZ_CHECK(!mien_rec_int(&r, MIEN_TAG_AGE, &age) || (age >= 0 && age <= MIEN_AGE_MAX));
    free(text);
    mien_rec_free(&r);
    return 0;
}
