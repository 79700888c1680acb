// The register tile behind linears, attention and convolutions: `rows` x `vectors` running sums
// that never leave the registers, fed by one broadcast per row and one load per vector. A sum runs
// over k in order whatever the tile's shape, so a row's result does not depend on its neighbours.
enum {
  panel_vectors = 2,
  /// Rows of a panel that are asked for in advance: large panels come from the third-level cache,
  /// which the processor's own prefetching is too late for.
  ahead = 48,
};

MS_INLINE void tile(const MSProduct *p, const float *a, int64_t row, int64_t step, const float *b,
                    float *c, const int rows, const int vectors, const int panels) {
  Lanes sum[MS_ROWS * 2][8];
  const int64_t pitch = p->pitch;
#pragma unroll
  for (int i = 0; i < rows; i++)
#pragma unroll
    for (int v = 0; v < vectors * panels; v++) sum[i][v] = splat(0.0f);
  for (int64_t s = 0; s < p->segments; s++) {
    const float *factor = a + s * p->segment;
    for (int64_t k = 0; k < p->K; k++) {
      Lanes column[8];
#pragma unroll
      for (int v = 0; v < vectors * panels; v++) {
        const float *const place = b + v / vectors * p->panel + v % vectors * MS_LANES;
        __builtin_prefetch(place + ahead * pitch);
        column[v] = load(place);
      }
#pragma unroll
      for (int i = 0; i < rows; i++) {
        const Lanes value = splat(factor[i * row]);
#pragma unroll
        for (int v = 0; v < vectors * panels; v++) sum[i][v] = value * column[v] + sum[i][v];
      }
      factor += step;
      b += pitch;
    }
  }
#pragma unroll
  for (int i = 0; i < rows; i++) {
#pragma unroll
    for (int v = 0; v < vectors * panels; v++) {
      float *const place = c + i * p->ldc + v * MS_LANES;
      store(place, p->add ? load(place) + sum[i][v] : sum[i][v]);
    }
  }
}

/// Rows [first, first + rows) of one panel.
MS_INLINE void full_tile(const MSProduct *p, int64_t first, int rows, const float *b, float *c,
                         int64_t row, int64_t step) {
  const float *const a = p->a + first * row;
  float *const place = c + first * p->ldc;
  switch (rows) {
#define CASE(n)                                                \
  case n:                                                      \
    tile(p, a, row, step, b, place, n, panel_vectors, 1);      \
    break;
    CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
#if MS_ROWS > 6
    CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12)
#endif
#undef CASE
  }
}

MS_INLINE void narrow_tile(const MSProduct *p, int64_t first, int rows, const float *b, float *c,
                           int64_t row, int64_t step) {
  const float *const a = p->a + first * row;
  float *const place = c + first * p->ldc;
  switch (rows) {
#define CASE(n)                                    \
  case n:                                          \
    tile(p, a, row, step, b, place, n, 1, 1);      \
    break;
    CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
    CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12)
#undef CASE
  }
}

MS_INLINE void multiply_panels(const MSProduct *p, int64_t m, int64_t row, int64_t step) {
  const bool narrow = p->columns == MS_LANES;
  // A tile of few rows has too few sums to hide an addition's latency: take more panels at once.
  int64_t panel = 0;
  if (!narrow && m == 1)
    for (; panel + 4 <= p->panels; panel += 4)
      tile(p, p->a, row, step, p->b + panel * p->panel, p->c + panel * p->columns, 1, 2, 4);
  if (!narrow && m == 2)
    for (; panel + 2 <= p->panels; panel += 2)
      tile(p, p->a, row, step, p->b + panel * p->panel, p->c + panel * p->columns, 2, 2, 2);
  if (!narrow && m == 3)
    for (; panel + 2 <= p->panels; panel += 2)
      tile(p, p->a, row, step, p->b + panel * p->panel, p->c + panel * p->columns, 3, 2, 2);
  // Tiles of nearly equal height rather than full ones and a thin last one.
  const int64_t most = narrow ? 12 : MS_ROWS;
  const int64_t tiles = (m + most - 1) / most, left = p->panels - panel;
  int64_t first = 0;
  for (int64_t n = 0; n < tiles * left; n++) {
    const int64_t t = p->rows_first ? n / left : n % tiles;
    const int64_t place = panel + (p->rows_first ? n % left : n / tiles);
    const int rows = (int)(m / tiles + (t < m % tiles));
    if (t == 0) first = 0;
    if (narrow)
      narrow_tile(p, first, rows, p->b + place * p->panel, p->c + place * p->columns, row, step);
    else
      full_tile(p, first, rows, p->b + place * p->panel, p->c + place * p->columns, row, step);
    if (!p->rows_first || n % left == left - 1) first += rows;
  }
}

static void multiply_rows(const MSProduct *p, int64_t m) { multiply_panels(p, m, p->row, 1); }
static void multiply_columns(const MSProduct *p, int64_t m) { multiply_panels(p, m, 1, p->step); }
