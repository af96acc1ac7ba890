/* Synthetic records for the tests: labels, and images, pixels, features or predictions when asked.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jpeglib.h>

#include "mien/cli.h"
#include "util/hash.h"
#include "util/num.h"
#include "mien/record.h"

#define AGES       101
#define IMAGE_SIDE 64

struct options {
    uint64_t seed;
    int height, width, features, faces;
    bool image, predict;
};

struct labels {
    int age, gender;
};

static int parse_size(void *dst, const char *arg, struct mien_err *e)
{
    struct options *o = dst;
    char trail;

    if (sscanf(arg, "%dx%d%c", &o->height, &o->width, &trail) != 2 || o->height < 1 ||
        o->height > 4096 || o->width < 1 || o->width > 4096)
        return mien_err_set(e, MIEN_ERR_ARG, "'%s' is not a size such as 224x224", arg);
    return 0;
}

static int set_text(struct mien_rec *r, int tag, const char *fmt, unsigned long long a,
                    unsigned long long b)
{
    char s[64];

    snprintf(s, sizeof(s), fmt, a, b);
    return mien_rec_set_str(r, tag, s);
}

/* Every record of a subject has its gender, group and year of birth; the ages are spread a little.
 */
static int set_labels(struct mien_rec *r, const struct options *o, uint64_t i, struct labels *l)
{
    uint64_t subject = i / (uint64_t)o->faces;
    struct rng who = {hash_mix(o->seed ^ hash_mix(subject))};
    struct rng rng = {hash_mix(~o->seed ^ hash_mix(i))};
    char group[2] = {0};
    float box[4];
    int bad = 0, birth, base, k;

    l->gender = (int)rng_below(&who, 2);
    group[0] = (char)('a' + rng_below(&who, 4));
    base = (int)(rng_uniform(&who) * rng_uniform(&who) * 95);
    birth = 1900 + (int)rng_below(&who, 90);
    l->age = base + (int)rng_below(&rng, 6);
    for (k = 0; k < 2; k++)
        box[k] = (float)(8 + rng_below(&rng, 8));
    for (k = 2; k < 4; k++)
        box[k] = box[k - 2] + 40;

    bad |= set_text(r, MIEN_TAG_ID, "%02llu/%07llu.jpg", i % 100, i);
    bad |= set_text(r, MIEN_TAG_SUBJECT, "s%llu", subject, 0);
    bad |= mien_rec_set_u8(r, MIEN_TAG_AGE, l->age);
    bad |= mien_rec_set_u8(r, MIEN_TAG_GENDER, l->gender);
    bad |= mien_rec_set_str(r, MIEN_TAG_GROUP, group);
    bad |= set_text(r, MIEN_TAG_BIRTH, "%04llu-%02llu-01", (unsigned)birth, 1 + subject % 12);
    bad |= mien_rec_set_i32(r, MIEN_TAG_YEAR, birth + l->age + (subject % 12 >= 6));
    bad |= mien_rec_set_f32v(r, MIEN_TAG_BOX, box, 4);
    bad |= mien_rec_set_f32(r, MIEN_TAG_SCORE, (float)(1 + 5 * rng_uniform(&rng)));
    return bad;
}

static void fill_bytes(struct rng *rng, unsigned char *p, size_t n)
{
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t x = rng_next(rng);
        memcpy(p, &x, 8);
    }
    while (n-- > 0)
        *p++ = (unsigned char)rng_next(rng);
}

/* A small JPEG of noise on a ramp. */
static int set_image(struct mien_rec *r, struct rng *rng)
{
    static unsigned char rgb[IMAGE_SIDE][IMAGE_SIDE * 3];
    struct jpeg_compress_struct j;
    struct jpeg_error_mgr jerr;
    unsigned char *jpeg = NULL, *p;
    unsigned long len = 0;
    uint32_t dim;
    int y, x;

    fill_bytes(rng, rgb[0], sizeof(rgb));
    for (y = 0; y < IMAGE_SIDE; y++)
        for (x = 0; x < IMAGE_SIDE * 3; x++)
            rgb[y][x] = (unsigned char)(rgb[y][x] / 4 + 2 * y + x / 3);
    j.err = jpeg_std_error(&jerr);
    jpeg_create_compress(&j);
    jpeg_mem_dest(&j, &jpeg, &len);
    j.image_width = j.image_height = IMAGE_SIDE;
    j.input_components = 3;
    j.in_color_space = JCS_RGB;
    jpeg_set_defaults(&j);
    jpeg_start_compress(&j, TRUE);
    for (y = 0; y < IMAGE_SIDE; y++) {
        JSAMPROW row = rgb[y];
        jpeg_write_scanlines(&j, &row, 1);
    }
    jpeg_finish_compress(&j);
    jpeg_destroy_compress(&j);
    dim = (uint32_t)len;
    p = mien_rec_alloc(r, MIEN_TAG_IMAGE, MIEN_U8, 1, &dim);
    if (p)
        memcpy(p, jpeg, len);
    free(jpeg);
    return p ? mien_rec_set_str(r, MIEN_TAG_IMAGE_KIND, "jpeg") : MIEN_ERR_MEM;
}

