/* HEIC and AVIF files, by libheif; see cuts.h. */
#include "cuts.h"
