/*
 * Labels in files beside an image, as WebDataset has them: NAME.json, NAME.cls, NAME.txt, where NAME
 * is the path up to the first dot in its last part.
 */
#ifndef MIEN_LABELS_SIDECAR_H
#define MIEN_LABELS_SIDECAR_H

#include "labels.h"

/* The length of a path's name, without the dot; all of the path when it has no dot. */
size_t sidecar_name(const char *path);

/* What is written in a file with such an extension. */
enum sidecar { SIDECAR_NONE, SIDECAR_JSON, SIDECAR_CLS, SIDECAR_TXT, SIDECARS };
enum sidecar sidecar_kind(const char *path);

/* Sets the int at dst to the tag of the field of this name, where a .cls or .txt file can hold it:
   id, subject, age, gender, group, birth, year or split. Returns 0 or MIEN_ERR_ARG. Of the type
   that MIEN_OPT_FUNC takes. */
int sidecar_field(void *dst, const char *name, struct mien_err *e);

/* Sets fields by n bytes of text. JSON is an object: its members are set that are called like
   fields of records, with the values that mien-view prints, or as tables head their columns
   (rule.h: sex, race, identity, dob, age_group, bbox, ...), of several for a field the likeliest;
   others are left alone, and so are paths but for "id". Of .cls and .txt files the text, without
   blanks around it, is the field tag, one of sidecar_field's. Returns 0; MIEN_ERR_FORMAT, the first
   message being in e, when something can't be used, the rest being set; or MIEN_ERR_MEM. */
MIEN_CHECKED int sidecar_json(struct mien_rec *r, const char *text, size_t n,
                              const struct label_codes *codes, struct mien_err *e);
MIEN_CHECKED int sidecar_text(struct mien_rec *r, int tag, const char *text, size_t n,
                              const struct label_codes *codes, struct mien_err *e);

#endif
