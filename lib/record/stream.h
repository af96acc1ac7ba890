/* A stream's records as bytes: what their reader and their writer share. record.h describes it. */
#ifndef MIEN_RECORD_STREAM_H
#define MIEN_RECORD_STREAM_H

#include <stddef.h>

/* A record's header: "MIEN", the version, the kind, the number of fields (16 bits), the length of
   the body and the CRC-32 of all but itself. */
enum { HEADER = 16, VERSION = 1, KIND_RECORD = 0, KIND_END = 1 };

#define IO_SIZE ((size_t)256 << 10) /* bytes held back before a write, read at once at most */

#endif
