// Shows ThreadSanitizer what GLib and GStreamer order between threads. The distribution's libraries are not
// instrumented, so their futex locks, queues and reference counts look like nothing to the sanitizer, and every
// structure they protect like a race. This file stands in front of those calls (every executable exports it, see
// meson.build here), calls the real one and tells the sanitizer what was acquired or released. It is itself compiled
// without instrumentation and linked into TSan builds only.
#include <dlfcn.h>
#include <gio/gio.h>
#include <gst/gst.h>

#undef g_mutex_lock
#undef g_mutex_unlock
#undef g_mutex_trylock
#undef g_once_init_enter
#undef g_once_init_leave
#undef g_object_ref

extern "C" {

void __tsan_acquire(void *address);
void __tsan_release(void *address);

#define AVC_REAL(function) static const auto real = reinterpret_cast<decltype(&function)>(dlsym(RTLD_NEXT, #function))

// Locks.

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
#define AVC_TRIES(Lock, function)     \
  gboolean function(Lock *lock) {     \
    AVC_REAL(function);               \
    const gboolean held = real(lock); \
    if (held) __tsan_acquire(lock);   \
    return held;                      \
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

// Things made once: whoever finds them made sees all of them.

gboolean g_once_init_enter(volatile void *location) {
  AVC_REAL(g_once_init_enter);
  const gboolean first = real(location);
  if (!first) __tsan_acquire(const_cast<void *>(location));
  return first;
}

void g_once_init_leave(volatile void *location, gsize result) {
  AVC_REAL(g_once_init_leave);
  __tsan_release(const_cast<void *>(location));
  real(location, result);
}

// Queues between threads.

void g_async_queue_push(GAsyncQueue *queue, gpointer item) {
  AVC_REAL(g_async_queue_push);
  __tsan_release(queue);
  real(queue, item);
}

#define AVC_POPS(function, parameters, arguments) \
  gpointer function parameters {                  \
    AVC_REAL(function);                           \
    gpointer item = real arguments;               \
    if (item) __tsan_acquire(queue);              \
    return item;                                  \
  }

AVC_POPS(g_async_queue_pop, (GAsyncQueue * queue), (queue))
AVC_POPS(g_async_queue_try_pop, (GAsyncQueue * queue), (queue))
AVC_POPS(g_async_queue_timeout_pop, (GAsyncQueue * queue, guint64 timeout), (queue, timeout))

// Reference counts: the last owner frees what every earlier one has written.

#define AVC_DROPS(Type, function) \
  void function(Type object) {    \
    AVC_REAL(function);           \
    __tsan_release(object);       \
    __tsan_acquire(object);       \
    real(object);                 \
  }

AVC_DROPS(gpointer, g_object_unref)
AVC_DROPS(gpointer, gst_object_unref)
AVC_DROPS(GstMiniObject *, gst_mini_object_unref)

// Messages: what was written before one was posted is seen by whoever takes it from the bus.

gboolean gst_element_post_message(GstElement *element, GstMessage *message) {
  AVC_REAL(gst_element_post_message);
  __tsan_release(message);
  return real(element, message);
}

gboolean gst_bus_post(GstBus *bus, GstMessage *message) {
  AVC_REAL(gst_bus_post);
  __tsan_release(message);
  return real(bus, message);
}

GstMessage *gst_bus_timed_pop_filtered(GstBus *bus, GstClockTime timeout, GstMessageType types) {
  AVC_REAL(gst_bus_timed_pop_filtered);
  GstMessage *message = real(bus, timeout, types);
  if (message) __tsan_acquire(message);
  return message;
}

}  // extern "C"
