/*
 * For make analyze alone, included before everything: analyzers see one file at a time, and so can't know
 * that functions which make a message return a negative code. As macros they show it.
 */
#include "mien/err.h"

#define mien_err_set(e, code, ...)   ((void)mien_err_set(e, code, __VA_ARGS__), (code))
#define mien_err_sys(e, ...)         ((void)mien_err_sys(e, __VA_ARGS__), MIEN_ERR_SYS)
#define mien_err_mem(e, bytes, what) ((void)mien_err_mem(e, bytes, what), MIEN_ERR_MEM)
