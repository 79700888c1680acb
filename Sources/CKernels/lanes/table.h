// One path: every template at one width, and the table of them.
#include "../kernels.h"
#include "vector.h"
#include "convert.h"
#include "elementwise.h"
#include "finish.h"
#include "multiply.h"
#include "norm.h"
#include "rotary.h"
#include "softmax.h"
#include "winograd.h"

const MSKernels MS_TABLE = {
    .name = MS_NAME,
    .lanes = MS_LANES,
    .columns = MS_LANES * panel_vectors,
    .multiply_rows = multiply_rows,
    .multiply_columns = multiply_columns,
    .finish = finish,
    .spread = spread,
    .collect = collect,
    .soften = soften,
    .layer_norm = layer_norm,
    .rms_norm = rms_norm,
    .rotate = rotate,
    .axpby = axpby,
    .multiply = multiply,
    .soft_clamp = soft_clamp,
    .activate = activate,
    .widen_bf16 = widen_bf16,
    .widen_f16 = widen_f16,
};
