// Weights are packed once into panels; a tile of rows x panels is multiplied block by block of K
// into a small buffer, then biased, activated and written while it is still in cache.
// Wide layers, whose weights no cache holds, go to OpenBLAS tile by tile instead, one thread each: its
// blocking of all three loops wins there, and the weights need no second layout.
#include <cblas.h>
#include <stdlib.h>
#include <string.h>

#include "kernels.h"
#include "pool.h"

struct MSLinear {
  const MSKernels *kernels;
  int64_t N, K;
  float *panels;   // [panels, K, columns]; NULL for a wide layer
  float *weights;  // [N, K], of a wide layer; else NULL
  float *bias;     // [N]
};

enum {
  /// The buffer lives on the stack of the thread that runs the tile.
  most_rows = 96,
  most_columns = 192,
  /// A panel's block streams from the second-level cache once per six or twelve rows.
  most_K = 512,
  /// Enough tiles to share evenly, large enough to be worth claiming.
  wanted_tiles = 16,
  fewest_rows = 24,
  /// A layer is wide from this many weights (4 MiB), and its tiles are of this size.
  fewest_wide = 1 << 20,
  wide_rows = 192,
  wide_columns = 256,
};

MSLinear *ms_linear_prepare(const float *w, const float *bias, int64_t N, int64_t K) {
  MSLinear *const linear = calloc(1, sizeof *linear);
  if (!linear) return NULL;
  linear->kernels = ms_kernels();
  linear->N = N;
  linear->K = K;
  const int64_t columns = linear->kernels->columns;
  const int64_t panels = ms_ceil_div(N, columns);
  const bool wide = N * K >= fewest_wide;
  if (wide)
    linear->weights = ms_allocate(N * K);
  else
    linear->panels = ms_allocate(panels * columns * K);
  linear->bias = ms_allocate(N);
  if (!(wide ? linear->weights : linear->panels) || !linear->bias) {
    ms_linear_free(linear);
    return NULL;
  }
  for (int64_t n = 0; n < N; n++) linear->bias[n] = bias ? bias[n] : 0;
  if (wide) {
    openblas_set_num_threads(1);
    memcpy(linear->weights, w, (size_t)(N * K) * sizeof(float));
    return linear;
  }
  for (int64_t panel = 0; panel < panels; panel++) {
    float *const p = linear->panels + panel * columns * K;
    const int64_t used = ms_min(columns, N - panel * columns);
    for (int64_t j = 0; j < used; j++)
      for (int64_t k = 0; k < K; k++) p[k * columns + j] = w[(panel * columns + j) * K + k];
    for (int64_t j = used; j < columns; j++)
      for (int64_t k = 0; k < K; k++) p[k * columns + j] = 0;
  }
  return linear;
}

void ms_linear_free(MSLinear *linear) {
  if (!linear) return;
  free(linear->panels);
  free(linear->weights);
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
  int64_t tile_rows, tile_panels, row_tiles;
} LinearJob;

/// Biases, activates and writes a tile of sums [rows, count] whose corner is (row, column).
static void finish_tile(const LinearJob *job, const float *sums, int64_t lds, int64_t row,
                        int64_t rows, int64_t column, int64_t count) {
  // Rows that share a gate are finished together.
  for (int64_t i = 0, run; i < rows; i += run) {
    const int64_t group = job->gate ? (row + i) / job->rows_per_gate : 0;
    run = job->gate ? ms_min((group + 1) * job->rows_per_gate - row, rows) - i : rows;
    const MSFinish finish = {
        .sum = sums + i * lds,
        .bias = job->linear->bias + column,
        .gate = job->gate ? job->gate + group * job->linear->N + column : NULL,
        .y = job->y + (row + i) * job->ldy + column,
        .rows = run,
        .count = count,
        .lds = lds,
        .ldy = job->ldy,
        .activation = job->activation,
        .write = job->write,
    };
    job->linear->kernels->finish(&finish);
  }
}

