#include <string.h>

#include "CKernels.h"

void ms_widen_bf16(const void *src, float *dst, int64_t count) {
  const char *const bytes = src;
  for (int64_t i = 0; i < count; i++) {
    uint16_t half;
    memcpy(&half, bytes + 2 * i, sizeof half);
    const uint32_t bits = (uint32_t)half << 16;
    memcpy(dst + i, &bits, sizeof bits);
  }
}

static float widen_half(uint16_t half) {
  const uint32_t sign = (uint32_t)(half & 0x8000) << 16;
  const uint32_t exponent = (half >> 10) & 31, fraction = half & 1023;
  uint32_t bits;
  float value;
  if (exponent == 31) {
    bits = sign | 0x7f800000 | fraction << 13;
  } else if (exponent > 0) {
    bits = sign | (exponent + 112) << 23 | fraction << 13;
  } else {
    // Subnormal: an exact multiple of 2^-24.
    value = (float)fraction * 0x1p-24f;
    memcpy(&bits, &value, sizeof bits);
    bits |= sign;
  }
  memcpy(&value, &bits, sizeof value);
  return value;
}

void ms_widen_f16(const void *src, float *dst, int64_t count) {
  const char *const bytes = src;
  for (int64_t i = 0; i < count; i++) {
    uint16_t half;
    memcpy(&half, bytes + 2 * i, sizeof half);
    dst[i] = widen_half(half);
  }
}
