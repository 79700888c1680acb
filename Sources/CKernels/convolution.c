// Implicit GEMM without im2col, for what winograd.c does not take. A tile copies its input rows (both
// sources side by side) into the thread's scratch with zero borders; there, the 3 * C inputs under a
// kernel row lie in one run for every pixel, and neighbouring pixels' runs are stride * C apart: rows
// of a matrix that overlap. The sums of a run of pixels are biased, joined with the residual and
// activated at once.
#include <string.h>

#include "kernels.h"
#include "pool.h"
#include "winograd.h"

struct MSConv {
  /// What does the work instead, for layers that it suits; nothing else is set then.
  MSWinograd *winograd;
  const MSKernels *kernels;
  int64_t out, in, kernel, stride;
  /// The input is doubled first: `panels` then holds the weights of the four output phases, each a
  /// 2x2 convolution of the input as it is.
  bool doubled;
  int64_t full_panels;  // of kernels->columns outputs
  int64_t rest;         // columns of the last, narrower panel, or 0
  int64_t phases;       // 4 when doubled, else 1
  float *panels;        // per phase, per panel [kernel, kernel, in, columns]
  float *bias;          // [out]
};

enum {
  /// Pixels whose sums are kept on the stack.
  most_pixels = 96,
  /// Inputs summed in one go: partial sums keep the rounding error of wide layers down.
  most_inputs = 768,
  most_tile_rows = 4,
  wanted_tiles = 12,
};

static void pack_panel(const MSConv *conv, const float *w, int64_t first, int64_t columns,
                       float *panel) {
  const int64_t taps = conv->kernel * conv->kernel;
  for (int64_t j = 0; j < columns; j++) {
    const int64_t o = first + j;
    for (int64_t t = 0; t < taps; t++)
      for (int64_t i = 0; i < conv->in; i++)
        panel[(t * conv->in + i) * columns + j] =
            o < conv->out ? w[(o * conv->in + i) * taps + t] : 0;
  }
}

/// Floats of all panels of one phase.
static int64_t phase_floats(const MSConv *conv) {
  const int64_t columns = conv->full_panels * conv->kernels->columns + conv->rest;
  return columns * conv->kernel * conv->kernel * conv->in;
}

/// A convolution with room for `phases` sets of weights, none of them set; NULL without memory.
static MSConv *allocate(const float *bias, int64_t out, int64_t in, int64_t kernel, int64_t stride,
                        int64_t phases) {
  MSConv *const conv = calloc(1, sizeof *conv);
  if (!conv) return NULL;
  conv->kernels = ms_kernels();
  conv->out = out;
  conv->in = in;
  conv->kernel = kernel;
  conv->stride = stride;
  conv->phases = phases;
  conv->full_panels = out / conv->kernels->columns;
  conv->rest = ms_rest_columns(conv->kernels, out);
  conv->panels = ms_allocate(phases * phase_floats(conv));
  conv->bias = ms_allocate(out);
  if (!conv->panels || !conv->bias) {
    ms_conv_free(conv);
    return NULL;
  }
  for (int64_t o = 0; o < out; o++) conv->bias[o] = bias ? bias[o] : 0;
  return conv;
}

static void pack(const MSConv *conv, const float *w, float *panels) {
  const int64_t columns = conv->kernels->columns;
  const int64_t K = conv->kernel * conv->kernel * conv->in;
  for (int64_t panel = 0; panel < conv->full_panels; panel++)
    pack_panel(conv, w, panel * columns, columns, panels + panel * columns * K);
  if (conv->rest > 0)
    pack_panel(conv, w, conv->full_panels * columns, conv->rest,
               panels + conv->full_panels * columns * K);
}

MSConv *ms_conv_prepare(const float *w, const float *bias, int64_t out, int64_t in, int64_t kernel,
                        int64_t stride) {
  if (kernel == 3 && stride == 1 && ms_winograd_pays(out, in)) {
    MSConv *const conv = calloc(1, sizeof *conv);
    if (conv) conv->winograd = ms_winograd_prepare(w, bias, out, in);
    if (conv && conv->winograd) return conv;
    ms_conv_free(conv);
    return NULL;
  }
  MSConv *const conv = allocate(bias, out, in, kernel, stride, 1);
  if (conv) pack(conv, w, conv->panels);
  return conv;
}

