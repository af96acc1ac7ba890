/*
 * Records' images as files: in a folder, or in tar archives with their labels beside them, as
 * WebDataset has it: NAME.jpg and NAME.json.
 *
 * A file is named by its record's id, whose folders become folders. What an id may not do is
 * escaped as %XX: lead out of the folder, hide the file, drive a terminal, or mean something to a
 * shell or to Windows. The extension of a photograph goes, for that of what is written, and the
 * number of a face stays: a/x.jpg#2 becomes a/x#2.png. Two records never share a name, nor do
 * names that differ only in case: the later one gets ~2, ~3, ... In an archive the last part of a
 * name has no dot, with which an extension begins there.
 */
#ifndef MIEN_DATA_EXPORT_H
#define MIEN_DATA_EXPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "mien/record.h"
#include "record/text.h"

enum export_encoding { EXPORT_PNG, EXPORT_JPEG };

struct export_to {
    const char *dir; /* a folder, made if it isn't there, */
    const char *tar; /* or an archive; "-" is standard output. With one %d, or %06d, a shard each */
    size_t tar_size; /* bytes that a shard isn't to exceed; 0: 1 GiB, and shards needn't be */
    int encoding;    /* enum export_encoding: what pixels become */
};

struct exporter;

/* Begins; *to stays the caller's and must live. Returns NULL with MIEN_ERR_ARG's message for a name
   of shards that makes no sense, or one without a number where shards have a size, or out of
   memory. */
struct exporter *export_new(const struct export_to *to, struct mien_err *e);
void export_free(struct exporter *x); /* NULL is harmless; a shard that wasn't ended is dropped */

/* Writes a record's image: its pixels, encoded, or else the image as it is; what else of it is
   chosen goes into the JSON beside it. Returns 1; 0 for a record with an error, which is passed
   over; MIEN_ERR_FORMAT for one without an image; or MIEN_ERR_SYS or MIEN_ERR_MEM. */
MIEN_CHECKED int export_put(struct exporter *x, const struct mien_rec *r,
                            const struct text_table *chosen, struct mien_err *e);

/* Ends the archive. Returns 0 or MIEN_ERR_SYS. */
MIEN_CHECKED int export_end(struct exporter *x, struct mien_err *e);

#endif
