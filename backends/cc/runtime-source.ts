/**
 * What calls generated programs from Node, in C: an addon over Node-API, whose few functions it declares itself so that no headers
 * are needed, and a pool of threads that share ranges of a nest's axis.
 */

export const runtimeSource = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct napi_env__ *napi_env;
typedef struct napi_value__ *napi_value;
typedef struct napi_callback_info__ *napi_callback_info;
typedef napi_value (*napi_callback)(napi_env, napi_callback_info);
extern int napi_create_function(napi_env, const char *, size_t, napi_callback, void *, napi_value *);
extern int napi_set_named_property(napi_env, napi_value, const char *, napi_value);
extern int napi_get_cb_info(napi_env, napi_callback_info, size_t *, napi_value *, napi_value *, void **);
extern int napi_get_value_double(napi_env, napi_value, double *);
extern int napi_create_double(napi_env, double, napi_value *);
extern int napi_get_value_string_utf8(napi_env, napi_value, char *, size_t, size_t *);
extern int napi_create_string_utf8(napi_env, const char *, size_t, napi_value *);
extern int napi_get_typedarray_info(napi_env, napi_value, int *, size_t *, void **, napi_value *, size_t *);
extern int napi_add_env_cleanup_hook(napi_env, void (*)(void *), void *);

/*
 * Threads. A job is a nest and an extent cut into chunks, so many a region; each thread has a region of its own, which it takes first: there
 * lies, most often, what it made before. A ticket is the job's number and the next chunk of a region.
 */
typedef void (*nest)(float *const *, long, long);
enum { most = 256, perRegion = 2 };
static struct {
  _Atomic nest run;
  float *const *_Atomic a;
  atomic_long extent, chunk;
  atomic_int count;
} job;
static struct { _Alignas(64) _Atomic uint64_t ticket; } regions[most + 1];
static _Atomic uint32_t current;
static atomic_long done;
static atomic_int sleeping, stopping;
/* Threads beside the first, and how many with it share the program that runs. */
static int workers, sharing;
static pthread_t threads[most];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;

