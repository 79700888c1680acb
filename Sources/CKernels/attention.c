// Flash attention with queries across the vector's lanes. Per head and block of queries: scores of
// a block of keys are a panel product K q^T, the softmax step runs down the columns, and the
// weights are the panel of a second product V^T w. K and V are read as they lie in the cache.
#include "kernels.h"
#include "pool.h"

enum {
  /// Panels of queries that share one walk over the keys.
  most_panels = 3,
  most_keys = 120,
};

typedef struct {
  const MSKernels *kernels;
  const float *q;
  int64_t ldq;
  const float *k;
  int64_t ldk;
  const float *v;
  int64_t ldv;
  float *o;
  int64_t ldo, Q, KV, H, E;
  float scale;
  const float *bias;
  float *scratch;
  int64_t query_blocks, block_queries, key_block;
} AttentionJob;

/// What a tile keeps for one panel of queries; lies in the thread's scratch.
typedef struct {
  int64_t first, used, columns;
  float *queries;  // [E, columns], scaled
  float *sums;     // [E, columns]
  float *top, *total;
} Panel;

static int64_t panel_floats(int64_t columns, int64_t E) { return columns * (2 * E + 2); }

static int64_t worker_floats(int64_t columns, int64_t E) {
  return most_panels * panel_floats(columns, E) + most_keys * columns;
}

static void open_panel(const AttentionJob *job, int64_t head, Panel *panel) {
  const int64_t columns = panel->columns, E = job->E;
  for (int64_t j = 0; j < columns; j++) {
    panel->top[j] = -3.402823466e38f;
    panel->total[j] = 0;
  }
  for (int64_t j = 0; j < columns; j++) {
    const float *const q = job->q + (panel->first + j) * job->ldq + head * E;
    for (int64_t e = 0; e < E; e++)
      panel->queries[e * columns + j] = j < panel->used ? q[e] * job->scale : 0;
  }
  for (int64_t i = 0; i < E * columns; i++) panel->sums[i] = 0;
}

static void close_panel(const AttentionJob *job, int64_t head, const Panel *panel) {
  for (int64_t j = 0; j < panel->used; j++) {
    float *const o = job->o + (panel->first + j) * job->ldo + head * job->E;
    const float factor = panel->total[j] > 0 ? 1 / panel->total[j] : 0;
    for (int64_t e = 0; e < job->E; e++) o[e] = panel->sums[e * panel->columns + j] * factor;
  }
}

static void add_bias(const AttentionJob *job, int64_t head, const Panel *panel, int64_t key,
                     int64_t keys, float *scores) {
  for (int64_t j = 0; j < panel->used; j++) {
    const float *const bias =
        job->bias + (head * job->Q + panel->first + j) * job->KV + key;
    for (int64_t i = 0; i < keys; i++) scores[i * panel->columns + j] += bias[i];
  }
}

static void add_keys(const AttentionJob *job, int64_t head, const Panel *panel, int64_t key,
                     int64_t keys, float *scores) {
  const MSKernels *const kernels = job->kernels;
  const MSProduct score = {
      .a = job->k + key * job->ldk + head * job->E,
      .row = job->ldk,
      .segments = 1,
      .b = panel->queries,
      .columns = panel->columns,
      .panels = 1,
      .K = job->E,
      .c = scores,
      .ldc = panel->columns,
  };
  kernels->multiply_rows(&score, keys);
  if (job->bias) add_bias(job, head, panel, key, keys, scores);
  kernels->soften(scores, keys, panel->columns, panel->top, panel->total, panel->sums, job->E);
  const MSProduct value = {
      .a = job->v + key * job->ldv + head * job->E,
      .step = job->ldv,
      .segments = 1,
      .b = scores,
      .columns = panel->columns,
      .panels = 1,
      .K = keys,
      .c = panel->sums,
      .ldc = panel->columns,
      .add = true,
  };
  kernels->multiply_columns(&value, job->E);
}

static void attention_tile(void *context, int64_t tile, int worker) {
  const AttentionJob *const job = context;
  const MSKernels *const kernels = job->kernels;
  const int64_t head = tile / job->query_blocks;
  const int64_t first = tile % job->query_blocks * job->block_queries;
  const int64_t end = ms_min(first + job->block_queries, job->Q);
  float *scratch = job->scratch + worker * worker_floats(kernels->columns, job->E);
  Panel panels[most_panels];
  int count = 0;
  for (int64_t query = first; query < end; query += kernels->columns) {
    const int64_t used = ms_min(kernels->columns, end - query);
    const int64_t columns = used <= kernels->lanes ? kernels->lanes : kernels->columns;
    Panel *const panel = &panels[count++];
    *panel = (Panel){query, used, columns, scratch, scratch + columns * job->E,
                     scratch + 2 * columns * job->E, scratch + 2 * columns * job->E + columns};
    scratch += panel_floats(columns, job->E);
    open_panel(job, head, panel);
  }
  for (int64_t key = 0; key < job->KV; key += job->key_block)
    for (int i = 0; i < count; i++)
      add_keys(job, head, &panels[i], key, ms_min(job->key_block, job->KV - key), scratch);
  for (int i = 0; i < count; i++) close_panel(job, head, &panels[i]);
}

void ms_attention(MSPool *pool, const float *q, int64_t ldq, const float *k, int64_t ldk,
                  const float *v, int64_t ldv, float *o, int64_t ldo, int64_t Q, int64_t KV,
                  int64_t H, int64_t E, float scale, const float *bias, float *scratch) {
  const MSKernels *const kernels = ms_kernels();
  const int64_t block_queries = most_panels * kernels->columns;
  const int64_t query_blocks = ms_ceil_div(Q, block_queries);
  const int64_t key_blocks = ms_max(ms_ceil_div(KV, most_keys), 1);
  AttentionJob job = {
      .kernels = kernels,
      .q = q,
      .ldq = ldq,
      .k = k,
      .ldk = ldk,
      .v = v,
      .ldv = ldv,
      .o = o,
      .ldo = ldo,
      .Q = Q,
      .KV = KV,
      .H = H,
      .E = E,
      .scale = scale,
      .bias = bias,
      .scratch = scratch,
      .query_blocks = query_blocks,
      .block_queries = block_queries,
      .key_block = ms_max(ms_ceil_div(KV, key_blocks), 1),
  };
  ms_pool_run_tiles(pool, H * query_blocks, attention_tile, &job);
}

int64_t ms_attention_scratch(const MSPool *pool, int64_t Q, int64_t KV, int64_t H, int64_t E) {
  (void)Q, (void)KV, (void)H;
  return ms_pool_threads(pool) * worker_floats(ms_kernels()->columns, E);
}
