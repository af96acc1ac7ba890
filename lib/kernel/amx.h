/*
 * AMX: eight registers, tiles, of up to 16 rows of 64 bytes, and an instruction that multiplies
 * matrices in them. Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1,
 * chapter "Programming with Intel AMX".
 */
#ifndef MIEN_KERNEL_AMX_H
#define MIEN_KERNEL_AMX_H

#include <stdbool.h>

/* Whether the processor has it for bfloat16 and the system lets this process use it: Linux saves
   tiles only of processes that have asked for them, which this does. */
bool amx_allowed(void);

#endif
