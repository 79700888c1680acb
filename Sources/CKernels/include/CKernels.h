// Every loop over tensor elements. Kernels never allocate (except the prepare functions), never do
// I/O and know no layer names. Work is split into fixed tiles that do not depend on the number of
// threads, and no sum is ever split between tiles: the same inputs give the same bytes for any pool.
//
// Letters: M rows (tokens or pixels), K input width, N output width, D width, H heads, E head width.
// All tensors are float32, row-major; `ld*` is the distance between rows in elements. Unless a
// comment says so, outputs must not overlap inputs.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// MARK: Thread pool

typedef struct MSPool MSPool;
/// A pool of `threads` >= 1 workers including the caller; NULL when threads cannot be made. A pool runs one
/// kernel at a time (calls from several threads are serialised).
MSPool *ms_pool_create(int threads);
void ms_pool_destroy(MSPool *pool);
int ms_pool_threads(const MSPool *pool);
/// Runs body(context, index) for index in 0 ..< count over the pool. The body must not use the pool.
void ms_pool_run(MSPool *pool, int64_t count, void (*body)(void *context, int64_t index),
                 void *context);
/// "avx512", "avx2" or "baseline": the code path chosen on this machine.
const char *ms_kernel_path(void);
/// For tests: calls from this thread take the named path ("wide" is the AVX-512 source compiled for any
/// machine), or the chosen one again for NULL. False when this machine lacks it. What was prepared on
/// another path keeps that one.
bool ms_force_kernel_path(const char *name);

// MARK: Numbers

/// A value that an int32_t can hold, without what is behind the point; nothing is checked.
static inline int32_t ms_whole(float value) { return (int32_t)value; }

// MARK: Linear

typedef enum {
  MSActivationNone = 0,
  MSActivationGELUTanh = 1,
  MSActivationSiLU = 2,
  MSActivationReLU = 3,
} MSActivation;

/// How a linear's result meets what is in `y`.
typedef enum {
  MSWriteStore = 0,     // y = r
  MSWriteAdd = 1,       // y += r
  MSWriteGatedAdd = 2,  // y += gate[row / rows_per_gate] * r
} MSWrite;

typedef struct MSLinear MSLinear;
/// Packs w [N, K] (and bias [N] or NULL) once; NULL when out of memory. Both are copied.
MSLinear *ms_linear_prepare(const float *w, const float *bias, int64_t N, int64_t K);
void ms_linear_free(MSLinear *linear);
/// r[M, N] = activation(x[M, K] w^T + bias), written to y [M, N] as `write` says. gate is [*, N].
void ms_linear(MSPool *pool, const MSLinear *linear, const float *x, int64_t ldx, float *y,
               int64_t ldy, int64_t M, MSActivation activation, MSWrite write, const float *gate,
               int64_t rows_per_gate);
/// y = y * x over count (the gated feed-forward of umT5 after two linears, one of them with GELU).
void ms_multiply(MSPool *pool, const float *x, float *y, int64_t count);

// MARK: Norms

/// y = LN(x) * (1 + scale) + shift, scale/shift [*, D] by row / rows_per_group (either may be NULL),
/// or LN(x) * weight + bias when weight/bias are given (NULL otherwise). Statistics in float32 or better.
void ms_layer_norm(MSPool *pool, const float *x, float *y, int64_t M, int64_t D, float eps,
                   const float *weight, const float *bias, const float *scale, const float *shift,
                   int64_t rows_per_group);
/// y = x / sqrt(mean(x^2) + eps) * weight. In place allowed (y == x, ldy == ldx).
void ms_rms_norm(MSPool *pool, const float *x, int64_t ldx, const float *weight, float *y,
                 int64_t ldy, int64_t M, int64_t D, float eps);

// MARK: Rotary embedding

/// Rotates interleaved pairs (2j, 2j+1) of every head: x [M, H*E], cosine/sine [M, E/2].
/// In place allowed (y == x, ldy == ldx).
void ms_rope(MSPool *pool, const float *x, int64_t ldx, const float *cosine, const float *sine,
             float *y, int64_t ldy, int64_t M, int64_t H, int64_t E);

