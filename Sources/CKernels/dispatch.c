// Which path this machine takes.
#include <stdatomic.h>
#include <string.h>

#include "kernels.h"

static bool runs_here(const MSKernels *kernels) {
#if defined(__x86_64__)
  if (kernels == &ms_kernels_avx512)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("f16c");
  if (kernels == &ms_kernels_avx2)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("f16c");
#endif
  return true;
}

// Best first; what only tests choose comes last.
static const MSKernels *const paths[] = {
#if defined(__x86_64__)
    &ms_kernels_avx512, &ms_kernels_avx2,
#endif
    &ms_kernels_baseline, &ms_kernels_wide,
};
enum { path_count = sizeof paths / sizeof *paths };

static _Atomic(const MSKernels *) chosen;
static _Thread_local const MSKernels *forced;

const MSKernels *ms_kernels(void) {
  if (forced) return forced;
  const MSKernels *kernels = atomic_load_explicit(&chosen, memory_order_acquire);
  if (kernels) return kernels;
  int path = 0;
  while (!runs_here(paths[path])) path++;
  atomic_store_explicit(&chosen, paths[path], memory_order_release);
  return paths[path];
}

const char *ms_kernel_path(void) { return ms_kernels()->name; }

bool ms_force_kernel_path(const char *name) {
  if (!name) {
    forced = NULL;
    return true;
  }
  for (int path = 0; path < path_count; path++) {
    if (strcmp(paths[path]->name, name) == 0 && runs_here(paths[path])) {
      forced = paths[path];
      return true;
    }
  }
  return false;
}