static void wide_tile(void *context, int64_t tile, int worker) {
  (void)worker;
  const LinearJob *const job = context;
  const int64_t N = job->linear->N, K = job->linear->K;
  const int64_t row = tile % job->row_tiles * job->tile_rows;
  const int64_t column = tile / job->row_tiles * wide_columns;
  const int64_t rows = ms_min(job->tile_rows, job->M - row);
  const int64_t count = ms_min(wide_columns, N - column);
  float sums[wide_rows * wide_columns];
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)count, (int)K, 1,
              job->x + row * job->ldx, (int)job->ldx, job->linear->weights + column * K, (int)K, 0,
              sums, wide_columns);
  finish_tile(job, sums, wide_columns, row, rows, column, count);
}

static void linear_tile(void *context, int64_t tile, int worker) {
  (void)worker;
  const LinearJob *const job = context;
  const MSLinear *const linear = job->linear;
  const int64_t N = linear->N, K = linear->K, columns = linear->kernels->columns;
  const int64_t row = tile % job->row_tiles * job->tile_rows;
  const int64_t panel = tile / job->row_tiles * job->tile_panels;
  const int64_t rows = ms_min(job->tile_rows, job->M - row);
  const int64_t panels = ms_min(job->tile_panels, ms_ceil_div(N, columns) - panel);
  float sums[most_rows * most_columns];
  const int64_t blocks = ms_ceil_div(K, most_K), block = ms_ceil_div(K, blocks);
  for (int64_t k = 0; k < K; k += block) {
    const MSProduct product = {
        .a = job->x + row * job->ldx + k,
        .row = job->ldx,
        .segments = 1,
        .b = linear->panels + (panel * K + k) * columns,
        .columns = columns,
        .pitch = columns,
        .panels = panels,
        .panel = K * columns,
        .K = ms_min(block, K - k),
        .c = sums,
        .ldc = most_columns,
        .add = k > 0,
    };
    linear->kernels->multiply_rows(&product, rows);
  }
  const int64_t column = panel * columns, count = ms_min(panels * columns, N - column);
  finish_tile(job, sums, most_columns, row, rows, column, count);
}

void ms_linear(MSPool *pool, const MSLinear *linear, const float *x, int64_t ldx, float *y,
               int64_t ldy, int64_t M, MSActivation activation, MSWrite write, const float *gate,
               int64_t rows_per_gate) {
  if (M <= 0) return;
  LinearJob job = {
      .linear = linear,
      .x = x,
      .ldx = ldx,
      .y = y,
      .ldy = ldy,
      .M = M,
      .activation = activation,
      .write = write,
      .gate = write == MSWriteGatedAdd ? gate : NULL,
      .rows_per_gate = rows_per_gate,
  };
  if (linear->weights) {
    job.row_tiles = ms_ceil_div(M, wide_rows);
    job.tile_rows = ms_ceil_div(M, job.row_tiles);
    ms_pool_run_tiles(pool, job.row_tiles * ms_ceil_div(linear->N, wide_columns), wide_tile, &job);
    return;
  }
  const int64_t panels = ms_ceil_div(linear->N, linear->kernels->columns);
  int64_t tile_rows = ms_min(most_rows, M), tile_panels = most_columns / linear->kernels->columns;
  tile_panels = ms_min(tile_panels, panels);
  for (;;) {
    const int64_t tiles = ms_ceil_div(M, tile_rows) * ms_ceil_div(panels, tile_panels);
    if (tiles >= wanted_tiles) break;
    if (tile_rows >= 2 * fewest_rows)
      tile_rows = ms_ceil_div(tile_rows, 2);
    else if (tile_panels > 2)
      tile_panels = ms_ceil_div(tile_panels, 2);
    else
      break;
  }
  job.row_tiles = ms_ceil_div(M, tile_rows);
  // Even tiles: 60 rows are 2 x 30, not 48 + 12.
  job.tile_rows = ms_ceil_div(M, job.row_tiles);
  job.tile_panels = tile_panels;
  ms_pool_run_tiles(pool, job.row_tiles * ms_ceil_div(panels, tile_panels), linear_tile, &job);
}
