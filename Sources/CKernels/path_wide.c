// The AVX-512 kernels' source at their width for any machine: slow, and never chosen by itself. It
// lets the tests run that source where AVX-512 is absent.
#define MS_LANES 16
#define MS_ROWS 12
#define MS_TABLE ms_kernels_wide
#define MS_NAME "wide"
#include "lanes/table.h"
