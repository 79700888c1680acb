#include "kernels.h"
#include "pool.h"

typedef struct {
  const MSKernels *kernels;
  const float *x;
  int64_t ldx;
  const float *cosine, *sine;
  float *y;
  int64_t ldy, M, H, E;
} RotaryJob;

enum { tile_rows = 16 };

static void rotary_tile(void *context, int64_t tile, int worker) {
  (void)worker;
  const RotaryJob *const job = context;
  const MSKernels *const kernels = job->kernels;
  const int64_t half = job->E / 2;
  for (int64_t m = tile * tile_rows; m < ms_min(job->M, (tile + 1) * tile_rows); m++) {
    const float *const cosine = job->cosine + m * half, *const sine = job->sine + m * half;
    for (int64_t h = 0; h < job->H; h++) {
      kernels->rotate(job->x + m * job->ldx + h * job->E, cosine, sine,
                      job->y + m * job->ldy + h * job->E, job->E);
    }
  }
}

void ms_rope(MSPool *pool, const float *x, int64_t ldx, const float *cosine, const float *sine,
             float *y, int64_t ldy, int64_t M, int64_t H, int64_t E) {
  RotaryJob job = {ms_kernels(), x, ldx, cosine, sine, y, ldy, M, H, E};
  ms_pool_run_tiles(pool, ms_ceil_div(M, tile_rows), rotary_tile, &job);
}
