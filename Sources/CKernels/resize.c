#include <string.h>

#include "pool.h"

typedef struct {
  const float *x;
  float *y;
  int64_t W, C;
} UpsampleJob;

static void upsample_row(void *context, int64_t row, int worker) {
  (void)worker;
  const UpsampleJob *const job = context;
  const size_t pixel = sizeof(float) * (size_t)job->C;
  float *const y = job->y + row * 4 * job->W * job->C;
  for (int64_t column = 0; column < job->W; column++) {
    const float *const x = job->x + (row * job->W + column) * job->C;
    memcpy(y + 2 * column * job->C, x, pixel);
    memcpy(y + (2 * column + 1) * job->C, x, pixel);
  }
  memcpy(y + 2 * job->W * job->C, y, pixel * 2 * (size_t)job->W);
}

void ms_upsample2x(MSPool *pool, const float *x, float *y, int64_t H, int64_t W, int64_t C) {
  UpsampleJob job = {x, y, W, C};
  ms_pool_run_tiles(pool, H, upsample_row, &job);
}
