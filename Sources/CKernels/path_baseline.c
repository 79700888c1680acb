// Four lanes: SSE2 on x86-64, which every such machine has, and the usual 128 bits elsewhere.
#define MS_LANES 4
#define MS_ROWS 6
#define MS_TABLE ms_kernels_baseline
#define MS_NAME "baseline"
#include "lanes/table.h"
