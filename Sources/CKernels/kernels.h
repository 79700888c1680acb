// The inner loops, once per instruction set. Each path_*.c compiles the templates in lanes/ for one
// vector width and fills one table; everything around them (tiles, layout, memory) is written once
// and reaches the loops through the table.
#pragma once
#include <stddef.h>

#include "CKernels.h"

/// A panel holds `columns` neighbouring columns of a matrix: the path's full width, or one vector
/// for a narrow rest. Its element (k, j) is b[k * pitch + j].
typedef struct {
  /// a(i, k) of segment s is a[s * segment + i * row + k * step].
  const float *a;
  int64_t row, step;
  int64_t segments, segment;
  /// Panels of segments * K indices, `panel` floats apart.
  const float *b;
  int64_t columns, pitch, panels, panel;
  int64_t K;
  /// c[i * ldc + p * columns + j]
  float *c;
  int64_t ldc;
  /// Add to what is in c instead of storing.
  bool add;
  /// Meet every panel with a few rows of a before the next rows, rather than every row with one
  /// panel before the next panel: better when the panels together fit the first-level cache.
  bool rows_first;
} MSProduct;

/// What happens to rows of sums: y (+)= gate * activation(sum + bias + residual).
typedef struct {
  const float *sum;       // [rows, count], lds apart
  const float *bias;      // [count]
  const float *residual;  // as y, or NULL
  const float *gate;      // [count]; NULL unless write is MSWriteGatedAdd
  float *y;               // [rows, count], ldy apart
  int64_t rows, count, lds, ldy;
  MSActivation activation;
  MSWrite write;
} MSFinish;

/// Where winograd.c takes values of polynomials: 0, infinity and these, positive and negative. Of
/// points whose powers are exact in float32 they are among those that round least.
#define MS_NEAR 0.6875f
#define MS_FAR 1.5f

/// 6x6 pixels of a picture, of which rows [top, bottom) and columns [left, right) lie in it; the
/// others are zero.
typedef struct {
  /// Pixel (r, c) is at x[first + r * row + c * pixel].
  const float *x;
  int64_t first, row, pixel;
  int64_t top, bottom, left, right;
  int64_t channels;
  /// Channel i at point n goes to to[n * step + i].
  float *to;
  int64_t step;
} MSPatch;

/// 4x4 pixels of a result, of which the first `rows` and `columns` lie in the picture.
typedef struct {
  /// Whole vectors: the sum of channel j at point n is sums[n * step + j].
  const float *sums;
  int64_t step;
  const float *bias;      // [channels]
  const float *residual;  // as y, or NULL
  /// Pixel (r, c) is at y[r * row + c * pixel].
  float *y;
  int64_t row, pixel;
  int64_t rows, columns, channels;
  MSActivation activation;
} MSBlock;

typedef struct {
  const char *name;
  /// Floats in a vector, columns in a full panel.
  int64_t lanes, columns;
  /// c (+)= a b for m rows with step == 1 (rows of a are contiguous).
  void (*multiply_rows)(const MSProduct *product, int64_t m);
  /// The same with row == 1 (columns of a are contiguous).
  void (*multiply_columns)(const MSProduct *product, int64_t m);
  void (*finish)(const MSFinish *finish);
  /// The transforms before and after the products of winograd.c; `collect` also does what `finish`
  /// does.
  void (*spread)(const MSPatch *patch);
  void (*collect)(const MSBlock *block);
  /// One step of the online softmax over `columns` queries (a multiple of the lanes). Scores
  /// [keys, columns], in units of log 2, become weights; `top` and `total` [columns] are brought up
  /// to date and `sums` [E, columns] is rescaled.
  void (*soften)(float *scores, int64_t keys, int64_t columns, float *top, float *total,
                 float *sums, int64_t E);
  void (*layer_norm)(const float *x, float *y, int64_t D, float eps, const float *weight,
                     const float *bias, const float *scale, const float *shift);
  void (*rms_norm)(const float *x, const float *weight, float *y, int64_t D, float eps);
  void (*rotate)(const float *x, const float *cosine, const float *sine, float *y, int64_t E);
  void (*axpby)(float a, const float *x, float b, float *y, int64_t count);
  void (*multiply)(const float *x, float *y, int64_t count);
  void (*soft_clamp)(const float *x, float limit, float *y, int64_t count);
  void (*activate)(const float *x, float *y, int64_t count, MSActivation activation);
  void (*widen_bf16)(const void *src, float *dst, int64_t count);
  void (*widen_f16)(const void *src, float *dst, int64_t count);
} MSKernels;

/// Columns of the panel for what full panels leave of `outputs`: one vector where that is enough, 0
/// where nothing is left.
static inline int64_t ms_rest_columns(const MSKernels *kernels, int64_t outputs) {
  const int64_t left = outputs % kernels->columns;
  if (left == 0) return 0;
  return left <= kernels->lanes ? kernels->lanes : kernels->columns;
}

/// The table for calls from this thread. Kernels ask once per call, on the caller's thread.
const MSKernels *ms_kernels(void);

extern const MSKernels ms_kernels_baseline;
extern const MSKernels ms_kernels_wide;
#if defined(__x86_64__)
extern const MSKernels ms_kernels_avx2;
extern const MSKernels ms_kernels_avx512;
#endif
