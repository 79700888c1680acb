static void widen_bf16(const void *src, float *dst, int64_t count) {
  const char *const bytes = src;
  for (int64_t i = 0; i < count; i++) {
    uint16_t half;
    memcpy(&half, bytes + 2 * i, sizeof half);
    const uint32_t bits = (uint32_t)half << 16;
    memcpy(dst + i, &bits, sizeof bits);
  }
}

/// Exact, subnormals included: the half's fields placed in a float read 2^-112 times their value.
static void widen_f16(const void *src, float *dst, int64_t count) {
  const char *const bytes = src;
  for (int64_t i = 0; i < count; i++) {
    uint16_t half;
    memcpy(&half, bytes + 2 * i, sizeof half);
    uint32_t bits = (uint32_t)(half & 0x7fff) << 13;
    float value;
    memcpy(&value, &bits, sizeof value);
    value *= 0x1p112f;
    memcpy(&bits, &value, sizeof bits);
    const uint32_t special = (half & 0x7c00) == 0x7c00 ? 0x7f800000 : 0;
    bits |= special | (uint32_t)(half & 0x8000) << 16;
    memcpy(dst + i, &bits, sizeof bits);
  }
}
