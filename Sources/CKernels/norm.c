#include "kernels.h"
#include "pool.h"

typedef struct {
  const MSKernels *kernels;
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
  const MSKernels *const kernels = job->kernels;
  const int64_t D = job->D;
  for (int64_t m = tile * tile_rows; m < ms_min(job->M, (tile + 1) * tile_rows); m++) {
    const float *const x = job->x + m * D;
    float *const y = job->y + m * D;
    const int64_t group = m / job->rows_per_group * D;
    kernels->layer_norm(x, y, D, job->eps, job->weight, job->bias,
                        job->scale ? job->scale + group : NULL,
                        job->shift ? job->shift + group : NULL);
  }
}

void ms_layer_norm(MSPool *pool, const float *x, float *y, int64_t M, int64_t D, float eps,
                   const float *weight, const float *bias, const float *scale, const float *shift,
                   int64_t rows_per_group) {
  NormJob job = {ms_kernels(), x, D, y, D, M, D, eps, weight, bias, scale, shift,
                 ms_max(rows_per_group, 1)};
  ms_pool_run_tiles(pool, ms_ceil_div(M, tile_rows), layer_norm_tile, &job);
}

static void rms_norm_tile(void *context, int64_t tile, int worker) {
  (void)worker;
  const NormJob *const job = context;
  const MSKernels *const kernels = job->kernels;
  const int64_t D = job->D;
  for (int64_t m = tile * tile_rows; m < ms_min(job->M, (tile + 1) * tile_rows); m++) {
    const float *const x = job->x + m * job->ldx;
    float *const y = job->y + m * job->ldy;
    kernels->rms_norm(x, job->weight, y, D, job->eps);
  }
}

void ms_rms_norm(MSPool *pool, const float *x, int64_t ldx, const float *weight, float *y,
                 int64_t ldy, int64_t M, int64_t D, float eps) {
  NormJob job = {ms_kernels(), x, ldx, y, ldy, M, D, eps, weight, NULL, NULL, NULL, 1};
  ms_pool_run_tiles(pool, ms_ceil_div(M, tile_rows), rms_norm_tile, &job);
}
