// Flash attention with queries across the vector's lanes. Per head and block of queries: scores of
// a block of keys are a product K q^T, the softmax step runs down the columns, and the weights are
// the panels of a second product V^T w. K and V are read as they lie in the cache.
#include <float.h>

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

/// A block of `used` queries of one head, and what is kept for it in the thread's scratch.
typedef struct {
  int64_t head, first, used;
  int64_t columns;           // `used`, rounded up to whole vectors
  float *queries;            // [E, columns], scaled
  float *sums;               // [E, columns]
  float *scores;             // [keys, columns]
  float *top, *total;        // [columns]
} Block;

// Scores are kept in units of log 2: the softmax step then needs powers of two only.
static const float log2_e = 1.44269504f;

static int64_t worker_floats(const MSKernels *kernels, int64_t E) {
  return most_panels * kernels->columns * (2 * E + most_keys + 2);
}

static void open_block(const AttentionJob *job, Block *block) {
  const int64_t columns = block->columns, E = job->E;
  for (int64_t j = 0; j < columns; j++) {
    block->top[j] = -FLT_MAX;
    block->total[j] = 0;
  }
  const float factor = job->scale * log2_e;
  for (int64_t j = 0; j < columns; j++) {
    const float *const q = job->q + (block->first + j) * job->ldq + block->head * E;
    for (int64_t e = 0; e < E; e++)
      block->queries[e * columns + j] = j < block->used ? q[e] * factor : 0;
  }
  for (int64_t i = 0; i < E * columns; i++) block->sums[i] = 0;
}

static void close_block(const AttentionJob *job, const Block *block) {
  for (int64_t j = 0; j < block->used; j++) {
    float *const o = job->o + (block->first + j) * job->ldo + block->head * job->E;
    const float factor = block->total[j] > 0 ? 1 / block->total[j] : 0;
    for (int64_t e = 0; e < job->E; e++) o[e] = block->sums[e * block->columns + j] * factor;
  }
}

static void add_bias(const AttentionJob *job, const Block *block, int64_t key, int64_t keys) {
  for (int64_t j = 0; j < block->used; j++) {
    const int64_t row = block->head * job->Q + block->first + j;
    const float *const bias = job->bias + row * job->KV + key;
    for (int64_t i = 0; i < keys; i++) block->scores[i * block->columns + j] += bias[i] * log2_e;
  }
}

/// c [m, columns] (+)= a b for all of the block's columns: full panels, then a narrow rest.
static void multiply(const Block *block, const MSKernels *kernels, MSProduct product, int64_t m,
                     void (*kernel)(const MSProduct *, int64_t)) {
  product.segments = 1;
  product.pitch = block->columns;
  product.ldc = block->columns;
  product.columns = kernels->columns;
  product.panel = kernels->columns;
  product.panels = block->columns / kernels->columns;
  product.rows_first = true;
  kernel(&product, m);
  const int64_t done = product.panels * kernels->columns;
  if (done == block->columns) return;
  product.b += done;
  product.c += done;
  product.columns = kernels->lanes;
  product.panels = 1;
  kernel(&product, m);
}

static void add_keys(const AttentionJob *job, const Block *block, int64_t key, int64_t keys) {
  const MSKernels *const kernels = job->kernels;
  const MSProduct score = {
      .a = job->k + key * job->ldk + block->head * job->E,
      .row = job->ldk,
      .b = block->queries,
      .K = job->E,
      .c = block->scores,
  };
  multiply(block, kernels, score, keys, kernels->multiply_rows);
  if (job->bias) add_bias(job, block, key, keys);
  kernels->soften(block->scores, keys, block->columns, block->top, block->total, block->sums,
                  job->E);
  const MSProduct value = {
      .a = job->v + key * job->ldv + block->head * job->E,
      .step = job->ldv,
      .b = block->scores,
      .K = keys,
      .c = block->sums,
      .add = true,
  };
  multiply(block, kernels, value, job->E, kernels->multiply_columns);
}

static void attention_tile(void *context, int64_t tile, int worker) {
  const AttentionJob *const job = context;
  const int64_t lanes = job->kernels->lanes;
  Block block = {.head = tile / job->query_blocks,
                 .first = tile % job->query_blocks * job->block_queries};
  block.used = ms_min(job->block_queries, job->Q - block.first);
  block.columns = ms_ceil_div(block.used, lanes) * lanes;
  block.queries = job->scratch + worker * worker_floats(job->kernels, job->E);
  block.sums = block.queries + job->E * block.columns;
  block.scores = block.sums + job->E * block.columns;
  block.top = block.scores + job->key_block * block.columns;
  block.total = block.top + block.columns;
  open_block(job, &block);
  for (int64_t key = 0; key < job->KV; key += job->key_block)
    add_keys(job, &block, key, ms_min(job->key_block, job->KV - key));
  close_block(job, &block);
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
  return ms_pool_threads(pool) * worker_floats(ms_kernels(), E);
}
