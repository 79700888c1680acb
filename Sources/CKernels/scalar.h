// Scalar activations, shared by the simple kernels.
#pragma once
#include <math.h>

#include "CKernels.h"

static inline float ms_activation(float x, MSActivation activation) {
  switch (activation) {
    case MSActivationGELUTanh:
      return 0.5f * x * (1.0f + tanhf(0.7978845608028654f * (x + 0.044715f * x * x * x)));
    case MSActivationSiLU:
      return x / (1.0f + expf(-x));
    case MSActivationReLU:
      return x > 0 ? x : 0;
    default:
      return x;
  }
}
