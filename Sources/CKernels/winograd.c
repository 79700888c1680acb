// Winograd's minimal filtering, F(4x4, 3x3): a block of 4x4 outputs depends on a patch of 6x6
// inputs. Both patch and kernel are polynomials, known by their values at six points a side; there
// a convolution is one product per point, 36 for a block instead of 144. Over the channels these
// are 36 matrix products, of which the rows are blocks. A run of blocks is spread to its points,
// multiplied panel by panel and collected while all of it is in the second-level cache.
#include "winograd.h"

#include <stdlib.h>
#include <string.h>

#include "kernels.h"
#include "pool.h"

struct MSWinograd {
  const MSKernels *kernels;
  int64_t out, in;
  int64_t full_panels;  // of kernels->columns outputs
  int64_t rest;         // columns of the last, narrower panel, or 0
  float *panels;        // per panel [points, in, columns]
  float *bias;          // [out]
};

enum {
  points = 36,
  /// The most columns of any path's panels.
  widest = 32,
  /// Blocks in a run: the weights stream through the cache once for each run.
  most_blocks = 30,
  wanted_runs = 6,
  fewest_blocks = 10,
  /// Inputs summed in one go: the transforms enlarge the sums' rounding error, partial sums keep
  /// it down.
  most_inputs = 48,
  fewest_channels = 16,
  /// Keeps what belongs to different points out of the same set of the first-level cache.
  gap = 16,
};

bool ms_winograd_pays(int64_t out, int64_t in) {
  return out >= fewest_channels && in >= fewest_channels;
}

/// What gives a kernel's line at the six points, each over the product of its distances to the
/// other five; at infinity its last coefficient.
static void kernel_factors(double factors[6][3]) {
  const double near = MS_NEAR, far = MS_FAR;
  const double at[5] = {0, near, -near, far, -far};
  for (int p = 0; p < 5; p++) {
    double distances = 1;
    for (int other = 0; other < 5; other++)
      if (other != p) distances *= at[p] - at[other];
    for (int power = 0; power < 3; power++)
      factors[p][power] = (power > 0 ? at[p] : 1) * (power > 1 ? at[p] : 1) / distances;
  }
  factors[5][0] = factors[5][1] = 0;
  factors[5][2] = 1;
}

/// Point n of the kernel w [3, 3] goes to to[n * step].
static void spread_kernel(const double factors[6][3], const float *w, float *to, int64_t step) {
  double lines[6][3];
  for (int p = 0; p < 6; p++)
    for (int c = 0; c < 3; c++)
      lines[p][c] = factors[p][0] * w[c] + factors[p][1] * w[3 + c] + factors[p][2] * w[6 + c];
  for (int p = 0; p < 6; p++)
    for (int q = 0; q < 6; q++) {
      const double *const line = lines[p], *const factor = factors[q];
      to[(p * 6 + q) * step] =
          (float)(line[0] * factor[0] + line[1] * factor[1] + line[2] * factor[2]);
    }
}

static int64_t panel_columns(const MSWinograd *winograd, int64_t panel) {
  return panel < winograd->full_panels ? winograd->kernels->columns : winograd->rest;
}

static int64_t panel_count(const MSWinograd *winograd) {
  return winograd->full_panels + (winograd->rest > 0);
}

static float *panel_start(const MSWinograd *winograd, int64_t panel) {
  return winograd->panels + panel * winograd->kernels->columns * points * winograd->in;
}

int64_t ms_winograd_floats(const MSWinograd *winograd) {
  const int64_t columns = winograd->full_panels * winograd->kernels->columns + winograd->rest;
  return columns * points * winograd->in;
}

