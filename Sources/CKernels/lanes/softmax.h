/// 2^x for x <= 0 within 2.1e-7 relative, 0 below -125. Scores come in units of log 2, so the power
/// is split off exactly; the polynomial is a minimax fit of 2^f on [-0.5, 0.5].
MS_INLINE Lanes power_of_two(Lanes x) {
  const Lanes bottom = splat(-125.0f), magic = splat(12582912.0f);
  const Lanes bounded = largest(x, bottom);
  const Lanes shifted = bounded + magic;
  const Lanes f = bounded - (shifted - magic);
  Lanes p = splat(0.00132764725f);
  p = p * f + splat(0.00967554096f);
  p = p * f + splat(0.0555071309f);
  p = p * f + splat(0.240221202f);
  p = p * f + splat(0.693146944f);
  p = p * f + splat(1.00000012f);
  const Lanes result = floats_of(bits_of(p) + (bits_of(shifted) << 23));
  return x < bottom ? splat(0.0f) : result;
}

// Two vectors of queries at a time: maxima, sums and rescaling are all vertical.
MS_INLINE void soften_vectors(float *scores, int64_t keys, int64_t columns, float *top,
                              float *total, float *sums, int64_t E, const int vectors) {
  Lanes old[2], new[2], sum[2];
#pragma unroll
  for (int v = 0; v < vectors; v++) {
    old[v] = load(top + v * MS_LANES);
    new[v] = old[v];
    sum[v] = splat(0.0f);
  }
  for (int64_t j = 0; j < keys; j++)
#pragma unroll
    for (int v = 0; v < vectors; v++)
      new[v] = largest(load(scores + j * columns + v * MS_LANES), new[v]);
  for (int64_t j = 0; j < keys; j++) {
#pragma unroll
    for (int v = 0; v < vectors; v++) {
      float *const place = scores + j * columns + v * MS_LANES;
      const Lanes weight = power_of_two(load(place) - new[v]);
      store(place, weight);
      sum[v] = sum[v] + weight;
    }
  }
  Lanes shrink[2];
#pragma unroll
  for (int v = 0; v < vectors; v++) {
    shrink[v] = power_of_two(old[v] - new[v]);
    store(top + v * MS_LANES, new[v]);
    store(total + v * MS_LANES, load(total + v * MS_LANES) * shrink[v] + sum[v]);
  }
  for (int64_t e = 0; e < E; e++) {
#pragma unroll
    for (int v = 0; v < vectors; v++) {
      float *const place = sums + e * columns + v * MS_LANES;
      store(place, load(place) * shrink[v]);
    }
  }
}

static void soften(float *scores, int64_t keys, int64_t columns, float *top, float *total,
                   float *sums, int64_t E) {
  int64_t c = 0;
  for (; c + 2 * MS_LANES <= columns; c += 2 * MS_LANES)
    soften_vectors(scores + c, keys, columns, top + c, total + c, sums + c, E, 2);
  if (c < columns)
    soften_vectors(scores + c, keys, columns, top + c, total + c, sums + c, E, 1);
}
