// Shows ThreadSanitizer the locks of GLib. The distribution's GLib is not instrumented, so its futex locks and
// queues look like nothing to the sanitizer, and every structure they protect like a race. This file stands in front
// of those calls (the test executable exports it, see tests/meson.build), calls the real one and tells the sanitizer
// what was acquired or released. It is itself compiled without instrumentation and linked into TSan builds only.
#include <dlfcn.h>
#include <glib.h>

#undef g_mutex_lock
#undef g_mutex_unlock
#undef g_mutex_trylock

extern "C" {

void __tsan_acquire(void *address);
void __tsan_release(void *address);

#define AVC_REAL(function) \
  static const auto real = reinterpret_cast<decltype(&function)>(dlsym(RTLD_NEXT, #function))

#define AVC_ACQUIRES(Lock, function) \
  void function(Lock *lock) {        \
    AVC_REAL(function);              \
    real(lock);                      \
    __tsan_acquire(lock);            \
  }
#define AVC_RELEASES(Lock, function) \
  void function(Lock *lock) {        \
    AVC_REAL(function);              \
    __tsan_release(lock);            \
    real(lock);                      \
  }
#define AVC_TRIES(Lock, function)            \
  gboolean function(Lock *lock) {            \
    AVC_REAL(function);                      \
    const gboolean held = real(lock);        \
    if (held) __tsan_acquire(lock);          \
    return held;                             \
  }

AVC_ACQUIRES(GMutex, g_mutex_lock)
AVC_RELEASES(GMutex, g_mutex_unlock)
AVC_TRIES(GMutex, g_mutex_trylock)
AVC_ACQUIRES(GRecMutex, g_rec_mutex_lock)
AVC_RELEASES(GRecMutex, g_rec_mutex_unlock)
AVC_TRIES(GRecMutex, g_rec_mutex_trylock)
AVC_ACQUIRES(GRWLock, g_rw_lock_writer_lock)
AVC_RELEASES(GRWLock, g_rw_lock_writer_unlock)
AVC_ACQUIRES(GRWLock, g_rw_lock_reader_lock)
AVC_RELEASES(GRWLock, g_rw_lock_reader_unlock)

void g_cond_wait(GCond *cond, GMutex *mutex) {
  AVC_REAL(g_cond_wait);
  __tsan_release(mutex);
  real(cond, mutex);
  __tsan_acquire(mutex);
}

gboolean g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 end) {
  AVC_REAL(g_cond_wait_until);
  __tsan_release(mutex);
  const gboolean signalled = real(cond, mutex, end);
  __tsan_acquire(mutex);
  return signalled;
}

void g_async_queue_push(GAsyncQueue *queue, gpointer item) {
  AVC_REAL(g_async_queue_push);
  __tsan_release(queue);
  real(queue, item);
}

gpointer g_async_queue_pop(GAsyncQueue *queue) {
  AVC_REAL(g_async_queue_pop);
  gpointer item = real(queue);
  __tsan_acquire(queue);
  return item;
}

gpointer g_async_queue_timeout_pop(GAsyncQueue *queue, guint64 timeout) {
  AVC_REAL(g_async_queue_timeout_pop);
  gpointer item = real(queue, timeout);
  if (item) __tsan_acquire(queue);
  return item;
}

}  // extern "C"
