/* HEIC and AVIF files, by libheif; see cuts.h. */
#include "cuts.h"

#ifdef MIEN_FUZZ
/* Version 1.0 forgets 200 bytes of an image that it can't decode. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libdav1d\n";
}
#endif
