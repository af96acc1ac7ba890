/* Blurring of pixels in place. */
#ifndef MIEN_IMAGE_BLUR_H
#define MIEN_IMAGE_BLUR_H

#define BLUR_MAX 8.0

/* Blurs px, h x w RGB, in either direction by two boxes that together have this standard deviation,
   0 to BLUR_MAX pixels. Beyond the border it repeats the border. Allocates nothing; any number of
   threads may call it, each with pixels of its own. */
void blur_pixels(unsigned char *px, int h, int w, double sigma);

#endif
