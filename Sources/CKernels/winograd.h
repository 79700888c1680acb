// 3x3 convolutions of stride 1 with a quarter of the multiplications, for convolution.c.
#pragma once
#include <stdbool.h>

#include "CKernels.h"

typedef struct MSWinograd MSWinograd;
/// Whether a layer has enough channels for the transforms to cost less than they save.
bool ms_winograd_pays(int64_t out, int64_t in);
/// As ms_conv_prepare.
MSWinograd *ms_winograd_prepare(const float *w, const float *bias, int64_t out, int64_t in);
void ms_winograd_free(MSWinograd *winograd);
int64_t ms_winograd_floats(const MSWinograd *winograd);
/// As ms_conv2d.
void ms_winograd(MSPool *pool, const MSWinograd *winograd, const float *a, int64_t in_a,
                 const float *b, int64_t H, int64_t W, const float *residual,
                 MSActivation activation, float *y, float *scratch);
int64_t ms_winograd_scratch(const MSPool *pool, const MSWinograd *winograd, int64_t H, int64_t W);
