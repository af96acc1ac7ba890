/*
 * Sessions: a model loaded and run on pixels, or on records by a filter's workers.
 *
 *     struct mien_session *s = mien_session_open("face.model", &e);
 *     struct mien_session_options o = {.jobs = 1, .batch = 1};
 *     if (s == NULL || mien_session_start(s, NULL, &o, &e) < 0)
 *         ... e.msg ...
 *     struct mien_prediction p;
 *     const void *face = pixels; // mien_session_size(s).h x .w x 3, RGB
 *     if (mien_session_predict(s, 0, &face, 1, &p, &e) == 0)
 *         printf("%.1f years\n", p.age);
 *     mien_session_close(s);
 *
 * Results don't depend on the number of workers, nor on which faces share a batch.
 *
 * Threads: a session is opened, started and closed by one; then each worker's calls are one
 * thread's at a time, those of different workers may run together.
 */
#ifndef MIEN_SESSION_H
#define MIEN_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "mien/buf.h"
#include "mien/err.h"
#include "mien/image.h"
#include "mien/record.h"

#ifdef __cplusplus
extern "C" {
#endif

struct mien_session;

/* Loads a model: the file at that path or, where there is none, one of that name in the folders that
   mien(7) lists under ENVIRONMENT. NULL with a message that names the file. */
struct mien_session *mien_session_open(const char *model, struct mien_err *e);
void mien_session_close(struct mien_session *s); /* NULL is harmless */

/* What the model reads: pixels of this size, or features where it is 0 x 0; and how many numbers
   that is, h * w * 3 or features. */
struct mien_size mien_session_size(const struct mien_session *s);
size_t mien_session_inputs(const struct mien_session *s);

/* How a session runs. */
struct mien_session_options {
    int jobs;    /* workers, at least 1: threads that run the session at the same time */
    int batch;   /* the most inputs of one call, at least 1 */
    bool int8;   /* convolutions in eight bits: faster, almost as accurate */
    bool bf16;   /* or in bfloat16, where the processor has AVX512_BF16: as accurate as floats */
    bool mirror; /* results are means over the pixels and their mirror image; twice the time */
    bool raw;    /* confidences without the model's temperatures */
    size_t max_memory; /* bound of the bytes that a worker needs to run it, where inputs that don't
                          fit together are run in turn; 0: 1 GiB */
    bool force;        /* take records that were made in another way than the model expects */
};

/* Makes it ready to run up to `layer`, whose output are its results; with NULL up to the heads
   gender and age, of which one may be missing. Called once. Returns 0; MIEN_ERR_ARG when there is
   no such layer, a head isn't one of gender or age, features are to be mirrored, int8 and bf16 are
   both asked for, or bf16 of a processor that lacks it; MIEN_ERR_FORMAT when the heads and the
   preprocessing contradict each other; MIEN_ERR_LIMIT when it needs more memory than max_memory; or
   MIEN_ERR_MEM. */
MIEN_CHECKED int mien_session_start(struct mien_session *s, const char *layer,
                                    const struct mien_session_options *o, struct mien_err *e);

/* The layer whose output is the model's features: the one it names, or what its heads read. The
   name is the session's. NULL with a message where the heads read different ones. */
const char *mien_session_features_layer(const struct mien_session *s, struct mien_err *e);

/* After a start with a layer: how many numbers its output has, and a name for them: the layer's and
   a hash of all weights that they depend on, "global_pooling@1f2e3d4c". Outputs of the same name
   are interchangeable. The name is the session's. */
size_t mien_session_outputs(const struct mien_session *s);
const char *mien_session_output_name(const struct mien_session *s);

/* Appends a line of a digest of the model and, indented, how it was made, as mien-net --history prints
   it. Returns 0 or MIEN_ERR_MEM. */
int mien_session_origin(const struct mien_session *s, struct mien_buf *out);

/* What the heads tell of a face. */
struct mien_prediction {
    bool valid;                   /* false: the network's outputs are no probabilities, as those of
                                     absurd weights may not be, and the rest is of no use */
    bool has_gender, has_age;     /* whether the model has that head; else its numbers are zeros */
    float p_gender[MIEN_GENDERS]; /* probability of female, of male */
    float p_age[MIEN_AGES];       /* probability of each age from 0 to 100 years */
    double age;                   /* the expectation, in years */
    double conf_gender;           /* probability that the more probable gender is right */
    double conf_age; /* probability that the age is within 5 years of the expected one */
};

/* Runs n inputs, at most a batch: in[i] points to mien_session_inputs numbers, bytes of pixels
   (RGB) or floats of features. worker, 0 to jobs - 1, is the calling thread. After a start without
   a layer. Fills out[0..n-1] and returns 0, or MIEN_ERR_ARG after a start with a layer. */
MIEN_CHECKED int mien_session_predict(struct mien_session *s, int worker, const void *const *in,
                                      int n, struct mien_prediction *out, struct mien_err *e);

/* The same after a start with a layer: *out points to n rows of mien_session_outputs floats, in the
   worker's memory until its next call. Returns 0, or MIEN_ERR_ARG after a start without a layer. */
MIEN_CHECKED int mien_session_embed(struct mien_session *s, int worker, const void *const *in,
                                    int n, const float **out, struct mien_err *e);

/* Finds the inputs of n records, at most a batch: pixels of the model's size, or features. Records
   that have none are failed (mien_rec_fail), and photographs without a face (mien_rec_faceless)
   stay as they are. used[] receives the others' indices into rec, in[]
   their inputs, which are the records'; both have room for n. Returns how many; or MIEN_ERR_FORMAT
   when a record's preprocessing isn't what the model expects, which is the whole stream's fault. With
   the option force such a record is taken, and its preprocessing gets the word forced=KEY. */
MIEN_CHECKED int mien_session_records(const struct mien_session *s, struct mien_rec **rec, size_t n,
                                      size_t *used, const void **in, struct mien_err *e);

#ifdef __cplusplus
}
#endif

#endif
