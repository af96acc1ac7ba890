/*
 * Image records of a source's files: one of each image, or of each that metadata are joined with;
 * or of samples, images with the labels in the files beside them.
 *
 * A record has the path as its id, or what its metadata say, and the image's bytes and kind. An
 * image that can't be read is a record all the same, as is a file of another kind that metadata
 * call an image.
 */
#ifndef MIEN_DATA_IMAGES_H
#define MIEN_DATA_IMAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "join.h"
#include "labels/sample.h"
#include "source.h"

struct images_rule {
    struct join *join;         /* sorted metadata; NULL: none */
    bool sidecar;              /* without metadata: the labels beside an image count */
    struct sample_rule labels; /* those */
};

/* A record. */
struct images_record {
    struct mien_rec *rec; /* its fields may be changed; valid until the next call */
    const char *bad;      /* why its image can't be used, which it then lacks; NULL: it is good */
    /* What can't be used of the labels beside it, of nunread files; the rest of them is set. */
    struct mien_err unread[SIDECARS];
    int nunread;
};

struct images;

/* The source and *rule stay the caller's and must live. NULL when out of memory. */
struct images *images_new(struct source *s, const struct images_rule *rule, struct mien_err *e);
void images_free(struct images *im); /* NULL is harmless */

/* The next record. Returns 1; 0 at the end; or a negative code of source_next's or MIEN_ERR_MEM:
   there is no going on then. */
MIEN_CHECKED int images_next(struct images *im, struct images_record *out, struct mien_err *e);

/* The files passed over so far, of images without metadata none; and the samples. */
uint64_t images_skipped(const struct images *im);
const struct sample *images_samples(const struct images *im);

#endif
