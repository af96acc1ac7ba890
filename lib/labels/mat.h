/*
 * MATLAB 5 files (MAT-File Level 5, "MAT-File Format", MathWorks), read as a stream.
 *
 * Arrays come in the order of the file; an array of cells or a struct is entered by asking for its
 * children. Compressed variables are inflated on the way, so that a file can come from a pipe and
 * memory stays at a few hundred kilobytes whatever its size. Every length is checked against the
 * array that it lies in; none is trusted for an allocation.
 *
 * Files of version 7.3 are HDF5, those of version 4 an older format: both are refused by name.
 * Sparse arrays, objects and function handles are skipped, not read.
 */
#ifndef MIEN_LABELS_MAT_H
#define MIEN_LABELS_MAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mien/buf.h"
#include "mien/err.h"

#define MAT_HEAD       128 /* bytes of a file's header */
#define MAT_MAX_NAME   64  /* a name and its terminating zero */
#define MAT_MAX_FIELDS 64
#define MAT_MAX_TEXT   65528       /* stored bytes of one string */
#define MAT_MAX_CHARS  (64u << 20) /* and of a char matrix */

/* What an array holds. Numeric classes are all from MAT_DOUBLE to MAT_UINT64. */
enum mat_class {
    MAT_CELL = 1,
    MAT_STRUCT = 2,
    MAT_OBJECT = 3,
    MAT_CHAR = 4,
    MAT_SPARSE = 5,
    MAT_DOUBLE = 6,
    MAT_SINGLE = 7,
    MAT_INT8 = 8,
    MAT_UINT64 = 15
};

/* The array that is being read. The last members are the reader's own. */
struct mat_array {
    int class;
    uint32_t rows;
    uint64_t count;          /* elements: the product of the dimensions */
    char name[MAT_MAX_NAME]; /* "" for a cell or a field */

    uint64_t end;  /* where it ends in the inflated stream */
    int type;      /* how its values are stored; 0 before the first was read */
    uint64_t left; /* values not yet read */
};

/* A struct's field names. */
struct mat_fields {
    int n;
    char name[MAT_MAX_FIELDS][MAT_MAX_NAME];
};

struct mat;

/* Judges a file by its first n bytes (MAT_HEAD, or fewer when it is shorter). Returns 1 for a
   MATLAB 5 file, 0 for something else, or MIEN_ERR_FORMAT for a MATLAB file of another version. */
MIEN_CHECKED int mat_sniff(const void *head, size_t n, struct mien_err *e);

/* Reads a file whose header was already read from fd, which the caller owns. Returns NULL on
   failure. */
struct mat *mat_new(int fd, const void *head, struct mien_err *e);
void mat_free(struct mat *m); /* NULL is harmless */

/* The next variable, skipping what is left of the one before. Returns 1, 0 at the end of the file,
   MIEN_ERR_FORMAT or MIEN_ERR_SYS. */
MIEN_CHECKED int mat_next(struct mat *m, struct mat_array *a, struct mien_err *e);

/* The next child of a cell array, or of a struct behind its field names: count times the fields,
   field by field. The child before must be skipped or read to its end. Returns 0 or as above. */
MIEN_CHECKED int mat_child(struct mat *m, const struct mat_array *parent, struct mat_array *a,
                           struct mien_err *e);

/* The names of a struct's fields; call it once, before the children. Returns 0 or as above. */
MIEN_CHECKED int mat_fields(struct mat *m, const struct mat_array *a, struct mat_fields *f,
                            struct mien_err *e);

/* The next n real values of a numeric array, in column-major order, whatever type they are stored
   as. Returns 0 or as above, also when fewer are left. */
MIEN_CHECKED int mat_reals(struct mat *m, struct mat_array *a, double *out, size_t n,
                           struct mien_err *e);

/* Reads all of a string, a char array of at most one row, appending it to b as UTF-8; half a
   surrogate pair becomes U+FFFD, bytes that aren't UTF-8 count as Latin-1. Returns 0 or as above,
   MIEN_ERR_LIMIT for one of more than MAT_MAX_TEXT bytes, or MIEN_ERR_MEM. */
MIEN_CHECKED int mat_text(struct mat *m, struct mat_array *a, struct mien_buf *b,
                          struct mien_err *e);

/* Reads all characters of a char array of any shape, in column-major order, appending each to b as
   a uint32_t; halves of surrogate pairs are two. Bytes are UTF-8 if they make as many characters
   as the array has, else Latin-1. Returns 0 or as above, MIEN_ERR_LIMIT for more than MAT_MAX_CHARS
   bytes, or MIEN_ERR_MEM. */
MIEN_CHECKED int mat_chars(struct mat *m, struct mat_array *a, struct mien_buf *b,
                           struct mien_err *e);

/* Skips what is left of an array. Returns 0 or as above. */
MIEN_CHECKED int mat_skip(struct mat *m, const struct mat_array *a, struct mien_err *e);

#endif
