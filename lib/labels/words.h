/* Short texts as people write them into tables: what the readers of labels share. */
#ifndef MIEN_LABELS_WORDS_H
#define MIEN_LABELS_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#define WORD_MAX 64 /* no label is longer */

static inline bool word_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Leaves out blanks on both sides. */
void word_trim(const char **s, size_t *n);

/* Whether the n bytes are the word, without regard to case; or which of words separated by '|',
   counted from 1, 0 for none; or whether they are one of them. */
bool word_is(const char *s, size_t n, const char *word);
int word_which(const char *s, size_t n, const char *words);
bool word_is_one_of(const char *s, size_t n, const char *words);

/* Copies trimmed text to buf in lower case; dashes become hyphens, signs such as U+2265 ">=" and
   "<=". Returns false when it is longer than any label. */
bool word_plain(const char *s, size_t n, char buf[WORD_MAX]);

/* Moves *s behind the word, and the blanks after it, when *s begins with it. */
bool word_accept(const char **s, const char *word);

/* The same for the first of the words separated by '|' that fits. */
bool word_accept_one(const char **s, const char *words);

/* Reads a number without a sign, at most 999999, and moves *s behind it and the blanks after. */
bool word_number(const char **s, bool decimal_comma, double *out);

/* Whether all of the text is a number, with a sign or not. */
bool word_to_number(const char *s, size_t n, double *out);

#endif
