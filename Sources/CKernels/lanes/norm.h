static float mean_of(const float *x, int64_t D) {
  Lanes sums[4] = {splat(0.0f), splat(0.0f), splat(0.0f), splat(0.0f)};
  int64_t d = 0;
  for (; d + 4 * MS_LANES <= D; d += 4 * MS_LANES)
    for (int i = 0; i < 4; i++) sums[i] += load(x + d + i * MS_LANES);
  for (; d + MS_LANES <= D; d += MS_LANES) sums[0] += load(x + d);
  float rest = 0;
  for (; d < D; d++) rest += x[d];
  return (sum_of((sums[0] + sums[1]) + (sums[2] + sums[3])) + rest) / (float)D;
}

/// Mean of (x - center)^2.
static float spread_of(const float *x, int64_t D, float center) {
  Lanes sums[4] = {splat(0.0f), splat(0.0f), splat(0.0f), splat(0.0f)};
  int64_t d = 0;
  for (; d + 4 * MS_LANES <= D; d += 4 * MS_LANES) {
    for (int i = 0; i < 4; i++) {
      const Lanes v = load(x + d + i * MS_LANES) - splat(center);
      sums[i] = v * v + sums[i];
    }
  }
  for (; d + MS_LANES <= D; d += MS_LANES) {
    const Lanes v = load(x + d) - splat(center);
    sums[0] = v * v + sums[0];
  }
  float rest = 0;
  for (; d < D; d++) rest += (x[d] - center) * (x[d] - center);
  return (sum_of((sums[0] + sums[1]) + (sums[2] + sums[3])) + rest) / (float)D;
}

static void layer_norm(const float *x, float *y, int64_t D, float eps, const float *weight,
                       const float *bias, const float *scale, const float *shift) {
  const float mean = mean_of(x, D);
  const float factor = 1.0f / __builtin_sqrtf(spread_of(x, D, mean) + eps);
  for (int64_t d = 0; d < D; d += MS_LANES) {
    const int64_t left = D - d;
    const bool whole = left >= MS_LANES;
#define PART(p) (whole ? load((p) + d) : load_part((p) + d, left))
    Lanes value = (PART(x) - splat(mean)) * splat(factor);
    if (weight) value = value * PART(weight);
    if (bias) value = value + PART(bias);
    if (scale) value = value * (splat(1.0f) + PART(scale));
    if (shift) value = value + PART(shift);
#undef PART
    if (whole)
      store(y + d, value);
    else
      store_part(y + d, value, left);
  }
}

static void rms_norm(const float *x, const float *weight, float *y, int64_t D, float eps) {
  const float factor = 1.0f / __builtin_sqrtf(spread_of(x, D, 0.0f) + eps);
  for (int64_t d = 0; d < D; d++) y[d] = x[d] * factor * weight[d];
}
