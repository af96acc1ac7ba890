/*
 * Samples, as WebDataset has them: an image and the labels beside it, in files of one name
 * (sidecar.h) that follow each other.
 */
#ifndef MIEN_LABELS_SAMPLE_H
#define MIEN_LABELS_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "mien/buf.h"
#include "sidecar.h"

/* How their labels are read. */
struct sample_rule {
    int field[SIDECARS]; /* what .cls and .txt files hold: of sidecar_field; 0: not known */
    struct label_codes codes;
};

/* The sample whose files are coming. Zero-initialized but for rule there is none; its owner frees
   it. */
struct sample {
    const struct sample_rule *rule;
    struct mien_buf name, image, text[SIDECARS]; /* image: the path of the sample's */
    size_t source;                               /* that its files are from */
    bool has_image;

    uint64_t nleft;  /* label files whose field isn't known */
    uint64_t nalone; /* samples of labels without an image, */
    char alone[200]; /* and the first one's name */
};

void sample_free(struct sample *s);

/* Whether a file doesn't belong to the sample: it has another name, is from another source, or is
   the very image again. */
bool sample_is_other(const struct sample *s, size_t source, const char *path, bool image);

/* Begins a sample, or goes on with it, by a file that isn't another's; then sample_image takes the
   path as that of its image, or sample_text n bytes as labels. Each returns 0 or MIEN_ERR_MEM. */
MIEN_CHECKED int sample_file(struct sample *s, size_t source, const char *path);
MIEN_CHECKED int sample_image(struct sample *s, const char *path);
MIEN_CHECKED int sample_text(struct sample *s, enum sidecar kind, const void *text, size_t n);

/* Sets the labels of a kind, as sidecar_json and sidecar_text do. */
MIEN_CHECKED int sample_labels(struct sample *s, enum sidecar kind, struct mien_rec *r,
                               struct mien_err *e);

/* Ends the sample: none is there. */
void sample_end(struct sample *s);

#endif