MSConv *ms_conv_prepare_doubled(const float *w, const float *bias, int64_t out, int64_t in) {
  MSConv *const conv = allocate(bias, out, in, 2, 1, 4);
  float *const sums = ms_allocate(out * in * 4);
  if (!conv || !sums) {
    ms_conv_free(conv);
    free(sums);
    return NULL;
  }
  conv->doubled = true;
  for (int64_t phase = 0; phase < 4; phase++) {
    const int64_t down = phase / 2, right = phase % 2;
    memset(sums, 0, sizeof(float) * (size_t)(out * in * 4));
    // Under an even output row, kernel row 0 lies on the input row before, 1 and 2 on its own;
    // under an odd one 0 and 1 on its own and 2 on the next. Columns alike.
    for (int64_t o = 0; o < out * in; o++)
      for (int64_t ky = 0; ky < 3; ky++)
        for (int64_t kx = 0; kx < 3; kx++)
          sums[o * 4 + (ky + 1 - down) / 2 * 2 + (kx + 1 - right) / 2] += w[o * 9 + ky * 3 + kx];
    pack(conv, sums, conv->panels + phase * phase_floats(conv));
  }
  free(sums);
  return conv;
}

void ms_conv_free(MSConv *conv) {
  if (!conv) return;
  ms_winograd_free(conv->winograd);
  free(conv->panels);
  free(conv->bias);
  free(conv);
}

typedef struct {
  const MSConv *conv;
  const float *a;
  int64_t in_a;
  const float *b;
  int64_t H, W, out_H, out_W;
  const float *residual;
  MSActivation activation;
  float *y;
  float *scratch;
  int64_t tile_rows, worker_floats;
} ConvJob;

static int64_t tile_rows_for(const MSConv *conv, int64_t H) {
  const int64_t rows = ms_ceil_div(H, conv->stride);
  return ms_max(1, ms_min(most_tile_rows, rows / wanted_tiles));
}

/// Input rows under `rows` output rows (pairs of them when doubled), borders included.
static int64_t input_rows(const MSConv *conv, int64_t rows) {
  return (rows - 1) * conv->stride + conv->kernel + conv->doubled;
}

/// The same in floats.
static int64_t input_floats(const MSConv *conv, int64_t rows, int64_t W) {
  const int64_t border = conv->kernel / 2;
  const int64_t out_W = ms_ceil_div(W, conv->stride);
  const int64_t width = ms_max(W + 2 * border, (out_W - 1) * conv->stride + conv->kernel);
  return input_rows(conv, rows) * width * conv->in;
}

/// Copies `rows` input rows from `row` (which may lie outside the image) and their borders.
static void gather(const ConvJob *job, int64_t row, int64_t rows, int64_t width, float *to) {
  const int64_t border = job->conv->kernel / 2, in = job->conv->in, in_a = job->in_a;
  const int64_t in_b = in - in_a;
  for (int64_t r = row; r < row + rows; r++, to += width * in) {
    if (r < 0 || r >= job->H) {
      memset(to, 0, sizeof(float) * (size_t)(width * in));
      continue;
    }
    memset(to, 0, sizeof(float) * (size_t)(border * in));
    float *const inside = to + border * in;
    const float *const a = job->a + r * job->W * in_a;
    if (in_b == 0) {
      memcpy(inside, a, sizeof(float) * (size_t)(job->W * in));
    } else {
      const float *const b = job->b + r * job->W * in_b;
      for (int64_t column = 0; column < job->W; column++) {
        memcpy(inside + column * in, a + column * in_a, sizeof(float) * (size_t)in_a);
        memcpy(inside + column * in + in_a, b + column * in_b, sizeof(float) * (size_t)in_b);
      }
    }
    const int64_t after = width - border - job->W;
    memset(inside + job->W * in, 0, sizeof(float) * (size_t)(after * in));
  }
}

/// `pixels` neighbouring outputs of one panel, from `input` (their first kernel row's run).
static void multiply_panel(const MSConv *conv, const float *input, int64_t pitch, int64_t pixels,
                           const float *panel, int64_t columns, float *sums) {
  const int64_t run = conv->kernel * conv->in;
  MSProduct product = {
      .row = conv->stride * conv->in,
      .columns = columns,
      .pitch = columns,
      .panels = 1,
      .c = sums,
      .ldc = columns,
  };
  if (conv->kernel * run <= most_inputs) {
    product.a = input;
    product.segments = conv->kernel;
    product.segment = pitch;
    product.b = panel;
    product.K = run;
    conv->kernels->multiply_rows(&product, pixels);
    return;
  }
  const int64_t parts = ms_ceil_div(run, most_inputs);
  const int64_t part = ms_ceil_div(run, parts);
  product.segments = 1;
  for (int64_t ky = 0; ky < conv->kernel; ky++) {
    for (int64_t k = 0; k < run; k += part) {
      product.a = input + ky * pitch + k;
      product.b = panel + (ky * run + k) * columns;
      product.K = ms_min(part, run - k);
      conv->kernels->multiply_rows(&product, pixels);
      product.add = true;
    }
  }
}

