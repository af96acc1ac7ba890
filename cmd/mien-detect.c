/* mien-detect: finds the faces in photographs; writes a record for each. */
#include <stdlib.h>

#include "detect/detect.h"
#include "mien/filter.h"

static const char usual_model[] = "detect.model";

struct worker {
    struct detect_work *work;
    struct face_list faces;
    struct mien_buf id;
    uint64_t photos, found, empty, damaged;
};

struct detect {
    struct mien_filter filter;
    struct detect_options how;
    struct img_limits limits;
    bool keep_empty;
    struct model model;
    struct detector *detector;
    struct worker *worker;
};

/* Removes what was known of another face. */
static void forget_face(struct mien_rec *r)
{
    static const int tags[] = {MIEN_TAG_BOX, MIEN_TAG_SCORE, MIEN_TAG_SCORE2, MIEN_TAG_LANDMARKS};
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++)
        mien_rec_del(r, tags[i]);
}

/* Makes r the record of face k of a photograph. */
static int set_face(struct mien_rec *r, const struct mien_rec *photo, const struct face_list *l,
                    size_t k, struct mien_buf *id)
{
    const struct face *f = &l->face[k];
    size_t len = 0;
    const char *name = mien_rec_text(photo, MIEN_TAG_ID, &len);
    int rc = mien_rec_share(r, photo);
    forget_face(r);
    mien_buf_clear(id);
    rc |= mien_buf_append(id, name != NULL ? name : "", len);
    rc |= mien_buf_printf(id, "#%zu", k + 1);
    if (rc == 0)
        rc = mien_rec_set_text(r, MIEN_TAG_ID, (const char *)id->data, id->len);
    float *point =
        mien_rec_alloc(r, MIEN_TAG_LANDMARKS, MIEN_F32, 2, (uint32_t[]){MIEN_FACE_POINTS, 2});
    for (int i = 0; point != NULL && i < MIEN_FACE_POINTS; i++) {
        point[2 * i] = f->point[i][0];
        point[2 * i + 1] = f->point[i][1];
    }
    rc |= mien_rec_set_f32v(r, MIEN_TAG_BOX, f->box, 4) |
          mien_rec_set_f32(r, MIEN_TAG_SCORE, f->score) |
          mien_rec_set_i32(r, MIEN_TAG_FACES, (int32_t)l->n);
    return rc != 0 || point == NULL ? MIEN_ERR_MEM : 0;
}

/* Finds the faces of photograph i and adds their records. */
static int detect_one(struct detect *d, int worker, struct mien_rec *r, size_t i, bool *drop,
                      struct mien_err *e)
{
    struct worker *w = &d->worker[worker];
    const struct mien_field *image = mien_rec_find(r, MIEN_TAG_IMAGE);
    if (image == NULL)
        return mien_err_set(e, MIEN_ERR_FORMAT, "no image in the record");
    int rc = detect_photo(d->detector, w->work, image->data, image->len, &d->limits, &w->faces, e);
    if (rc < 0)
        return rc;
    w->damaged += detect_damage(w->work) != NULL;
    w->photos++;
    w->found += w->faces.n;
    w->empty += w->faces.n == 0;
    *drop = w->faces.n > 0 || !d->keep_empty;
    for (size_t k = 0; k < w->faces.n; k++) {
        struct mien_rec *face = mien_filter_add(&d->filter, worker, i);
        if (face == NULL || set_face(face, r, &w->faces, k, &w->id) < 0)
            return mien_err_mem(e, sizeof *face, "a face");
    }
    if (*drop)
        return 0;
    forget_face(r);
    return mien_rec_set_i32(r, MIEN_TAG_FACES, 0);
}

static int detect(void *ctx, int worker, struct mien_rec **rec, size_t n, bool *drop,
                  struct mien_err *e)
{
    for (size_t i = 0; i < n; i++) {
        int rc = detect_one(ctx, worker, rec[i], i, &drop[i], e);
        if (rc == MIEN_ERR_MEM)
            return rc;
        if (rc < 0)
            mien_rec_fail(rec[i], "%s", e->msg);
    }
    return 0;
}

