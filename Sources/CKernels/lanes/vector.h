// One vector of MS_LANES floats, written with the compiler's own vector types: the same source
// serves every width, and a width the machine lacks still computes the same thing.
#include <stdint.h>
#include <string.h>

// Vectors are only passed between inlined functions, so how a call would pass them is no matter.
#pragma clang diagnostic ignored "-Wpsabi"

#define MS_INLINE static inline __attribute__((always_inline))

typedef float Lanes __attribute__((ext_vector_type(MS_LANES)));
typedef int32_t Ints __attribute__((ext_vector_type(MS_LANES)));

MS_INLINE Lanes load(const float *p) {
  Lanes v;
  memcpy(&v, p, sizeof v);
  return v;
}

MS_INLINE void store(float *p, Lanes v) { memcpy(p, &v, sizeof v); }

/// The first `count` < MS_LANES floats; the rest are zero.
MS_INLINE Lanes load_part(const float *p, int64_t count) {
  float rest[MS_LANES] = {0};
  for (int64_t i = 0; i < count; i++) rest[i] = p[i];
  return load(rest);
}

MS_INLINE void store_part(float *p, Lanes v, int64_t count) {
  float rest[MS_LANES];
  store(rest, v);
  for (int64_t i = 0; i < count; i++) p[i] = rest[i];
}

MS_INLINE Lanes splat(float x) { return (Lanes)x; }
MS_INLINE Ints bits_of(Lanes v) { return __builtin_bit_cast(Ints, v); }
MS_INLINE Lanes floats_of(Ints v) { return __builtin_bit_cast(Lanes, v); }
MS_INLINE Lanes largest(Lanes a, Lanes b) { return a > b ? a : b; }

MS_INLINE float sum_of(Lanes v) {
  float lane[MS_LANES], sum = 0;
  store(lane, v);
  for (int i = 0; i < MS_LANES; i++) sum += lane[i];
  return sum;
}

/// e^x within 2e-7 relative; 0 below -87.33 (where float32 leaves its normal range) and infinity
/// above 88.37 (a step before float32 does). Range reduction by ln 2 in two parts and the
/// polynomial of the Cephes library's expf.
MS_INLINE Lanes exponential(Lanes x) {
  const Lanes top = splat(88.8f), bottom = splat(-87.33f);
  const Lanes bounded = x > top ? top : (x < bottom ? bottom : x);
  // Adding 1.5 * 2^23 rounds to an integer, which then sits in the low bits.
  const Lanes magic = splat(12582912.0f);
  const Lanes shifted = bounded * splat(1.44269504f) + magic;
  const Lanes n = shifted - magic;
  Lanes r = bounded - n * splat(0.693359375f);
  r = r + n * splat(2.12194440e-4f);
  Lanes p = splat(1.9875691500e-4f);
  p = p * r + splat(1.3981999507e-3f);
  p = p * r + splat(8.3334519073e-3f);
  p = p * r + splat(4.1665795894e-2f);
  p = p * r + splat(1.6666665459e-1f);
  p = p * r + splat(5.0000001201e-1f);
  p = p * (r * r) + r + splat(1.0f);
  const Lanes power = floats_of((bits_of(shifted) << 23) + 0x3f800000);
  return x < bottom ? splat(0.0f) : p * power;
}

/// tanh within 3e-7 relative: Cephes' odd polynomial near zero, 1 - 2 / (e^2|x| + 1) elsewhere.
MS_INLINE Lanes hyperbolic_tangent(Lanes x) {
  const Lanes square = x * x;
  Lanes p = splat(-5.70498872745e-3f);
  p = p * square + splat(2.06390887954e-2f);
  p = p * square + splat(-5.37397155531e-2f);
  p = p * square + splat(1.33314422036e-1f);
  p = p * square + splat(-3.33332819422e-1f);
  const Lanes small = p * square * x + x;
  const Lanes size = floats_of(bits_of(x) & 0x7fffffff);
  const Lanes large = splat(1.0f) - splat(2.0f) / (exponential(size + size) + splat(1.0f));
  const Lanes signed_large = floats_of(bits_of(large) | (bits_of(x) & (int32_t)0x80000000));
  return size < splat(0.625f) ? small : signed_large;
}

MS_INLINE Lanes activated(Lanes x, MSActivation activation) {
  switch (activation) {
    case MSActivationGELUTanh: {
      // 0.5 x (1 + tanh u) = x / (1 + e^-2u), u = sqrt(2 / pi) (x + 0.044715 x^3)
      const Lanes twice = x * (splat(0.07135481627f) * (x * x) + splat(1.5957691216f));
      return x / (splat(1.0f) + exponential(-twice));
    }
    case MSActivationSiLU:
      return x / (splat(1.0f) + exponential(-x));
    case MSActivationReLU:
      return x < splat(0.0f) ? splat(0.0f) : x;
    default:
      return x;
  }
}
