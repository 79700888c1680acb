#include <math.h>

#include "kernels.h"
#include "pool.h"

typedef struct {
  const MSKernels *kernels;
  float a, b;
  const float *x;
  float *y;
  int64_t count;
  MSActivation activation;
} ElementJob;

enum { tile_elements = 8192 };

static void run(MSPool *pool, MSTileBody body, ElementJob job) {
  ms_pool_run_tiles(pool, ms_ceil_div(job.count, tile_elements), body, &job);
}

static void axpby_tile(void *context, int64_t tile, int worker) {
  (void)worker;
  const ElementJob *const job = context;
  const int64_t first = tile * tile_elements;
  const float *const x = job->x + first;
  float *const y = job->y + first;
  const int64_t count = ms_min(tile_elements, job->count - first);
  job->kernels->axpby(job->a, x, job->b, y, count);
}

static void multiply_tile(void *context, int64_t tile, int worker) {
  (void)worker;
  const ElementJob *const job = context;
  const int64_t first = tile * tile_elements;
  const float *const x = job->x + first;
  float *const y = job->y + first;
  const int64_t count = ms_min(tile_elements, job->count - first);
  job->kernels->multiply(x, y, count);
}

static void soft_clamp_tile(void *context, int64_t tile, int worker) {
  (void)worker;
  const ElementJob *const job = context;
  const int64_t first = tile * tile_elements;
  const float *const x = job->x + first;
  float *const y = job->y + first;
  const int64_t count = ms_min(tile_elements, job->count - first);
  job->kernels->soft_clamp(x, job->a, y, count);
}

static void activate_tile(void *context, int64_t tile, int worker) {
  (void)worker;
  const ElementJob *const job = context;
  const int64_t first = tile * tile_elements;
  const float *const x = job->x + first;
  float *const y = job->y + first;
  const int64_t count = ms_min(tile_elements, job->count - first);
  job->kernels->activate(x, y, count, job->activation);
}

void ms_axpby(MSPool *pool, float a, const float *x, float b, float *y, int64_t count) {
  run(pool, axpby_tile, (ElementJob){ms_kernels(), a, b, x, y, count, MSActivationNone});
}

void ms_multiply(MSPool *pool, const float *x, float *y, int64_t count) {
  run(pool, multiply_tile, (ElementJob){ms_kernels(), 1, 1, x, y, count, MSActivationNone});
}

void ms_soft_clamp(MSPool *pool, const float *x, float limit, float *y, int64_t count) {
  run(pool, soft_clamp_tile, (ElementJob){ms_kernels(), limit, 1, x, y, count, MSActivationNone});
}

void ms_activate(MSPool *pool, const float *x, float *y, int64_t count, MSActivation activation) {
  run(pool, activate_tile, (ElementJob){ms_kernels(), 1, 1, x, y, count, activation});
}

typedef struct {
  const float *x;
  int64_t W, p;
  uint8_t *out;
} PixelJob;

static void pixel_row(void *context, int64_t row, int worker) {
  (void)worker;
  const PixelJob *const job = context;
  const int64_t p = job->p, W = job->W;
  for (int64_t column = 0; column < W; column++) {
    const float *const x = job->x + (row * W + column) * 3 * p * p;
    for (int64_t c = 0; c < 3; c++)
      for (int64_t dy = 0; dy < p; dy++)
        for (int64_t dx = 0; dx < p; dx++) {
          const float value = x[(c * p + dy) * p + dx];
          const float clamped = value > 0 ? (value < 1 ? value : 1) : 0;
          job->out[((row * p + dy) * W * p + column * p + dx) * 3 + c] =
              (uint8_t)lrintf(255 * clamped);
        }
  }
}

void ms_pixels(MSPool *pool, const float *x, int64_t H, int64_t W, int64_t p, uint8_t *out) {
  PixelJob job = {x, W, p, out};
  ms_pool_run_tiles(pool, H, pixel_row, &job);
}
