// One pool for the whole program. Tiles are claimed one by one from a shared ticket; which thread
// runs a tile never changes what the tile computes. A worker that wakes late finds the tiles gone
// and goes back to sleep: nobody waits for it (cores are often shared with other programs).
#include "pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

// About 30 microseconds: longer than the gap between two kernels, shorter than a context switch
// is worth.
enum { spin_rounds = 1000 };

typedef struct {
  struct MSPool *pool;
  int index;
} MSWorker;

struct MSPool {
  int threads;
  int started;
  // Held for the length of a call: one kernel at a time.
  pthread_mutex_t call;
  pthread_mutex_t mutex;
  pthread_cond_t wake;
  pthread_cond_t finished;
  // Job number in the high half, next tile in the low half. A worker reads the job's fields
  // between loading the ticket and claiming with compare-and-swap. Before the fields change, the
  // ticket moves to a number without tiles (odd), so a swap that succeeds read its own job's fields.
  _Atomic uint64_t ticket;
  _Atomic(MSTileBody) body;
  _Atomic(void *) context;
  _Atomic int64_t count;
  _Atomic int64_t first;
  _Atomic int64_t done;
  _Atomic int sleepers;
  _Atomic bool stop;
  pthread_t *handles;
  MSWorker *workers;
};

static inline void pause_briefly(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// Runs tiles of the current job until none is left; returns the job's number.
static uint32_t run_share(MSPool *pool, int worker) {
  uint64_t ticket = atomic_load(&pool->ticket);
  const uint32_t job = (uint32_t)(ticket >> 32);
  while ((uint32_t)(ticket >> 32) == job) {
    const MSTileBody body = atomic_load(&pool->body);
    void *const context = atomic_load(&pool->context);
    const int64_t count = atomic_load(&pool->count);
    const int64_t first = atomic_load(&pool->first);
    const int64_t tile = (int64_t)(uint32_t)ticket;
    if (tile >= count) break;
    if (!atomic_compare_exchange_weak(&pool->ticket, &ticket, ticket + 1)) continue;
    body(context, first + tile, worker);
    if (atomic_fetch_add(&pool->done, 1) + 1 == count) {
      pthread_mutex_lock(&pool->mutex);
      pthread_cond_signal(&pool->finished);
      pthread_mutex_unlock(&pool->mutex);
    }
    ticket = atomic_load(&pool->ticket);
  }
  return job;
}

static void *worker_main(void *argument) {
  const MSWorker *const self = argument;
  MSPool *const pool = self->pool;
  uint32_t seen = 0;
  for (;;) {
    bool fresh = false;
    for (int round = 0; round < spin_rounds && !fresh; round++) {
      fresh = (uint32_t)(atomic_load(&pool->ticket) >> 32) != seen || atomic_load(&pool->stop);
      pause_briefly();
    }
    if (!fresh) {
      pthread_mutex_lock(&pool->mutex);
      atomic_fetch_add(&pool->sleepers, 1);
      while ((uint32_t)(atomic_load(&pool->ticket) >> 32) == seen && !atomic_load(&pool->stop))
        pthread_cond_wait(&pool->wake, &pool->mutex);
      atomic_fetch_sub(&pool->sleepers, 1);
      pthread_mutex_unlock(&pool->mutex);
    }
    if (atomic_load(&pool->stop)) return NULL;
    seen = run_share(pool, self->index);
  }
}

MSPool *ms_pool_create(int threads) {
  if (threads < 1) return NULL;
  MSPool *const pool = calloc(1, sizeof *pool);
  if (!pool) return NULL;
  pool->threads = threads;
  pool->handles = calloc((size_t)threads, sizeof *pool->handles);
  pool->workers = calloc((size_t)threads, sizeof *pool->workers);
  pthread_mutex_init(&pool->call, NULL);
  pthread_mutex_init(&pool->mutex, NULL);
  pthread_cond_init(&pool->wake, NULL);
  pthread_cond_init(&pool->finished, NULL);
  bool good = pool->handles && pool->workers;
  for (int i = 1; good && i < threads; i++) {
    pool->workers[i] = (MSWorker){pool, i};
    good = pthread_create(&pool->handles[i], NULL, worker_main, &pool->workers[i]) == 0;
    if (good) pool->started++;
  }
  if (!good) {
    ms_pool_destroy(pool);
    return NULL;
  }
  return pool;
}

void ms_pool_destroy(MSPool *pool) {
  if (!pool) return;
  pthread_mutex_lock(&pool->mutex);
  atomic_store(&pool->stop, true);
  pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->mutex);
  for (int i = 1; i <= pool->started; i++) pthread_join(pool->handles[i], NULL);
  pthread_cond_destroy(&pool->finished);
  pthread_cond_destroy(&pool->wake);
  pthread_mutex_destroy(&pool->mutex);
  pthread_mutex_destroy(&pool->call);
  free(pool->workers);
  free(pool->handles);
  free(pool);
}

int ms_pool_threads(const MSPool *pool) { return pool->threads; }

static void run_job(MSPool *pool, int64_t first, int64_t count, MSTileBody body, void *context) {
  const uint64_t closed = (atomic_load(&pool->ticket) >> 32) + 1;
  atomic_store(&pool->ticket, closed << 32 | UINT32_MAX);
  atomic_store(&pool->body, body);
  atomic_store(&pool->context, context);
  atomic_store(&pool->count, count);
  atomic_store(&pool->first, first);
  atomic_store(&pool->done, 0);
  atomic_store(&pool->ticket, (closed + 1) << 32);
  // A worker counts itself as asleep before it looks at the ticket for the last time, so either
  // it sees this job or we see it.
  if (atomic_load(&pool->sleepers) > 0) {
    pthread_mutex_lock(&pool->mutex);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);
  }
  run_share(pool, 0);
  for (int round = 0; round < spin_rounds && atomic_load(&pool->done) != count; round++)
    pause_briefly();
  if (atomic_load(&pool->done) != count) {
    pthread_mutex_lock(&pool->mutex);
    while (atomic_load(&pool->done) != count) pthread_cond_wait(&pool->finished, &pool->mutex);
    pthread_mutex_unlock(&pool->mutex);
  }
}

void ms_pool_run_tiles(MSPool *pool, int64_t count, MSTileBody body, void *context) {
  pthread_mutex_lock(&pool->call);
  if (pool->threads == 1 || count == 1) {
    for (int64_t tile = 0; tile < count; tile++) body(context, tile, 0);
  } else {
    // The ticket counts tiles in 32 bits.
    const int64_t most = (int64_t)1 << 30;
    for (int64_t first = 0; first < count; first += most)
      run_job(pool, first, ms_min(count - first, most), body, context);
  }
  pthread_mutex_unlock(&pool->call);
}

typedef struct {
  void (*body)(void *context, int64_t index);
  void *context;
} MSPlainJob;

static void run_plain(void *context, int64_t tile, int worker) {
  (void)worker;
  const MSPlainJob *const job = context;
  job->body(job->context, tile);
}

void ms_pool_run(MSPool *pool, int64_t count, void (*body)(void *context, int64_t index),
                 void *context) {
  MSPlainJob job = {body, context};
  ms_pool_run_tiles(pool, count, run_plain, &job);
}
