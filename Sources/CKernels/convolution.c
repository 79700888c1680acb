#include <stdlib.h>
#include <string.h>

#include "pool.h"
#include "scalar.h"

struct MSConv {
  int64_t out, in, kernel, stride;
  float *weight;  // [kernel, kernel, in, out]
  float *bias;
};

MSConv *ms_conv_prepare(const float *w, const float *bias, int64_t out, int64_t in, int64_t kernel,
                        int64_t stride) {
  MSConv *const conv = calloc(1, sizeof *conv);
  if (!conv) return NULL;
  *conv = (MSConv){out, in, kernel, stride, NULL, NULL};
  const int64_t taps = kernel * kernel;
  conv->weight = malloc(sizeof(float) * (size_t)(out * in * taps));
  conv->bias = calloc((size_t)out, sizeof(float));
  if (!conv->weight || !conv->bias) {
    ms_conv_free(conv);
    return NULL;
  }
  for (int64_t o = 0; o < out; o++)
    for (int64_t i = 0; i < in; i++)
      for (int64_t t = 0; t < taps; t++)
        conv->weight[(t * in + i) * out + o] = w[(o * in + i) * taps + t];
  if (bias) memcpy(conv->bias, bias, sizeof(float) * (size_t)out);
  return conv;
}

void ms_conv_free(MSConv *conv) {
  if (!conv) return;
  free(conv->weight);
  free(conv->bias);
  free(conv);
}

typedef struct {
  const MSConv *conv;
  const float *a;
  int64_t in_a;
  const float *b;
  int64_t H, W;
  const float *residual;
  MSActivation activation;
  float *y;
} ConvJob;

static void add_pixel(const float *x, int64_t in, const float *weight, int64_t out, float *y) {
  for (int64_t i = 0; i < in; i++)
    for (int64_t o = 0; o < out; o++) y[o] += x[i] * weight[i * out + o];
}

static void conv_row(void *context, int64_t row, int worker) {
  (void)worker;
  const ConvJob *const job = context;
  const MSConv *const conv = job->conv;
  const int64_t out = conv->out, pad = conv->kernel / 2, in_b = conv->in - job->in_a;
  const int64_t columns = ms_ceil_div(job->W, conv->stride);
  for (int64_t column = 0; column < columns; column++) {
    float *const y = job->y + (row * columns + column) * out;
    memcpy(y, conv->bias, sizeof(float) * (size_t)out);
    for (int64_t dy = 0; dy < conv->kernel; dy++) {
      for (int64_t dx = 0; dx < conv->kernel; dx++) {
        const int64_t r = row * conv->stride + dy - pad, c = column * conv->stride + dx - pad;
        if (r < 0 || r >= job->H || c < 0 || c >= job->W) continue;
        const float *const weight = conv->weight + (dy * conv->kernel + dx) * conv->in * out;
        add_pixel(job->a + (r * job->W + c) * job->in_a, job->in_a, weight, out, y);
        if (in_b > 0)
          add_pixel(job->b + (r * job->W + c) * in_b, in_b, weight + job->in_a * out, out, y);
      }
    }
    const float *const residual =
        job->residual ? job->residual + (row * columns + column) * out : NULL;
    for (int64_t o = 0; o < out; o++)
      y[o] = ms_activation(y[o] + (residual ? residual[o] : 0), job->activation);
  }
}

void ms_conv2d(MSPool *pool, const MSConv *conv, const float *a, int64_t in_a, const float *b,
               int64_t H, int64_t W, const float *residual, MSActivation activation, float *y,
               float *scratch) {
  (void)scratch;
  ConvJob job = {conv, a, in_a, b, H, W, residual, activation, y};
  ms_pool_run_tiles(pool, ms_ceil_div(H, conv->stride), conv_row, &job);
}

int64_t ms_conv_scratch(const MSPool *pool, const MSConv *conv, int64_t H, int64_t W) {
  (void)pool, (void)conv, (void)H, (void)W;
  return 1;
}

typedef struct {
  const float *x;
  float *y;
  int64_t H, W, C;
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
  UpsampleJob job = {x, y, H, W, C};
  ms_pool_run_tiles(pool, H, upsample_row, &job);
}