/* Right about the gender four times in five, and off in age by some years. */
static int set_prediction(struct mien_rec *r, struct rng *rng, const struct labels *l)
{
    float gender[2], age[AGES], sum = 0;
    double sure = 0.5 + 0.5 * rng_uniform(rng);
    int guess = rng_below(rng, 5) ? l->gender : !l->gender, k;
    double center = l->age + 5 * rng_normal(rng);

    gender[guess] = (float)sure;
    gender[!guess] = (float)(1 - sure);
    for (k = 0; k < AGES; k++) {
        double d = (k - center) / 4;
        age[k] = (float)(1 / (1 + d * d));
        sum += age[k];
    }
    for (k = 0; k < AGES; k++)
        age[k] /= sum;
    return mien_rec_set_f32v(r, MIEN_TAG_P_GENDER, gender, 2) |
           mien_rec_set_f32v(r, MIEN_TAG_P_AGE, age, AGES);
}

static int fake(struct mien_rec *r, const struct options *o, uint64_t i)
{
    struct rng rng = {hash_mix(o->seed + 1) ^ hash_mix(i + 1)};
    struct labels l;
    int bad = set_labels(r, o, i, &l);

    if (o->image)
        bad |= set_image(r, &rng);
    if (o->height) {
        const uint32_t dim[3] = {(uint32_t)o->height, (uint32_t)o->width, 3};
        unsigned char *p = mien_rec_alloc(r, MIEN_TAG_PIXELS, MIEN_U8, 3, dim);

        if (p)
            fill_bytes(&rng, p, (size_t)dim[0] * dim[1] * 3);
        bad |= p ? set_text(r, MIEN_TAG_PREP, "crop=whole size=%llux%llu filter=triangle", dim[0],
                            dim[1])
                 : MIEN_ERR_MEM;
    }
    if (o->features) {
        const uint32_t dim = (uint32_t)o->features;
        float *v = mien_rec_alloc(r, MIEN_TAG_FEATURES, MIEN_F32, 1, &dim);
        uint32_t k;

        /* The first two tell the labels, so that a classifier has something to learn. */
        for (k = 0; v && k < dim; k++)
            v[k] = (float)((k == 0   ? 2 * l.gender - 1
                            : k == 1 ? l.age / 25.0 - 1
                                     : 0) +
                           0.5 * rng_normal(&rng));
        bad |= v ? 0 : MIEN_ERR_MEM;
    }
    if (o->predict)
        bad |= set_prediction(r, &rng, &l);
    return bad;
}

int main(int argc, char **argv)
{
    struct options o = {.faces = 3};
    const struct mien_option opts[] = {
        MIEN_OPT_SEED('s', "seed", "N", &o.seed, "another seed, other records [0]"),
        MIEN_OPT_INT(0, "faces", "N", &o.faces, 1, 1000000, "records a subject [3]"),
        MIEN_OPT_FLAG(0, "image", &o.image, "with a JPEG of 64 by 64"),
        MIEN_OPT_FUNC(0, "pixels", "HxW", &o, parse_size, "with pixels"),
        MIEN_OPT_INT(0, "features", "D", &o.features, 1, 1000000, "with D features"),
        MIEN_OPT_FLAG(0, "predict", &o.predict, "with predictions"),
    };
    struct mien_cli cli = {.name = "mien-fake",
                           .synopsis = "[options] N > records.mien",
                           .purpose = "Makes N synthetic records for tests.",
                           .opts = opts,
                           .nopts = MIEN_CLI_NOPTS(opts)};
    struct mien_writer *w;
    struct mien_rec r = {0};
    struct mien_err e;
    long long n;
    uint64_t i;

    if (mien_cli_parse(&cli, argc, argv) != 1)
        mien_cli_die(&cli, "give the number of records");
    if (num_int(argv[1], 0, 1000000000, &n, &e) < 0)
        mien_cli_die(&cli, "%s", e.msg);
    mien_cli_check_output(&cli, 1);
    w = mien_writer_new(1, &e);
    if (!w)
        mien_cli_die(&cli, "%s", e.msg);
    for (i = 0; i < (uint64_t)n; i++) {
        mien_rec_clear(&r);
        if (fake(&r, &o, i) != 0)
            mien_cli_die(&cli, "out of memory");
        if (mien_write(w, &r, &e) < 0)
            mien_cli_die_output(&cli, &e);
    }
    if (mien_writer_end(w, &e) < 0)
        mien_cli_die_output(&cli, &e);
    mien_rec_free(&r);
    mien_writer_free(w);
    return MIEN_EXIT_OK;
}