// MARK: Attention

/// o[Q, H*E] = softmax(scale * q k^T + bias) v per head, tiled with an online softmax: the whole score
/// matrix is never built. q [Q, H*E], k and v [KV, H*E]. bias is NULL or [H, Q, KV] (umT5).
/// `scratch` holds ms_attention_scratch(...) floats. A row with no key, or with every score -infinity, gives zeros.
void ms_attention(MSPool *pool, const float *q, int64_t ldq, const float *k, int64_t ldk,
                  const float *v, int64_t ldv, float *o, int64_t ldo, int64_t Q, int64_t KV,
                  int64_t H, int64_t E, float scale, const float *bias, float *scratch);
/// Floats of scratch that ms_attention needs on this pool for at most these sizes.
int64_t ms_attention_scratch(const MSPool *pool, int64_t Q, int64_t KV, int64_t H, int64_t E);

// MARK: Convolution (NHWC)

typedef struct MSConv MSConv;
/// Packs w [out, in, kernel, kernel] (PyTorch order) and bias [out] or NULL. kernel 1 or 3, padding
/// kernel/2, stride 1 or 2. 3x3 kernels of stride 1 between enough channels are kept as Winograd's
/// F(4x4, 3x3) takes them: four times the floats, a quarter of the multiplications, and rounding
/// errors up to four times as large (a few 1e-6 of the largest output).
MSConv *ms_conv_prepare(const float *w, const float *bias, int64_t out, int64_t in, int64_t kernel,
                        int64_t stride);
/// The same for a 3x3 kernel over a picture doubled by nearest neighbour, of which only four of nine
/// products differ: ms_conv2d then takes the picture as it is, [H, W, in], and gives [2H, 2W, out].
MSConv *ms_conv_prepare_doubled(const float *w, const float *bias, int64_t out, int64_t in);
void ms_conv_free(MSConv *conv);
/// Floats that the packed weights take.
int64_t ms_conv_floats(const MSConv *conv);
/// y[H/stride, W/stride, out] = activation(conv(concat(a, b)) + residual). a [H, W, in_a] and
/// b [H, W, in - in_a] (NULL when in_a == in) are the two parts of the input channels;
/// residual [H/stride, W/stride, out] or NULL is added before the activation.
/// `scratch` holds ms_conv_scratch(...) floats. Odd H or W with stride 2 round up, as PyTorch does.
void ms_conv2d(MSPool *pool, const MSConv *conv, const float *a, int64_t in_a, const float *b,
               int64_t H, int64_t W, const float *residual, MSActivation activation, float *y,
               float *scratch);
int64_t ms_conv_scratch(const MSPool *pool, const MSConv *conv, int64_t H, int64_t W);

// MARK: Elementwise and layout

/// y = a * x + b * y over count. (Re-noising, x0 = x - sigma * v.)
void ms_axpby(MSPool *pool, float a, const float *x, float b, float *y, int64_t count);
/// y = limit * tanh(x / limit), in place allowed.
void ms_soft_clamp(MSPool *pool, const float *x, float limit, float *y, int64_t count);
/// y = activation(x), in place allowed.
void ms_activate(MSPool *pool, const float *x, float *y, int64_t count, MSActivation activation);
/// Narrow floats to float32. `src` may be unaligned.
void ms_widen_bf16(const void *src, float *dst, int64_t count);
void ms_widen_f16(const void *src, float *dst, int64_t count);
/// RGB in [0, 1] (clamped; NaN becomes 0) to bytes: round(255 x). x [H, W, 3*p*p] with PixelShuffle order
/// (channel c*p*p + row*p + column), out [H*p, W*p, 3].
void ms_pixels(MSPool *pool, const float *x, int64_t H, int64_t W, int64_t p, uint8_t *out);

#ifdef __cplusplus
}
#endif
