// One vector of queries at a time: maxima, sums and rescaling are all vertical.
static void soften(float *scores, int64_t keys, int64_t columns, float *top, float *total,
                   float *sums, int64_t E) {
  for (int64_t c = 0; c < columns; c += MS_LANES) {
    const Lanes old = load(top + c);
    Lanes a = old, b = old;
    int64_t j = 0;
    for (; j + 2 <= keys; j += 2) {
      a = largest(load(scores + j * columns + c), a);
      b = largest(load(scores + (j + 1) * columns + c), b);
    }
    if (j < keys) a = largest(load(scores + j * columns + c), a);
    const Lanes new = largest(a, b);
    Lanes sum = splat(0.0f), sum2 = splat(0.0f);
    for (j = 0; j + 2 <= keys; j += 2) {
      float *const row = scores + j * columns + c;
      const Lanes weight = exponential(load(row) - new);
      const Lanes weight2 = exponential(load(row + columns) - new);
      store(row, weight);
      store(row + columns, weight2);
      sum = sum + weight;
      sum2 = sum2 + weight2;
    }
    if (j < keys) {
      float *const row = scores + j * columns + c;
      const Lanes weight = exponential(load(row) - new);
      store(row, weight);
      sum = sum + weight;
    }
    const Lanes shrink = exponential(old - new);
    store(top + c, new);
    store(total + c, load(total + c) * shrink + (sum + sum2));
    for (int64_t e = 0; e < E; e++) {
      float *const row = sums + e * columns + c;
      store(row, load(row) * shrink);
    }
  }
}
