#if MS_LANES == 4
#define TWICE(v) __builtin_shufflevector(v, v, 0, 0, 1, 1)
#define SWAPPED(v) __builtin_shufflevector(v, v, 1, 0, 3, 2)
#elif MS_LANES == 8
#define TWICE(v) __builtin_shufflevector(v, v, 0, 0, 1, 1, 2, 2, 3, 3)
#define SWAPPED(v) __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6)
#else
#define TWICE(v) __builtin_shufflevector(v, v, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7)
#define SWAPPED(v) \
  __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14)
#endif

typedef float HalfLanes __attribute__((ext_vector_type(MS_LANES / 2)));

/// One head. (a, b) becomes (a cos - b sin, b cos + a sin).
static void rotate(const float *x, const float *cosine, const float *sine, float *y, int64_t E) {
  Ints negative;
  for (int i = 0; i < MS_LANES; i++) negative[i] = i % 2 ? 0 : (int32_t)0x80000000;
  int64_t e = 0;
  for (; e + MS_LANES <= E; e += MS_LANES) {
    HalfLanes c, s;
    memcpy(&c, cosine + e / 2, sizeof c);
    memcpy(&s, sine + e / 2, sizeof s);
    const Lanes value = load(x + e);
    const Lanes turned = floats_of(bits_of((Lanes)TWICE(s)) ^ negative);
    store(y + e, value * TWICE(c) + SWAPPED(value) * turned);
  }
  for (; e + 1 < E; e += 2) {
    const float a = x[e], b = x[e + 1], c = cosine[e / 2], s = sine[e / 2];
    y[e] = a * c - b * s;
    y[e + 1] = b * c + a * s;
  }
}

#undef TWICE
#undef SWAPPED
