#include "pool.h"
#include "scalar.h"

typedef struct {
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
} AttentionJob;

static void attention_tile(void *context, int64_t tile, int worker) {
  (void)worker;
  const AttentionJob *const job = context;
  const int64_t h = tile / job->Q, i = tile % job->Q, E = job->E;
  const float *const q = job->q + i * job->ldq + h * E;
  float *const o = job->o + i * job->ldo + h * E;
  float top = -INFINITY, total = 0;
  for (int64_t e = 0; e < E; e++) o[e] = 0;
  for (int64_t j = 0; j < job->KV; j++) {
    const float *const k = job->k + j * job->ldk + h * E, *const v = job->v + j * job->ldv + h * E;
    float score = 0;
    for (int64_t e = 0; e < E; e++) score += q[e] * k[e];
    score *= job->scale;
    if (job->bias) score += job->bias[(h * job->Q + i) * job->KV + j];
    if (score == -INFINITY) continue;
    if (score > top) {
      const float shrink = expf(top - score);
      total *= shrink;
      for (int64_t e = 0; e < E; e++) o[e] *= shrink;
      top = score;
    }
    const float weight = expf(score - top);
    total += weight;
    for (int64_t e = 0; e < E; e++) o[e] += weight * v[e];
  }
  if (total > 0)
    for (int64_t e = 0; e < E; e++) o[e] /= total;
}

void ms_attention(MSPool *pool, const float *q, int64_t ldq, const float *k, int64_t ldk,
                  const float *v, int64_t ldv, float *o, int64_t ldo, int64_t Q, int64_t KV,
                  int64_t H, int64_t E, float scale, const float *bias, float *scratch) {
  (void)scratch;
  AttentionJob job = {q, ldq, k, ldk, v, ldv, o, ldo, Q, KV, H, E, scale, bias};
  ms_pool_run_tiles(pool, H * Q, attention_tile, &job);
}

int64_t ms_attention_scratch(const MSPool *pool, int64_t Q, int64_t KV, int64_t H, int64_t E) {
  (void)pool, (void)Q, (void)KV, (void)H, (void)E;
  return 1;
}
