/* The vectors of AVX2 with the registers of AVX-512, which are twice as many. vec_end.h takes the
   names away again. */
#include "vec_avx2.h"
#undef TARGET
#define TARGET __attribute__((target("avx512f,avx512vl,fma")))
