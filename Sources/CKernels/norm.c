#include "pool.h"
#include "scalar.h"

typedef struct {
  const float *x;
  int64_t ldx;
  float *y;
  int64_t ldy, M, D;
  float eps;
  const float *weight, *bias, *scale, *shift;
  int64_t rows_per_group;
} NormJob;

enum { tile_rows = 16 };

static void layer_norm_tile(void *context, int64_t tile, int worker) {
  (void)worker;
  const NormJob *const job = context;
  const int64_t D = job->D;
  for (int64_t m = tile * tile_rows; m < ms_min(job->M, (tile + 1) * tile_rows); m++) {
    const float *const x = job->x + m * D;
    float *const y = job->y + m * D;
    double sum = 0, squares = 0;
    for (int64_t d = 0; d < D; d++) sum += x[d];
    const float mean = (float)(sum / (double)D);
    for (int64_t d = 0; d < D; d++) squares += (double)(x[d] - mean) * (double)(x[d] - mean);
    const float factor = 1.0f / sqrtf((float)(squares / (double)D) + job->eps);
    const int64_t group = (job->scale || job->shift) ? m / job->rows_per_group * D : 0;
    for (int64_t d = 0; d < D; d++) {
      float value = (x[d] - mean) * factor;
      if (job->weight) value *= job->weight[d];
      if (job->bias) value += job->bias[d];
      if (job->scale) value *= 1.0f + job->scale[group + d];
      if (job->shift) value += job->shift[group + d];
      y[d] = value;
    }
  }
}

void ms_layer_norm(MSPool *pool, const float *x, float *y, int64_t M, int64_t D, float eps,
                   const float *weight, const float *bias, const float *scale, const float *shift,
                   int64_t rows_per_group) {
  NormJob job = {x, D, y, D, M, D, eps, weight, bias, scale, shift, rows_per_group};
  ms_pool_run_tiles(pool, ms_ceil_div(M, tile_rows), layer_norm_tile, &job);
}

static void rms_norm_tile(void *context, int64_t tile, int worker) {
  (void)worker;
  const NormJob *const job = context;
  const int64_t D = job->D;
  for (int64_t m = tile * tile_rows; m < ms_min(job->M, (tile + 1) * tile_rows); m++) {
    const float *const x = job->x + m * job->ldx;
    float *const y = job->y + m * job->ldy;
    double squares = 0;
    for (int64_t d = 0; d < D; d++) squares += (double)x[d] * (double)x[d];
    const float factor = 1.0f / sqrtf((float)(squares / (double)D) + job->eps);
    for (int64_t d = 0; d < D; d++) y[d] = x[d] * factor * job->weight[d];
  }
}

void ms_rms_norm(MSPool *pool, const float *x, int64_t ldx, const float *weight, float *y,
                 int64_t ldy, int64_t M, int64_t D, float eps) {
  NormJob job = {x, ldx, y, ldy, M, D, eps, weight, NULL, NULL, NULL, 1};
  ms_pool_run_tiles(pool, ms_ceil_div(M, tile_rows), rms_norm_tile, &job);
}