static void start(struct detect *d, const char *path)
{
    const struct mien_cli *c = d->filter.cli;
    struct mien_err e;
    if (model_load(&d->model, path, &e) < 0)
        mien_cli_die(c, "%s%s", e.msg, path == usual_model ? "; mien-models fetches it" : "");
    if ((d->detector = detector_new(&d->model, &d->how, &e)) == NULL)
        mien_cli_die(c, "'%s': %s", path, e.msg);
    struct mien_buf origin = {0};
    if (model_origin(&d->model, &origin) < 0)
        mien_cli_die(c, "out of memory");
    mien_cli_history(d->filter.cli, "%.*s", (int)origin.len, (const char *)origin.data);
    mien_buf_free(&origin);
    d->worker = calloc((size_t)d->filter.jobs, sizeof *d->worker);
    if (d->worker == NULL)
        mien_cli_die(c, "out of memory");
    for (int i = 0; i < d->filter.jobs; i++) {
        if ((d->worker[i].work = detect_work_new(d->detector, &e)) == NULL)
            mien_cli_die(c, "%s", e.msg);
    }
}

/* Frees what start made, and prints the summary. */
static void finish(struct detect *d)
{
    const struct mien_cli *c = d->filter.cli;
    unsigned long long photos = 0, found = 0, empty = 0, damaged = 0;
    for (int i = 0; i < d->filter.jobs; i++) {
        struct worker *w = &d->worker[i];
        photos += w->photos;
        found += w->found;
        empty += w->empty;
        damaged += w->damaged;
        detect_work_free(w->work);
        face_list_free(&w->faces);
        mien_buf_free(&w->id);
    }
    free(d->worker);
    detector_free(d->detector);
    model_free(&d->model);
    mien_cli_note(c, "photographs: %llu, faces: %llu, photographs without a face: %llu", photos,
                  found, empty);
    if (damaged > 0)
        mien_cli_note(c, "used what could be decoded of %llu damaged images", damaged);
}

int main(int argc, char **argv)
{
    struct detect d = {.how = {.min_score = 0.7, .min_size = 20}, .filter.batch = 1};
    bool largest = false;
    size_t max_pixels = 0;
    const struct mien_option opts[] = {
        MIEN_OPT_REAL(0, "min-score", "F", &d.how.min_score, 0, 1,
                      "keep faces with at least this score, 0 to 1 [0.7]"),
        MIEN_OPT_REAL(0, "min-size", "N", &d.how.min_size, 0, MIEN_MAX_SIDE,
                      "keep faces at least N pixels wide in the photograph [20]"),
        MIEN_OPT_INT(0, "max-faces", "N", &d.how.max_faces, 1, 1 << 16,
                     "keep the N largest faces of a photograph [all]"),
        MIEN_OPT_FLAG(0, "largest", &largest, "keep only the largest face"),
        MIEN_OPT_FLAG(0, "keep-empty", &d.keep_empty, "pass on photographs without a face"),
        MIEN_OPT_FLAG(0, "tolerant", &d.limits.tolerant,
                      "use what can be decoded of damaged images"),
        MIEN_OPT_SIZE(0, "max-pixels", "N", &max_pixels, 1, 4294967295.0,
                      "refuse larger images [64M]"),
        MIEN_OPT_SIZE(0, "max-memory", "SIZE", &d.how.max_memory, 1, 1e15,
                      "refuse networks that need more in a thread [1G]"),
        MIEN_FILTER_OPTIONS(d.filter),
        MIEN_OPT_ALIAS('s', NULL, "min-score"),
        MIEN_OPT_ALIAS('z', NULL, "min-size"),
        MIEN_OPT_ALIAS('n', NULL, "max-faces"),
        MIEN_OPT_ALIAS('l', NULL, "largest"),
        MIEN_OPT_ALIAS('k', NULL, "keep-empty"),
    };
    struct mien_cli cli = {
        .name = "mien-detect",
        .synopsis = "[options] [MODEL] < images.mien > faces.mien",
        .purpose = "Finds the faces in photographs and writes a record for each.",
        .opts = opts,
        .nopts = MIEN_CLI_NOPTS(opts),
        .uses = MIEN_CLI_FILTER,
        .examples = "mien-images photos/ | mien-detect | mien-view -c id,score,box\n"
                    "mien-images photos/ | mien-detect --largest | mien-crop --align > faces.mien",
    };
    d.filter.cli = &cli;
    d.filter.fn = detect;
    d.filter.ctx = &d;
    int n = mien_cli_parse(&cli, argc, argv);
    n = mien_cli_filter_operands(&cli, n, argv, 0, 1, "MODEL");
    if (largest)
        d.how.max_faces = 1;
    d.limits.max_pixels = max_pixels;
    mien_filter_prepare(&d.filter);
    start(&d, n > 0 ? argv[1] : usual_model);
    int status = mien_filter_run(&d.filter);
    finish(&d);
    return status;
}
