/*
 * The metadata of IMDB-WIKI (Rothe, Timofte, Van Gool: "DEX: Deep EXpectation of apparent age from
 * a single image", 2015): imdb.mat and wiki.mat.
 *
 * A file holds one struct of columns, a value for every image: dob (a datenum), photo_taken (year),
 * full_path, gender (0 female, 1 male, NaN unknown), name, face_location (1-based, inclusive x1 y1
 * x2 y2), face_score (-Inf: no face was found, and the location is the whole image),
 * second_face_score (NaN: there is none), and in imdb.mat celeb_names and celeb_id (an index into
 * them, from 1).
 *
 * Columns come one after another, so all must be held before the first record can be made: some 100
 * bytes an image.
 */
#ifndef MIEN_LABELS_IMDB_H
#define MIEN_LABELS_IMDB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mien/err.h"
#include "labels.h"
#include "mat_rows.h"

/* Which entries to keep. */
struct imdb_rule {
    double min_score;
    bool any_score;   /* keep whatever the face's score */
    bool second_face; /* keep where a second face was found */
    bool any_age;     /* keep ages unknown or outside 0-100 */
    bool any_gender;  /* keep where the gender is unknown */
};

/* Why an entry is left out: the first part of the rule that it fails, in this order. */
enum imdb_drop { IMDB_KEEP, IMDB_SCORE, IMDB_SECOND, IMDB_AGE, IMDB_GENDER, IMDB_DROPS };

struct imdb;

/* Reads all of a MATLAB 5 file, the first MAT_HEAD bytes of which were already read from fd. If
   none of its variables is IMDB-WIKI's struct, *other is the one with the most rows, and *out NULL.
   Returns 0, MIEN_ERR_FORMAT when it has neither, MIEN_ERR_SYS, MIEN_ERR_LIMIT or MIEN_ERR_MEM.
   Either is the caller's to free. */
MIEN_CHECKED int imdb_read(int fd, const void *head, struct imdb **out, struct mat_rows **other,
                           struct mien_err *e);
void imdb_free(struct imdb *im); /* NULL is harmless */

/* The number of entries. */
size_t imdb_count(const struct imdb *im);

/* The labels of entry i, which borrow their text from im. An age outside 0-100 is kept in l. The
   subject is the person's name: celeb_names[celeb_id], or name, or where that is empty the part
   of the file's name before its first '_', which is the person's number on IMDb, the page's on
   Wikipedia. */
void imdb_labels(const struct imdb *im, size_t i, struct labels *l);

/* What the rule says of these labels. */
enum imdb_drop imdb_judge(const struct imdb_rule *rule, const struct labels *l);

#endif
