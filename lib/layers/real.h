/* The number type of the kernels: float, or double where the tests check gradients. */
#ifndef MIEN_LAYERS_REAL_H
#define MIEN_LAYERS_REAL_H

#include <math.h>

#ifdef MIEN_DOUBLE
typedef double real;
#define REAL_SQRT sqrt
#else
typedef float real;
#define REAL_SQRT sqrtf
#endif

/* A function compiled for several processors, the best of which is chosen when the program
   starts: by glibc, since musl can't. Sanitizers can't instrument that choice. */
#if defined __x86_64__ && defined __GLIBC__ && !defined __clang__ && !defined __SANITIZE_ADDRESS__
#define SIMD __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define SIMD
#endif

#endif
