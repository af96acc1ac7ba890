/* What this build of mien can do that another may lack. */
#ifndef MIEN_UTIL_VERSION_H
#define MIEN_UTIL_VERSION_H

/* The formats of images that are decoded, and those that were left out, with the libraries that
   they need: a constant string. */
const char *version_images(void);

#endif
