/* What the targets of image formats share: what kind an image is, how it is turned, and several faces
   cut out of it, by a cutter that has seen others before; and one of them alone by a new one, which
   must give the same. The last bytes say how. */
#ifndef FUZZ_CUTS_H
#define FUZZ_CUTS_H

#include "fuzz.h"
#include "../jpeg_make.h"

#include "image/decoder.h"
#include "image/img.h"
#include "mien/record.h"

enum { CUTS = 3, MAX_BYTES = 1 << 18, MAX_PIXELS = 1 << 20 };

/* Plans and runs n cuts. Returns a code that they share, or 0. */
static int cut_all(struct mien_cutter *c, const struct mien_crop *how, const uint8_t *data,
                   size_t size, struct mien_cut *cut, size_t n)
{
    struct mien_err e = {{0}};
    int rc = mien_cutter_plan(c, how, data, size, cut, n, &e);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (cut[i].rc < 0) {
            fuzz_error(cut[i].rc, &cut[i].err);
            continue;
        }
        size_t bytes = (size_t)cut[i].size.h * (size_t)cut[i].size.w * 3;
        FUZZ_CHECK(cut[i].size.h > 0 && cut[i].size.w > 0 && bytes <= MAX_BYTES);
        cut[i].out = malloc(bytes);
        FUZZ_CHECK(cut[i].out != NULL);
        memset(cut[i].out, 1, bytes);
    }
    if (rc == 0)
        rc = mien_cutter_run(c, cut, n, &e);
    if (rc < 0)
        fuzz_error(rc, &e);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (cut[i].rc < 0)
            fuzz_error(cut[i].rc, &cut[i].err);
    }
    return rc;
}

/* A cutter that has cut an image. */
static struct mien_cutter *used_cutter(void)
{
    static const struct mien_crop whole = {.whole = true, .inner = 1, .max_bytes = MAX_BYTES};
    struct mien_cut cut = {0};
    struct mien_err e;
    struct mien_cutter *c = mien_cutter_new(&e);
    FUZZ_CHECK(c != NULL);
    size_t n;
    unsigned char *px = picture(16, 16, 1);
    unsigned char *file = jpeg_make(px, 16, 16, &(struct jpeg_how){.space = JCS_YCbCr}, 60, &n);
    FUZZ_CHECK(cut_all(c, &whole, file, n, &cut, 1) == 0 && cut.rc == 0);
    free(cut.out);
    free(file);
    free(px);
    return c;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct mien_cutter *c;
    static const double margins[] = {0, 0.4, 2, 0.05};
    struct mien_err e;
    struct mien_cut cut[CUTS] = {{0}};
    float box[CUTS][4], point[2 * MIEN_FACE_POINTS];
    if (c == NULL)
        c = used_cutter();

    img_kind(data, size);
    int turned = img_exif_orientation(data, size);
    FUZZ_CHECK(turned >= 1 && turned <= 8);

    unsigned bits = fuzz_last(data, &size), more = fuzz_last(data, &size);
    struct mien_crop how = {
        .whole = (bits & 3) == 1,
        .align = (bits & 3) == 2,
        .stored = bits & 4,
        .tolerant = bits & 8,
        .inner = bits & 16 ? 0.5 : 1,
        .margin = margins[bits >> 5 & 3],
        .target = bits & 128 ? (struct mien_size){20, 20} : (struct mien_size){0, 0},
        .size = more & 4 ? (struct mien_size){17, 23} : (struct mien_size){0, 0},
        .resampling = (enum mien_resampling)((more & 3) % 3),
        .max_bytes = MAX_BYTES,
        .max_pixels = MAX_PIXELS,
    };
    for (int i = 0; i < CUTS; i++) {
        for (int k = 0; k < 4; k++)
            box[i][k] = (float)(fuzz_last(data, &size) * (k < 2 ? 1 : 2)) - 20;
        cut[i] = (struct mien_cut){.box = box[i], .point = point, .npoint = MIEN_FACE_POINTS};
    }
    for (int i = 0; i < 2 * MIEN_FACE_POINTS; i++)
        point[i] = (float)fuzz_last(data, &size);
    size_t which = (more >> 4) % CUTS;
    struct mien_cut one = cut[which], *all = &cut[which];

    int rc = cut_all(c, &how, data, size, cut, CUTS);
    struct mien_cutter *fresh = mien_cutter_new(&e);
    FUZZ_CHECK(fresh != NULL && cut_all(fresh, &how, data, size, &one, 1) == rc);
    mien_cutter_free(fresh);
    FUZZ_CHECK(rc < 0 || all->rc == one.rc);
    if (rc == 0 && one.rc == 0) {
        FUZZ_CHECK(all->size.h == one.size.h && all->size.w == one.size.w);
        FUZZ_CHECK(all->damaged == one.damaged);
        FUZZ_CHECK(memcmp(all->out, one.out, (size_t)one.size.h * (size_t)one.size.w * 3) == 0);
    }
    free(one.out);
    for (int i = 0; i < CUTS; i++)
        free(cut[i].out);
    return 0;
}

/* The n bytes of a file, as seeds with four ways to cut it. */
static inline void seed_file(const char *name, const void *file, size_t n)
{
    /* The last bytes: landmarks, three boxes, and how; see above. */
    static const uint8_t tail[] = {20, 50, 50, 50, 40, 40, 20, 20, 50, 20, 40, 30, 60,
                                   60, 20, 20, 90, 90, 0,  0,  30, 30, 40, 40, 0,  0};
    for (unsigned k = 0; k < 4; k++) {
        uint8_t *all = malloc(n + sizeof tail);
        char full[64];
        FUZZ_CHECK(all != NULL);
        memcpy(all, file, n);
        memcpy(all + n, tail, sizeof tail);
        all[n + sizeof tail - 1] = (uint8_t)(k | (k & 1 ? 8 : 128));
        all[n + sizeof tail - 2] = (uint8_t)(k * 2);
        snprintf(full, sizeof full, "%s-%u", name, k);
        fuzz_seed(full, all, n + sizeof tail);
        free(all);
    }
}

#endif
