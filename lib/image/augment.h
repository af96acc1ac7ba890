/*
 * Augmentation: random changes of training images that leave age and gender as they are.
 *
 * All that is random is drawn from the seed, and drawn whatever is asked for: what one option does
 * to an image doesn't depend on the others. Seeded by record and epoch, a training run is the same
 * whatever its threads.
 */
#ifndef MIEN_IMAGE_AUGMENT_H
#define MIEN_IMAGE_AUGMENT_H

#include <stdbool.h>
#include <stdint.h>

/* How much of what; zeros leave images as they are. Drawn numbers are uniform. */
struct augment {
    bool flip;    /* mirror left and right, half of the time */
    double shift; /* move by up to this share of each side, 0 to 0.5 */
    double zoom;  /* enlarge by a factor from 1 / (1 + zoom) to 1 + zoom (its logarithm is uniform),
                      0 to 1 */
    double rotate; /* turn by up to this many degrees either way, 0 to 180 */

    /* As torchvision's ColorJitter has them, after Howard 2013 (arXiv:1312.5402): factors within
       1 - x and 1 + x on the pixels, on their distance from the image's mean, and on their distance
       from the gray of the same luma. Each 0 to 1. */
    double brightness, contrast, saturation;

    double gray; /* probability of leaving only the luma (ITU-R BT.601) */

    /* Probability of filling a random rectangle with noise: Zhong et al. 2017 (arXiv:1708.04896),
       with their 2 to 40% of the image and sides of a ratio of 0.3 to 1 / 0.3. */
    double erase;

    double stretch; /* widen by a factor from 1 / (1 + stretch) to 1 + stretch (its logarithm is
                       uniform) and make as much lower, 0 to 1 */
    double cast;    /* multiply each channel by a factor of its own, within 1 - x and 1 + x: a light
                       of another color; 0 to 1 */

    /* Probability of a soft copy: blurred (blur.h) as much as shrinking by 1.5 to 4 (its logarithm
       is uniform) and enlarging again would. */
    double soft;
};

/* Whether it changes anything. */
bool augment_any(const struct augment *a);

/* Changes src, h x w RGB, into dst of the same size, which must not overlap. What comes into the
   image from beyond its border repeats the border's pixels. A shift alone is by whole pixels; else
   pixels are interpolated bilinearly. Allocates nothing; any number of threads may call it. */
void augment_pixels(const struct augment *a, const unsigned char *src, int h, int w,
                    unsigned char *dst, uint64_t seed);

#endif
