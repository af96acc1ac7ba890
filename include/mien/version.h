/*
 * The version of mien, MAJOR.MINOR.PATCH.
 *
 *     if (strcmp(mien_version(), MIEN_VERSION) != 0)
 *         fprintf(stderr, "compiled for %s, runs with %s\n", MIEN_VERSION, mien_version());
 *
 * Until version 1.0 a new MINOR may change the library's functions and structs; a new PATCH
 * doesn't.
 */
#ifndef MIEN_VERSION_H
#define MIEN_VERSION_H

#ifdef __cplusplus
extern "C" {
#endif

/* The version that these headers belong to. The Makefile reads it from here. */
#define MIEN_VERSION "0.2.0"

/* The version of the library that the program runs with: a constant string. Any thread may ask. */
const char *mien_version(void);

#ifdef __cplusplus
}
#endif

#endif
