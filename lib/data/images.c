#include "images.h"

#include <stdlib.h>
#include <string.h>

struct images {
    struct source *source;
    const struct images_rule *rule;
    struct source_file file;
    enum { NEXT, TAKE, DUE, END } state; /* what is to be done with the file */
    int rc;                              /* END: source_next's last */

    /* DUE: its records that are to be made. */
    struct join_match match; /* their metadata; n 0: one of the path alone */
    size_t made;
    const unsigned char *bytes;
    size_t len;
    bool bad;
    struct mien_err why; /* it is bad, or the end came */

    struct sample sample; /* whose image is in rec */
    struct mien_rec rec;
    uint64_t nother;
};

struct images *images_new(struct source *s, const struct images_rule *rule, struct mien_err *e)
{
    struct images *im = calloc(1, sizeof *im);
    if (im == NULL) {
        mien_err_mem(e, sizeof *im, "images");
        return NULL;
    }
    im->source = s;
    im->rule = rule;
    im->sample.rule = &rule->labels;
    return im;
}

void images_free(struct images *im)
{
    if (im == NULL)
        return;
    sample_free(&im->sample);
    mien_rec_free(&im->rec);
    free(im);
}

uint64_t images_skipped(const struct images *im)
{
    return im->nother + source_skipped(im->source);
}

const struct sample *images_samples(const struct images *im)
{
    return &im->sample;
}

/* --- Records -------------------------------------------------------------------------------- */

/* A record of the path alone. */
static int set_path(struct images *im, struct mien_err *e)
{
    const char *path = im->file.path;
    mien_rec_clear(&im->rec);
    return mien_rec_set_str(&im->rec, MIEN_TAG_ID, path) < 0
               ? mien_err_mem(e, strlen(path), "an id")
               : 0;
}

static int set_image(struct images *im, struct mien_err *e)
{
    const uint32_t dim = (uint32_t)im->len;
    unsigned char *p = mien_rec_alloc(&im->rec, MIEN_TAG_IMAGE, MIEN_U8, 1, &dim);
    if (p == NULL || mien_rec_set_str(&im->rec, MIEN_TAG_IMAGE_KIND, im->file.kind) < 0)
        return mien_err_mem(e, im->len, "an image");
    memcpy(p, im->bytes, im->len);
    return 0;
}

/* Loads the file. Returns 1; 0 when it is bad; or a negative code. */
static int load(struct images *im, struct mien_err *e)
{
    im->bad = im->file.error != NULL;
    if (im->bad) {
        mien_err_set(&im->why, MIEN_ERR_FORMAT, "%s", im->file.error);
        return 0;
    }
    int rc = source_load(im->source, &im->bytes, &im->len, e);
    im->bad = rc == 0;
    if (im->bad)
        im->why = *e;
    return rc;
}

static int give_record(struct images *im, struct images_record *out, struct mien_err *e)
{
    int rc = im->match.n > 0 ? join_get(im->rule->join, im->match.first + im->made, &im->rec, e)
                             : set_path(im, e);
    if (rc == 0 && !im->bad)
        rc = set_image(im, e);
    if (rc < 0)
        return rc;
    if (++im->made >= im->match.n)
        im->state = NEXT;
    out->rec = &im->rec;
    out->bad = im->bad ? im->why.msg : NULL;
    out->nunread = 0;
    return 1;
}

/* The sample's image, with the labels beside it. */
static int give_sample(struct images *im, struct images_record *out, struct mien_err *e)
{
    out->rec = &im->rec;
    out->bad = NULL;
    out->nunread = 0;
    for (int i = SIDECAR_JSON; i < SIDECARS; i++) {
        int rc = sample_labels(&im->sample, (enum sidecar)i, &im->rec, e);
        if (rc == MIEN_ERR_MEM)
            return rc;
        if (rc < 0)
            out->unread[out->nunread++] = *e;
    }
    sample_end(&im->sample);
    return 1;
}

/* --- Files ---------------------------------------------------------------------------------- */

/* Looks for the file's metadata, and whether it becomes records. */
static int take_file(struct images *im, struct mien_err *e)
{
    const struct source_file *f = &im->file;
    struct join *join = im->rule->join;
    bool image = f->image || f->error != NULL;
    im->match.n = 0;
    int found = join != NULL ? join_find(join, f->path, &im->match, e) : 0;
    if (found <= 0 && !image) {
        im->nother++;
        return 0;
    }
    if (join != NULL && found == 0) {
        join_missed(join, f->path);
        return 0;
    }
    im->state = DUE;
    im->made = 0;
    im->bad = found < 0 || !image;
    if (found < 0)
        im->why = *e;
    else if (!image)
        mien_err_set(&im->why, MIEN_ERR_FORMAT, "%s%snot an image", f->kind != NULL ? f->kind : "",
                     f->kind != NULL ? ", " : "");
    return im->bad ? 0 : load(im, e);
}

/* Takes a file of the sample; one that can't be read is a record of its own. */
static int take_part(struct images *im, struct mien_err *e)
{
    const struct source_file *f = &im->file;
    struct sample *s = &im->sample;
    enum sidecar kind = f->image ? SIDECAR_NONE : sidecar_kind(f->path);
    if (sample_file(s, source_at(im->source), f->path) < 0)
        return mien_err_mem(e, strlen(f->path), "a name");
    /* Another image of the name may be a mask. */
    if (kind == SIDECAR_NONE && (s->has_image || (!f->image && f->error == NULL))) {
        im->nother++;
        return 0;
    }
    int rc = load(im, e);
    if (rc == 0) {
        im->state = DUE;
        im->match.n = im->made = 0;
    } else if (rc > 0 && kind != SIDECAR_NONE) {
        rc = sample_text(s, kind, im->bytes, im->len);
    } else if (rc > 0 && (rc = set_path(im, e)) == 0 && (rc = set_image(im, e)) == 0) {
        rc = sample_image(s, f->path);
    }
    return rc;
}

/* Whether the sample is whole, should there be one. */
static bool sample_is_over(const struct images *im)
{
    const struct source_file *f = &im->file;
    return im->state != TAKE ||
           sample_is_other(&im->sample, source_at(im->source), f->path, f->image);
}

int images_next(struct images *im, struct images_record *out, struct mien_err *e)
{
    for (;;) {
        if (im->state == NEXT) {
            im->rc = source_next(im->source, &im->file, &im->why);
            im->state = im->rc > 0 ? TAKE : END;
        }
        if (im->rule->sidecar && sample_is_over(im)) {
            if (im->sample.has_image)
                return give_sample(im, out, e);
            sample_end(&im->sample);
        }
        if (im->state == DUE)
            return give_record(im, out, e);
        if (im->state == END) {
            *e = im->why;
            return im->rc;
        }
        im->state = NEXT; /* unless it becomes records */
        int rc = im->rule->sidecar ? take_part(im, e) : take_file(im, e);
        if (rc < 0)
            return rc;
    }
}
