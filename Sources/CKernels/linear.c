#include <cblas.h>
#include <stdlib.h>
#include <string.h>

#include "pool.h"
#include "scalar.h"

struct MSLinear {
  int64_t N, K;
  float *weight;
  float *bias;
};

enum { tile_rows = 64, tile_columns = 64 };

MSLinear *ms_linear_prepare(const float *w, const float *bias, int64_t N, int64_t K) {
  // Our pool is the only one: the library must not start threads of its own.
  openblas_set_num_threads(1);
  MSLinear *const linear = calloc(1, sizeof *linear);
  if (!linear) return NULL;
  linear->N = N;
  linear->K = K;
  linear->weight = malloc(sizeof(float) * (size_t)(N * K));
  linear->bias = calloc((size_t)N, sizeof(float));
  if (!linear->weight || !linear->bias) {
    ms_linear_free(linear);
    return NULL;
  }
  memcpy(linear->weight, w, sizeof(float) * (size_t)(N * K));
  if (bias) memcpy(linear->bias, bias, sizeof(float) * (size_t)N);
  return linear;
}

void ms_linear_free(MSLinear *linear) {
  if (!linear) return;
  free(linear->weight);
  free(linear->bias);
  free(linear);
}

typedef struct {
  const MSLinear *linear;
  const float *x;
  int64_t ldx;
  float *y;
  int64_t ldy, M;
  MSActivation activation;
  MSWrite write;
  const float *gate;
  int64_t rows_per_gate;
} LinearJob;

static void linear_tile(void *context, int64_t tile, int worker) {
  (void)worker;
  const LinearJob *const job = context;
  const int64_t N = job->linear->N, K = job->linear->K;
  const int64_t columns = ms_ceil_div(N, tile_columns);
  const int64_t m0 = tile / columns * tile_rows, n0 = tile % columns * tile_columns;
  const int64_t m = ms_min(tile_rows, job->M - m0), n = ms_min(tile_columns, N - n0);
  float result[tile_rows * tile_columns];
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)m, (int)n, (int)K, 1,
              job->x + m0 * job->ldx, (int)job->ldx, job->linear->weight + n0 * K, (int)K, 0,
              result, tile_columns);
  for (int64_t i = 0; i < m; i++) {
    float *const y = job->y + (m0 + i) * job->ldy + n0;
    const float *const r = result + i * tile_columns;
    const float *const bias = job->linear->bias + n0;
    const float *const gate =
        job->write == MSWriteGatedAdd ? job->gate + (m0 + i) / job->rows_per_gate * N + n0 : NULL;
    for (int64_t j = 0; j < n; j++) {
      const float value = ms_activation(r[j] + bias[j], job->activation);
      if (job->write == MSWriteStore) y[j] = value;
      if (job->write == MSWriteAdd) y[j] += value;
      if (job->write == MSWriteGatedAdd) y[j] += gate[j] * value;
    }
  }
}

void ms_linear(MSPool *pool, const MSLinear *linear, const float *x, int64_t ldx, float *y,
               int64_t ldy, int64_t M, MSActivation activation, MSWrite write, const float *gate,
               int64_t rows_per_gate) {
  LinearJob job = {linear, x, ldx, y, ldy, M, activation, write, gate, rows_per_gate};
  const int64_t tiles = ms_ceil_div(M, tile_rows) * ms_ceil_div(linear->N, tile_columns);
  ms_pool_run_tiles(pool, tiles, linear_tile, &job);
}