/// `pixels` outputs, `step` apart, from output `pixel` on; `input` is the first one's first kernel
/// row.
static void conv_pixels(const ConvJob *job, const float *panels, const float *input, int64_t pitch,
                        int64_t pixel, int64_t step, int64_t pixels) {
  const MSConv *const conv = job->conv;
  const int64_t out = conv->out, full = conv->kernels->columns;
  const int64_t K = conv->kernel * conv->kernel * conv->in;
  float sums[most_pixels * 32];
  for (int64_t column = 0; column < out; column += full) {
    const int64_t columns = column / full < conv->full_panels ? full : conv->rest;
    multiply_panel(conv, input, pitch, pixels, panels + column * K, columns, sums);
    const int64_t place = pixel * out + column;
    const MSFinish finish = {
        .sum = sums,
        .bias = conv->bias + column,
        .residual = job->residual ? job->residual + place : NULL,
        .y = job->y + place,
        .rows = pixels,
        .count = ms_min(columns, out - column),
        .lds = columns,
        .ldy = step * out,
        .activation = job->activation,
    };
    conv->kernels->finish(&finish);
  }
}

/// Row `row` of the output, from `input` (its first kernel row).
static void conv_row(const ConvJob *job, const float *input, int64_t pitch, int64_t row) {
  const MSConv *const conv = job->conv;
  const int64_t runs = ms_ceil_div(job->out_W, most_pixels);
  const int64_t run = ms_ceil_div(job->out_W, runs);
  for (int64_t column = 0; column < job->out_W; column += run) {
    const float *const first = input + column * conv->stride * conv->in;
    const int64_t pixels = ms_min(run, job->out_W - column);
    if (!conv->doubled) {
      conv_pixels(job, conv->panels, first, pitch, row * job->out_W + column, 1, pixels);
      continue;
    }
    for (int64_t phase = 0; phase < 4; phase++) {
      const int64_t down = phase / 2, right = phase % 2;
      const int64_t pixel = ((2 * row + down) * job->out_W + column) * 2 + right;
      conv_pixels(job, conv->panels + phase * phase_floats(conv),
                  first + down * pitch + right * conv->in, pitch, pixel, 2, pixels);
    }
  }
}

static void conv_tile(void *context, int64_t tile, int worker) {
  const ConvJob *const job = context;
  const MSConv *const conv = job->conv;
  const int64_t first = tile * job->tile_rows;
  const int64_t rows = ms_min(job->tile_rows, job->out_H - first);
  const int64_t border = conv->kernel / 2;
  const float *input = job->a + first * conv->stride * job->W * conv->in;
  int64_t width = job->W;
  if (conv->kernel > 1 || job->in_a < conv->in) {
    float *const copy = job->scratch + worker * job->worker_floats;
    width = ms_max(job->W + 2 * border, (job->out_W - 1) * conv->stride + conv->kernel);
    gather(job, first * conv->stride - border, input_rows(conv, rows), width, copy);
    input = copy;
  }
  const int64_t pitch = width * conv->in;
  for (int64_t row = 0; row < rows; row++)
    conv_row(job, input + row * conv->stride * pitch, pitch, first + row);
}

int64_t ms_conv_floats(const MSConv *conv) {
  return conv->winograd ? ms_winograd_floats(conv->winograd) : conv->phases * phase_floats(conv);
}

void ms_conv2d(MSPool *pool, const MSConv *conv, const float *a, int64_t in_a, const float *b,
               int64_t H, int64_t W, const float *residual, MSActivation activation, float *y,
               float *scratch) {
  if (conv->winograd) {
    ms_winograd(pool, conv->winograd, a, in_a, b, H, W, residual, activation, y, scratch);
    return;
  }
  const int64_t rows = tile_rows_for(conv, H);
  ConvJob job = {
      .conv = conv,
      .a = a,
      .in_a = in_a,
      .b = b,
      .H = H,
      .W = W,
      .out_H = ms_ceil_div(H, conv->stride),
      .out_W = ms_ceil_div(W, conv->stride),
      .residual = residual,
      .activation = activation,
      .y = y,
      .scratch = scratch,
      .tile_rows = rows,
      .worker_floats = input_floats(conv, rows, W),
  };
  ms_pool_run_tiles(pool, ms_ceil_div(job.out_H, rows), conv_tile, &job);
}

int64_t ms_conv_scratch(const MSPool *pool, const MSConv *conv, int64_t H, int64_t W) {
  if (conv->winograd) return ms_winograd_scratch(pool, conv->winograd, H, W);
  return ms_pool_threads(pool) * input_floats(conv, tile_rows_for(conv, H), W);
}
