/* Networks run: a description, random weights, and images. A batch gives what its images give one
   by one, to the bit. */
#include "fuzz.h"
#include "small_net.h"

#include "infer/plan.h"

enum { BATCH = 3 };

/* Runs one image at a time and all at once. */
static void run(const struct model *m, enum precision precision)
{
    static float in[BATCH][1 << 15]; /* or pixels, of fewer bytes */
    struct mien_err e = {{0}};
    int out = m->net.n - 1;
    if (in[0][0] == 0) {
        for (int i = 0; i < BATCH; i++)
            for (int k = 0; k < 1 << 15; k++)
                in[i][k] = (float)((i + 1) * (k % 97 + 1)) / 97;
    }
    struct plan *p = plan_new(m, &out, 1, BATCH, precision, &e);
    if (p == NULL) {
        fuzz_error(MIEN_ERR_FORMAT, &e);
        return;
    }
    struct plan_work *w = plan_work_new(p, &e);
    size_t n = plan_out_count(p, 0);
    float *all = calloc(n * BATCH, sizeof *all), *one = calloc(n * BATCH, sizeof *one);
    FUZZ_CHECK(w != NULL && all != NULL && one != NULL);
    for (int i = 0; i < BATCH; i++)
        plan_run(p, w, (const void *const[]){in[i]}, 1, (float *[]){one + (size_t)i * n});
    plan_run(p, w, (const void *const[]){in[0], in[1], in[2]}, BATCH, &all);
    FUZZ_CHECK(memcmp(all, one, n * BATCH * sizeof *all) == 0);
    free(all);
    free(one);
    plan_work_free(w);
    plan_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct model m = {0};
    struct mien_err e = {{0}};
    int rc = net_parse(&m.net, (const char *)data, size, &e);
    if (rc < 0) {
        fuzz_error(rc, &e);
        return 0;
    }
    struct shape in = m.net.layer[0].shape;
    if (small_net(&m.net, 1 << 20) && shape_count(in) < 1 << 15) {
        m.weights = net_weights_new(&m.net, &e);
        FUZZ_CHECK(m.weights != NULL);
        net_init(&m.net, m.weights, size);
        if (in.c == 3 && size % 2 == 0)
            FUZZ_CHECK(mien_prep_set(&m.prep, "size", "%dx%d", in.h, in.w) == 0);
        run(&m, PRECISION_FLOAT);
        run(&m, PRECISION_INT8);
    }
    model_free(&m);
    return 0;
}
