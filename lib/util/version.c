#include "util/version.h"
#include "mien/version.h"

const char *mien_version(void)
{
    return MIEN_VERSION;
}

#ifdef MIEN_PNG
#define PNG    ", PNG"
#define NO_PNG ""
#else
#define PNG    ""
#define NO_PNG ", built without PNG (libpng)"
#endif
#ifdef MIEN_WEBP
#define WEBP    ", WebP"
#define NO_WEBP ""
#else
#define WEBP    ""
#define NO_WEBP ", built without WebP (libwebp)"
#endif
#ifdef MIEN_HEIF
#define HEIF    ", HEIC, AVIF"
#define NO_HEIF ""
#else
#define HEIF    ""
#define NO_HEIF ", built without HEIC and AVIF (libheif)"
#endif

const char *version_images(void)
{
    return "JPEG" PNG WEBP HEIF NO_PNG NO_WEBP NO_HEIF;
}
