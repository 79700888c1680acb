#if defined(__x86_64__)
// Eight lanes, sixteen registers: 6 x 2 sums, two panel vectors, one broadcast.
#define MS_LANES 8
#define MS_ROWS 6
#define MS_TABLE ms_kernels_avx2
#define MS_NAME "avx2"
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#include "lanes/table.h"
#pragma clang attribute pop
#endif
