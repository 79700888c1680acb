#include "kernels.h"

void ms_widen_bf16(const void *src, float *dst, int64_t count) {
  ms_kernels()->widen_bf16(src, dst, count);
}

void ms_widen_f16(const void *src, float *dst, int64_t count) {
  ms_kernels()->widen_f16(src, dst, count);
}
