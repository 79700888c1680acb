#if defined(__x86_64__)
// Sixteen lanes, thirty-two registers: 12 x 2 sums, two panel vectors, broadcasts.
#define MS_LANES 16
#define MS_ROWS 12
#define MS_TABLE ms_kernels_avx512
#define MS_NAME "avx512"
#define MS_TARGET "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma,f16c"
#pragma clang attribute push(__attribute__((target(MS_TARGET))), apply_to = function)
#include "lanes/table.h"
#pragma clang attribute pop
#endif
