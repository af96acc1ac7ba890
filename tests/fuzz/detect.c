/* Detectors: a model of any kind is run on a photograph. */
#include "fuzz.h"
#include "../squares.h"
#include "mutate_safetensors.h"
#include "small_net.h"

#include "detect/detect.h"

static void look(const struct model *m, const struct detect_options *o, const void *jpeg, size_t n)
{
    struct mien_err e = {{0}};
    struct img_limits limits = {0};
    struct face_list faces = {0};
    struct detector *d = detector_new(m, o, &e);
    if (d == NULL) {
        fuzz_error(MIEN_ERR_FORMAT, &e);
        return;
    }
    struct detect_work *w = detect_work_new(d, &e);
    int rc = w == NULL ? MIEN_ERR_FORMAT : detect_photo(d, w, jpeg, n, &limits, &faces, &e);
    if (rc < 0)
        fuzz_error(rc, &e);
    for (size_t i = 0; i < faces.n; i++)
        FUZZ_CHECK(faces.face[i].score >= o->min_score && faces.face[i].score <= 1);
    face_list_free(&faces);
    detect_work_free(w);
    detector_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned char *jpeg;
    static size_t n;
    struct detect_options o = {.min_score = 0.5, .min_size = 10};
    struct jpeg_how how = {.space = JCS_YCbCr, .h_samp = 2, .v_samp = 2, .orientation = 6};
    struct model m = {0};
    struct mien_err e = {{0}};
    if (jpeg == NULL)
        jpeg = squares_jpeg(70, 90, (int[]){12, 30, 25, 50, 20, 10}, 2, &how, &n);
    int rc = model_load(&m, fuzz_file("input", data, size), &e);
    if (rc < 0) {
        fuzz_error(rc, &e);
        return 0;
    }
    /* The photograph is up to twice as large as the input, and looked at in a dozen windows. */
    if (small_net(&m.net, 1 << 17) && m.net.layer[0].shape.h >= 16 && m.net.layer[0].shape.w >= 16)
        look(&m, &o, jpeg, n);
    model_free(&m);
    return 0;
}