MSWinograd *ms_winograd_prepare(const float *w, const float *bias, int64_t out, int64_t in) {
  MSWinograd *const winograd = calloc(1, sizeof *winograd);
  if (!winograd) return NULL;
  winograd->kernels = ms_kernels();
  winograd->out = out;
  winograd->in = in;
  const int64_t columns = winograd->kernels->columns;
  winograd->full_panels = out / columns;
  winograd->rest = ms_rest_columns(winograd->kernels, out);
  winograd->panels = ms_allocate(ms_winograd_floats(winograd));
  winograd->bias = ms_allocate(out);
  if (!winograd->panels || !winograd->bias) {
    ms_winograd_free(winograd);
    return NULL;
  }
  for (int64_t o = 0; o < out; o++) winograd->bias[o] = bias ? bias[o] : 0;
  static const float none[9];
  // In a panel, different points lie far and often a power of two apart: written line by line.
  float kernels[points * widest];
  double factors[6][3];
  kernel_factors(factors);
  for (int64_t panel = 0; panel < panel_count(winograd); panel++) {
    const int64_t width = panel_columns(winograd, panel);
    float *const start = panel_start(winograd, panel);
    for (int64_t i = 0; i < in; i++) {
      for (int64_t j = 0; j < width; j++) {
        const int64_t o = panel * columns + j;
        spread_kernel(factors, o < out ? w + (o * in + i) * 9 : none, kernels + j, widest);
      }
      for (int64_t point = 0; point < points; point++)
        memcpy(start + (point * in + i) * width, kernels + point * widest,
               sizeof(float) * (size_t)width);
    }
  }
  return winograd;
}

void ms_winograd_free(MSWinograd *winograd) {
  if (!winograd) return;
  free(winograd->panels);
  free(winograd->bias);
  free(winograd);
}

typedef struct {
  const MSWinograd *winograd;
  const float *a;
  int64_t in_a;
  const float *b;
  int64_t H, W;
  const float *residual;
  MSActivation activation;
  float *y;
  float *scratch;
  int64_t across, blocks, run;  // blocks in a row, in all, in a run
} WinogradJob;

/// Floats between neighbouring blocks' inputs at a point.
static int64_t pitch_of(const MSWinograd *winograd) {
  return ms_ceil_div(winograd->in, winograd->kernels->lanes) * winograd->kernels->lanes;
}

static int64_t point_floats(int64_t run, int64_t pitch) { return run * pitch + gap; }

static int64_t worker_floats(const MSWinograd *winograd, int64_t run) {
  return points * (point_floats(run, pitch_of(winograd)) +
                   point_floats(run, winograd->kernels->columns));
}

static int64_t block_count(int64_t H, int64_t W) { return ms_ceil_div(H, 4) * ms_ceil_div(W, 4); }

static int64_t run_for(int64_t blocks) {
  const int64_t most = ms_max(fewest_blocks, ms_min(most_blocks, ms_ceil_div(blocks, wanted_runs)));
  // Even runs: 65 blocks are 6 x 11 less one, not 5 x 12 + 5.
  return ms_ceil_div(blocks, ms_ceil_div(blocks, most));
}

/// Spreads the patch under a block.
static void spread_block(const WinogradJob *job, int64_t block, float *to, int64_t step) {
  const int64_t in = job->winograd->in, in_a = job->in_a;
  const int64_t row = block / job->across * 4 - 1, column = block % job->across * 4 - 1;
  MSPatch patch = {
      .x = job->a,
      .first = (row * job->W + column) * in_a,
      .row = job->W * in_a,
      .pixel = in_a,
      .top = row < 0,
      .bottom = ms_min(6, job->H - row),
      .left = column < 0,
      .right = ms_min(6, job->W - column),
      .channels = in_a,
      .to = to,
      .step = step,
  };
  job->winograd->kernels->spread(&patch);
  if (in_a == in) return;
  const int64_t in_b = in - in_a;
  patch.x = job->b;
  patch.first = (row * job->W + column) * in_b;
  patch.row = job->W * in_b;
  patch.pixel = patch.channels = in_b;
  patch.to = to + in_a;
  job->winograd->kernels->spread(&patch);
}

