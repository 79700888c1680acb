static void axpby(float a, const float *x, float b, float *y, int64_t count) {
  for (int64_t i = 0; i < count; i++) y[i] = a * x[i] + b * y[i];
}

static void multiply(const float *x, float *y, int64_t count) {
  for (int64_t i = 0; i < count; i++) y[i] = x[i] * y[i];
}

static void soft_clamp(const float *x, float limit, float *y, int64_t count) {
  for (int64_t i = 0; i < count; i += MS_LANES) {
    const int64_t left = count - i;
    const Lanes value = left >= MS_LANES ? load(x + i) : load_part(x + i, left);
    const Lanes result = splat(limit) * hyperbolic_tangent(value / splat(limit));
    if (left >= MS_LANES)
      store(y + i, result);
    else
      store_part(y + i, result, left);
  }
}

MS_INLINE void activate_as(const float *x, float *y, int64_t count, const MSActivation activation) {
  for (int64_t i = 0; i < count; i += MS_LANES) {
    const int64_t left = count - i;
    const Lanes value = left >= MS_LANES ? load(x + i) : load_part(x + i, left);
    const Lanes result = activated(value, activation);
    if (left >= MS_LANES)
      store(y + i, result);
    else
      store_part(y + i, result, left);
  }
}

static void activate(const float *x, float *y, int64_t count, MSActivation activation) {
  switch (activation) {
    case MSActivationGELUTanh:
      activate_as(x, y, count, MSActivationGELUTanh);
      break;
    case MSActivationSiLU:
      activate_as(x, y, count, MSActivationSiLU);
      break;
    case MSActivationReLU:
      activate_as(x, y, count, MSActivationReLU);
      break;
    default:
      activate_as(x, y, count, MSActivationNone);
  }
}
