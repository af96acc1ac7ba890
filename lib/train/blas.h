/* OpenBLAS's threads. */
#ifndef MIEN_TRAIN_BLAS_H
#define MIEN_TRAIN_BLAS_H

/* For a program that trains, the first thing that it does. OpenBLAS starts a thread for
   each core before main begins, and these spin for a while, though mien has threads of its own;
   what prevents it is a variable of the environment. This sets it and begins the program anew,
   unless it is set. */
void blas_without_threads(char **argv);

#endif
