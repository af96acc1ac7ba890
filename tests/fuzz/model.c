/* Models: loaded, described, folded, and run once on made-up faces, by the heads and up to the
   features. */
#include "fuzz.h"
#include "mutate_safetensors.h"
#include "small_net.h"

#include "mien/session.h"
#include "net/model.h"

enum { BATCH = 2 };

/* Inputs for the session: pixels, or features, both the same bytes. */
static const void *input(const struct mien_session *s)
{
    static float bytes[1 << 16];
    size_t n = mien_session_inputs(s);
    if (bytes[1] == 0) {
        for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++)
            bytes[i] = (float)i / 999;
    }
    FUZZ_CHECK(n <= sizeof bytes / sizeof *bytes);
    return bytes;
}

static void run(const char *path, const struct mien_session_options *o, bool embed)
{
    struct mien_err e = {{0}};
    struct mien_session *s = mien_session_open(path, &e);
    if (s == NULL) {
        fuzz_error(MIEN_ERR_FORMAT, &e);
        return;
    }
    const char *layer = embed ? mien_session_features_layer(s, &e) : NULL;
    int rc = embed && layer == NULL ? MIEN_ERR_ARG : mien_session_start(s, layer, o, &e);
    if (rc < 0) {
        fuzz_error(rc, &e);
    } else {
        const void *in[BATCH] = {input(s), input(s)};
        const float *features;
        struct mien_prediction p[BATCH];
        for (int n = 1; n <= o->batch && rc == 0; n++)
            rc = embed ? mien_session_embed(s, 0, in, n, &features, &e)
                       : mien_session_predict(s, 0, in, n, p, &e);
        if (rc < 0)
            fuzz_error(rc, &e);
    }
    mien_session_close(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct model m = {0}, folded = {0};
    struct mien_err e = {{0}};
    const char *path = fuzz_file("input", data, size);
    int rc = model_load(&m, path, &e);
    if (rc < 0) {
        fuzz_error(rc, &e);
        FUZZ_CHECK(m.weights == NULL && m.net.n == 0);
        return 0;
    }
    bool small = small_net(&m.net, 1 << 19) && shape_count(m.net.layer[0].shape) < 1 << 15;
    rc = model_fold(&folded, &m, &e);
    if (rc < 0)
        fuzz_error(rc, &e);
    model_free(&folded);
    model_free(&m);
    if (small) {
        struct mien_session_options o = {.jobs = 1,
                                         .batch = 1 + (size & 1),
                                         .int8 = size & 2,
                                         .raw = size & 4,
                                         .mirror = size & 8};
        run(path, &o, false);
        run(path, &o, true);
    }
    return 0;
}