static inline void rest(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/* Chunks of a region of the job of this number, as long as there are some. A late thread finds another number, and leaves. */
static void takeOf(int region, uint32_t number) {
  _Atomic uint64_t *const ticket = &regions[region].ticket;
  for (;;) {
    uint64_t now = atomic_load(ticket);
    if ((uint32_t)(now >> 32) != number) return;
    const long at = (uint32_t)now;
    const nest run = atomic_load(&job.run);
    float *const *a = atomic_load(&job.a);
    const long extent = atomic_load(&job.extent), chunk = atomic_load(&job.chunk);
    const long lo = (region * (long)perRegion + at) * chunk, end = lo + chunk;
    if (at >= perRegion || lo >= extent) return;
    if (!atomic_compare_exchange_strong(ticket, &now, now + 1)) continue;
    run(a, lo, end < extent ? end : extent);
    atomic_fetch_add(&done, 1);
  }
}

static void take(int own, uint32_t number) {
  const int count = atomic_load(&job.count);
  if (own >= count) return;
  for (int i = 0; i < count; i++) takeOf((own + i) % count, number);
}

/* What a thread begins with: its region, and the last job before it. */
static struct { int own; uint32_t seen; } begins[most];

static void *work(void *mine) {
  const int own = begins[(uintptr_t)mine].own;
  uint32_t seen = begins[(uintptr_t)mine].seen;
  for (;;) {
    int turns = 0;
    uint32_t number;
    while ((number = atomic_load(&current)) == seen && !atomic_load(&stopping)) {
      if (++turns < 5000) {
        rest();
        continue;
      }
      pthread_mutex_lock(&lock);
      atomic_fetch_add(&sleeping, 1);
      while (atomic_load(&current) == seen && !atomic_load(&stopping)) pthread_cond_wait(&wake, &lock);
      atomic_fetch_sub(&sleeping, 1);
      pthread_mutex_unlock(&lock);
    }
    if (atomic_load(&stopping)) return 0;
    seen = number;
    take(own, number);
  }
}

static void rouse(void) {
  if (!atomic_load(&sleeping)) return;
  pthread_mutex_lock(&lock);
  pthread_cond_broadcast(&wake);
  pthread_mutex_unlock(&lock);
}

static void share(nest run, float *const *a, long extent) {
  const int count = sharing <= workers ? sharing : workers + 1;
  if (count < 2) {
    run(a, 0, extent);
    return;
  }
  const long parts = (long)perRegion * count;
  const long chunk = (extent + parts - 1) / parts, chunks = (extent + chunk - 1) / chunk;
  const uint32_t before = atomic_load(&current), number = before + 1;
  /* No chunk has this number, so nobody takes one of a job that is being written; and none sees it before it is. */
  for (int i = 0; i <= workers; i++) atomic_store(&regions[i].ticket, (uint64_t)before << 32 | UINT32_MAX);
  atomic_store(&job.run, run);
  atomic_store(&job.a, a);
  atomic_store(&job.extent, extent);
  atomic_store(&job.chunk, chunk);
  atomic_store(&job.count, count);
  atomic_store(&done, 0);
  for (int i = 0; i < count; i++) atomic_store(&regions[i].ticket, (uint64_t)number << 32);
  atomic_store(&current, number);
  rouse();
  take(0, number);
  /* Where another process has the core of a thread that is not done, waiting without end would keep both from it. */
  for (int turns = 0; atomic_load(&done) < chunks; turns++) {
    if (turns < 5000) rest();
    else sched_yield();
  }
}

static void stop(void *unused) {
  (void)unused;
  atomic_store(&stopping, 1);
  pthread_mutex_lock(&lock);
  pthread_cond_broadcast(&wake);
  pthread_mutex_unlock(&lock);
  for (int i = 0; i < workers; i++) pthread_join(threads[i], 0);
  workers = 0;
  atomic_store(&stopping, 0);
}

/* At least so many threads with the first; fewer where the system gives no more. */
static void grow(int count) {
  while (workers + 1 < count && workers < most) {
    begins[workers].own = workers + 1;
    begins[workers].seen = atomic_load(&current);
    if (pthread_create(&threads[workers], 0, work, (void *)(uintptr_t)workers)) return;
    workers++;
  }
}

/* The addon. */
static double number(napi_env env, napi_value value) {
  double x = 0;
  napi_get_value_double(env, value, &x);
  return x;
}
static void *memory(napi_env env, napi_value value, size_t *length) {
  int type;
  void *data = 0;
  size_t offset;
  napi_value buffer;
  napi_get_typedarray_info(env, value, &type, length, &data, &buffer, &offset);
  return data;
}
static napi_value text(napi_env env, const char *what) {
  napi_value result;
  napi_create_string_utf8(env, what, (size_t)-1, &result);
  return result;
}

/* load(path, [handle, program]): what is wrong, or nothing. */
static napi_value load(napi_env env, napi_callback_info info) {
  napi_value args[2];
  size_t count = 2, length;
  char path[4096];
  napi_get_cb_info(env, info, &count, args, 0, 0);
  napi_get_value_string_utf8(env, args[0], path, sizeof path, &length);
  double *out = memory(env, args[1], &length);
  void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!handle) return text(env, dlerror());
  void *program = dlsym(handle, "immersion_program");
  void (*begin)(void) = (void (*)(void))dlsym(handle, "immersion_start");
  void (**sharing)(nest, float *const *, long) = dlsym(handle, "immersion_share");
  if (!program || !begin || !sharing) {
    dlclose(handle);
    return text(env, "no program in it");
  }
  *sharing = share;
  begin();
  out[0] = (double)(uintptr_t)handle;
  out[1] = (double)(uintptr_t)program;
  return text(env, "");
}
static napi_value unload(napi_env env, napi_callback_info info) {
  napi_value arg;
  size_t count = 1;
  napi_get_cb_info(env, info, &count, &arg, 0, 0);
  dlclose((void *)(uintptr_t)number(env, arg));
  return 0;
}
/* address(array): where its numbers lie. */
static napi_value address(napi_env env, napi_callback_info info) {
  napi_value arg, result;
  size_t count = 1, length;
  napi_get_cb_info(env, info, &count, &arg, 0, 0);
  napi_create_double(env, (double)(uintptr_t)memory(env, arg, &length), &result);
  return result;
}
/* run(program, addresses, threads). */
static napi_value run(napi_env env, napi_callback_info info) {
  napi_value args[3];
  size_t count = 3, length = 0;
  napi_get_cb_info(env, info, &count, args, 0, 0);
  sharing = (int)number(env, args[2]);
  grow(sharing);
  void (*program)(float *const *) = (void (*)(float *const *))(uintptr_t)number(env, args[0]);
  const double *addresses = memory(env, args[1], &length);
  float **s = malloc(sizeof(float *) * (length + 1));
  if (!s) return 0;
  for (size_t i = 0; i < length; i++) s[i] = (float *)(uintptr_t)addresses[i];
  program(s);
  free(s);
  return 0;
}
int32_t node_api_module_get_api_version_v1(void) { return 8; }
napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  const struct { const char *name; napi_callback call; } all[] = {
    { "load", load }, { "unload", unload }, { "address", address }, { "run", run },
  };
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    napi_value function;
    napi_create_function(env, all[i].name, (size_t)-1, all[i].call, 0, &function);
    napi_set_named_property(env, exports, all[i].name, function);
  }
  napi_add_env_cleanup_hook(env, stop, 0);
  return exports;
}
`;
