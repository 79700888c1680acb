// What the kernels use of the pool beyond the public header.
#pragma once
#include <stddef.h>

#include <stdlib.h>

#include "CKernels.h"

/// As ms_pool_run, and tells the body which of the pool's threads (0 ..< threads) it runs on, so
/// that a kernel can give each thread its own scratch. Results must not depend on it.
typedef void (*MSTileBody)(void *context, int64_t tile, int worker);
void ms_pool_run_tiles(MSPool *pool, int64_t count, MSTileBody body, void *context);

static inline int64_t ms_min(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t ms_max(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t ms_ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// Uninitialised floats on a cache line's border, for free(); NULL when out of memory.
static inline float *ms_allocate(int64_t count) {
  const size_t bytes = ((size_t)count * sizeof(float) + 64) / 64 * 64;
  return aligned_alloc(64, bytes);
}
