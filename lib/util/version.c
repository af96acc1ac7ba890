#include "mien/version.h"

const char *mien_version(void)
{
    return MIEN_VERSION;
}
