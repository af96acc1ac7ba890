/* Checkpoints: as a file of any kind; and as one of the right training, whose numbers are the
   input's, from which a training goes on. */
#include "fuzz.h"
#include "mutate_safetensors.h"

#include "fit/checkpoint.h"
#include "mien/safetensors.h"
#include "tensor/pack_writer.h"
#include "util/bytes.h"
#include "util/file.h"

/* A training so small that an input takes no time: features, a network, and its own checkpoint. */
static struct {
    struct model model;
    struct mien_pack pack;
    struct fit_config config;
    struct mien_buf own; /* the bytes of its checkpoint */
} training;

static void make_pack(const char *path)
{
    struct mien_err e;
    struct mien_rec r = {0};
    struct pack_writer *w = pack_writer_new(path, MIEN_PACK_FEATURES, &e);
    FUZZ_CHECK(w != NULL);
    for (int i = 0; i < 5; i++) {
        const float v[] = {(float)i, 1, 0.5f};
        mien_rec_clear(&r);
        FUZZ_CHECK(mien_rec_set_f32v(&r, MIEN_TAG_FEATURES, v, 3) == 0);
        FUZZ_CHECK(mien_rec_set_u8(&r, MIEN_TAG_GENDER, i % 2) == 0);
        FUZZ_CHECK(pack_add(w, &r, &e) == 0);
    }
    FUZZ_CHECK(pack_writer_end(w, "a test", "", &e) == 0);
    pack_writer_free(w);
    mien_rec_free(&r);
}

static int train(bool resume, struct mien_err *e)
{
    struct fit_epoch kept;
    training.config.resume = resume;
    net_init(&training.model.net, training.model.weights, 1);
    return fit(&training.model, &training.pack, &training.pack, &training.config, &kept, e);
}

static void prepare(void)
{
    static const char text[] = "input 1x1x3\ngender_logits dense 2\ngender softmax\n";
    static char path[sizeof fuzz_dir + 16];
    struct mien_err e;
    make_pack(fuzz_path("pack"));
    FUZZ_CHECK(mien_pack_open(&training.pack, fuzz_path("pack"), &e) == 0);
    FUZZ_CHECK(net_parse(&training.model.net, text, sizeof text - 1, &e) == 0);
    training.model.weights = net_weights_new(&training.model.net, &e);
    FUZZ_CHECK(training.model.weights != NULL);
    snprintf(path, sizeof path, "%s", fuzz_path("model"));
    training.config = fit_defaults();
    training.config.epochs = 2;
    training.config.batch = 2;
    training.config.jobs = 1;
    training.config.last = 0;
    training.config.patience = 3;
    training.config.checkpoint = path;
    FUZZ_CHECK(train(false, &e) == 0);
    int fd = file_open(path, &e);
    FUZZ_CHECK(fd >= 0 && file_slurp(fd, &training.own, 1 << 20, path, &e) == 0);
    close(fd);
}

/* A file of any kind, of the training that it is of. */
static void load(const char *path)
{
    struct mien_err e = {{0}};
    struct progress p = {0};
    float a[16], b[16], c[16], d[16];
    struct arrays arrays = {.n = 16, .weights = a, .best = b, .m = c, .v = d};
    char about[512] = "";
    struct mien_safetensors *s = mien_st_open(path, &e);
    const char *was = s != NULL ? mien_st_meta(s, "about") : NULL;
    if (was != NULL)
        snprintf(about, sizeof about, "%s", was);
    mien_st_close(s);
    int rc = checkpoint_load(path, about, &p, &arrays, &e);
    if (rc < 0)
        fuzz_error(rc, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mien_err e = {{0}};
    if (training.own.len == 0)
        prepare();
    load(fuzz_file("input", data, size));

    size_t head = 8 + (size_t)get_le64(training.own.data), n = training.own.len - head;
    uint8_t *file = malloc(training.own.len);
    FUZZ_CHECK(file != NULL);
    memcpy(file, training.own.data, training.own.len);
    if (size > 0)
        memcpy(file + head, data, size < n ? size : n);
    fuzz_file("model", file, training.own.len);
    free(file);
    int rc = train(true, &e);
    if (rc < 0)
        fuzz_error(rc, &e);
    return 0;
}

void fuzz_seeds(void)
{
    prepare();
    fuzz_seed("file", training.own.data, training.own.len);
    size_t head = 8 + (size_t)get_le64(training.own.data);
    fuzz_seed("numbers", training.own.data + head, training.own.len - head);
}
