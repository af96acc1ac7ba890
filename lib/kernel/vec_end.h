/* Takes away the names of vec_portable.h, vec_avx2.h or vec_avx512.h. */
#undef TARGET
#undef VEC
#undef LANES
#undef LOAD
#undef STORE
#undef SET
#undef FMA
#undef CHOOSE
#undef MAX
#undef MIN
