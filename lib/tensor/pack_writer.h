/* Writing packs; mien/pack.h reads them. */
#ifndef MIEN_TENSOR_PACK_WRITER_H
#define MIEN_TENSOR_PACK_WRITER_H

#include "mien/pack.h"

/* Writes a pack to the file at path, which appears whole or not at all. The large tensor goes
   straight there; the others wait in unnamed temporary files, so that memory stays under 2 MiB and
   a record or two whatever the number of records.
   MIEN_PACK_AUTO takes what the first record has: features, else pixels, else the image.
   Returns NULL with MIEN_ERR_SYS's or MIEN_ERR_MEM's message on failure. */
struct pack_writer;
struct pack_writer *pack_writer_new(const char *path, enum mien_pack_kind kind, struct mien_err *e);
void pack_writer_free(struct pack_writer *w); /* without pack_writer_end before it, no file stays;
                                                 NULL is harmless */

/* Adds a record. Returns 0; MIEN_ERR_FORMAT when it doesn't belong in this pack, with the cause,
   and the pack is as before: it lacks what the pack holds, or its shape, its preprocessing or a
   label isn't right. MIEN_ERR_SYS or MIEN_ERR_MEM end the pack. */
MIEN_CHECKED int pack_add(struct pack_writer *w, const struct mien_rec *r, struct mien_err *e);

/* Completes the file. made says in its metadata what wrote it, in a line; history how the records came
   about, see record/history.h. Returns 0, MIEN_ERR_SYS
   or MIEN_ERR_MEM, or MIEN_ERR_ARG when there are no records. */
MIEN_CHECKED int pack_writer_end(struct pack_writer *w, const char *made, const char *history,
                                 struct mien_err *e);

#endif