/// The sums of `blocks` blocks at a point, `factors` [points, in, columns] being the panel's.
static void multiply_point(const WinogradJob *job, const float *spread, const float *factors,
                           int64_t columns, int64_t blocks, float *sums) {
  const int64_t in = job->winograd->in;
  const int64_t part = ms_ceil_div(in, ms_ceil_div(in, most_inputs));
  for (int64_t k = 0; k < in; k += part) {
    const MSProduct product = {
        .a = spread + k,
        .row = pitch_of(job->winograd),
        .segments = 1,
        .b = factors + k * columns,
        .columns = columns,
        .pitch = columns,
        .panels = 1,
        .K = ms_min(part, in - k),
        .c = sums,
        .ldc = columns,
        .add = k > 0,
    };
    job->winograd->kernels->multiply_rows(&product, blocks);
  }
}

static void collect_block(const WinogradJob *job, int64_t block, int64_t panel, const float *sums,
                          int64_t step) {
  const MSWinograd *const winograd = job->winograd;
  const int64_t row = block / job->across * 4, column = block % job->across * 4;
  const int64_t output = panel * winograd->kernels->columns;
  const int64_t place = (row * job->W + column) * winograd->out + output;
  const MSBlock result = {
      .sums = sums,
      .step = step,
      .bias = winograd->bias + output,
      .residual = job->residual ? job->residual + place : NULL,
      .y = job->y + place,
      .row = job->W * winograd->out,
      .pixel = winograd->out,
      .rows = ms_min(4, job->H - row),
      .columns = ms_min(4, job->W - column),
      .channels = ms_min(panel_columns(winograd, panel), winograd->out - output),
      .activation = job->activation,
  };
  winograd->kernels->collect(&result);
}

static void winograd_run(void *context, int64_t run, int worker) {
  const WinogradJob *const job = context;
  const MSWinograd *const winograd = job->winograd;
  const int64_t first = run * job->run, blocks = ms_min(job->run, job->blocks - first);
  const int64_t pitch = pitch_of(winograd), in_step = point_floats(job->run, pitch);
  float *const inputs = job->scratch + worker * worker_floats(winograd, job->run);
  float *const sums = inputs + points * in_step;
  for (int64_t block = 0; block < blocks; block++)
    spread_block(job, first + block, inputs + block * pitch, in_step);
  for (int64_t panel = 0; panel < panel_count(winograd); panel++) {
    const int64_t columns = panel_columns(winograd, panel);
    const int64_t out_step = point_floats(job->run, columns);
    const float *const factors = panel_start(winograd, panel);
    for (int64_t point = 0; point < points; point++)
      multiply_point(job, inputs + point * in_step, factors + point * winograd->in * columns,
                     columns, blocks, sums + point * out_step);
    for (int64_t block = 0; block < blocks; block++)
      collect_block(job, first + block, panel, sums + block * columns, out_step);
  }
}

void ms_winograd(MSPool *pool, const MSWinograd *winograd, const float *a, int64_t in_a,
                 const float *b, int64_t H, int64_t W, const float *residual,
                 MSActivation activation, float *y, float *scratch) {
  const int64_t blocks = block_count(H, W);
  WinogradJob job = {
      .winograd = winograd,
      .a = a,
      .in_a = in_a,
      .b = b,
      .H = H,
      .W = W,
      .residual = residual,
      .activation = activation,
      .y = y,
      .scratch = scratch,
      .across = ms_ceil_div(W, 4),
      .blocks = blocks,
      .run = run_for(blocks),
  };
  ms_pool_run_tiles(pool, ms_ceil_div(blocks, job.run), winograd_run, &job);
}

int64_t ms_winograd_scratch(const MSPool *pool, const MSWinograd *winograd, int64_t H, int64_t W) {
  return ms_pool_threads(pool) * worker_floats(winograd, run_for(block_count(H, W)));
}
