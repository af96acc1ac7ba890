/*
 * Plans: a network compiled for running forward, on batches of images.
 *
 * Compiling folds batch normalization into the weights before it, fuses bias and activation into
 * the layer that makes their input, drops what does nothing at inference (dropout, flatten), and
 * lays out memory so that it is reused as soon as a value is no longer needed. A plan is read-only
 * and shared by threads; each thread brings its own work space.
 *
 * A batch is worked off in groups of images, small ones where activations are large, so that a
 * layer's input and output stay in the cache.
 */
#ifndef MIEN_INFER_PLAN_H
#define MIEN_INFER_PLAN_H

#include <stddef.h>

#include "net/model.h"

struct plan;
struct plan_work;

/* The usual bound of a work space. A photograph's layers take some megabytes, those of networks for
   large images some hundred. */
#define PLAN_MAX_BYTES ((size_t)1 << 30)

/* How convolutions are computed: in floats; but of those that don't read the input, PRECISION_INT8
   takes, where 64 channels or more are read, an image's values as 256 steps between the least and
   the largest that a layer reads, and the weights as 255 for each output; PRECISION_BF16, which needs
   AVX512_BF16, rounds values and weights to bfloat16 where there are no groups: the weights so that
   their errors cancel on average (bf16_balance). Everything else stays in floats. */
enum precision { PRECISION_FLOAT, PRECISION_INT8, PRECISION_BF16 };

/* Whether plans of this precision can be made here: 0 or MIEN_ERR_ARG. */
MIEN_CHECKED int plan_check(enum precision precision, struct mien_err *e);

/* Compiles the layers that `out` (nout indices into m->net, at least one) depend on. The model may
   be freed afterwards. batch is the most images that are run together. NULL with a message on
   failure. */
struct plan *plan_new(const struct model *m, const int *out, int nout, int batch,
                      enum precision precision, struct mien_err *e);
void plan_free(struct plan *p); /* NULL is harmless */

/* Bounds the bytes of a work space, which is to be made afterwards, together with the results of a
   batch: where they would need more, fewer images are run at a time, with the same results. Returns
   0; MIEN_ERR_LIMIT where a single image needs more; or MIEN_ERR_MEM. */
MIEN_CHECKED int plan_bound(struct plan *p, size_t bytes, struct mien_err *e);

/* Elements of output k for one image, and the bytes of one work space. */
size_t plan_out_count(const struct plan *p, int k);
size_t plan_work_bytes(const struct plan *p);

struct plan_work *plan_work_new(const struct plan *p, struct mien_err *e);
void plan_work_free(struct plan_work *w); /* NULL is harmless */

/* Makes a work space one of another plan; it grows where that needs more. Returns 0 or
   MIEN_ERR_MEM. */
MIEN_CHECKED int plan_work_refit(struct plan_work *w, const struct plan *p, struct mien_err *e);

/* Runs n images. For a model of pixels, in[i] points to unsigned char [h, w, 3], RGB; for one of
   features, to float[d]. out[k] receives n x plan_out_count(k) floats. */
void plan_run(const struct plan *p, struct plan_work *w, const void *const *in, int n,
              float *const *out);

/* The instructions that the plan's inner loops use: amx, avx512, avx2 or portable; avx512vnni,
   avx512bw, avx2 or portable in eight bits; amx-bf16 or avx512bf16. The best that the processor has,
   unless the environment's MIEN_SIMD, see simd.h, names another; plan_new fails where the processor
   lacks that. Results differ in rounding. */
const char *plan_simd(const struct plan *p);

/* Where the time goes. A plan's steps, in order; a step stands for a layer and those fused into
   it, and has the layer's multiply-adds for one image. After plan_time every run with this work
   space adds the seconds of step i to seconds[i]. */
int plan_steps(const struct plan *p);
const struct layer *plan_step(const struct plan *p, int i, double *madds);
void plan_time(struct plan_work *w, double *seconds);

#endif
