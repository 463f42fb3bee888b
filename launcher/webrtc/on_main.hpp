// webrtcbin calls back on threads of its own. What it says is handed to the main context, and forgotten if the peer
// that it was for is gone by then. A weak pointer may be copied anywhere, but is looked through on the main context
// only: so it is always there that the last reference goes.
#pragma once

#define GST_USE_UNSTABLE_API
#include <gst/webrtc/webrtc.h>

#include <functional>
#include <memory>
#include <utility>

#include "elements/support/ptr.hpp"

namespace avc::webrtc {

template <class T>
void on_main(const std::weak_ptr<T> &whom, std::function<void(T &)> what) {
  struct Call {
    std::weak_ptr<T> whom;
    std::function<void(T &)> what;
  };
  g_idle_add_full(
      G_PRIORITY_DEFAULT,
      [](gpointer data) -> gboolean {
        auto *call = static_cast<Call *>(data);
        if (const auto there = call->whom.lock()) call->what(*there);
        return G_SOURCE_REMOVE;
      },
      new Call{whom, std::move(what)}, [](gpointer data) { delete static_cast<Call *>(data); });
}

// A promise whose answer is looked at on the main context. Nothing comes if it is never answered.
template <class T>
GstPromise *promise_for(const std::weak_ptr<T> &whom, std::function<void(T &, const GstStructure *)> what) {
  struct Wait {
    std::weak_ptr<T> whom;
    std::function<void(T &, const GstStructure *)> what;
  };
  return gst_promise_new_with_change_func(
      [](GstPromise *promise, gpointer data) {
        const auto *wait = static_cast<Wait *>(data);
        const GstStructure *reply =
            gst_promise_wait(promise) == GST_PROMISE_RESULT_REPLIED ? gst_promise_get_reply(promise) : nullptr;
        const std::shared_ptr<GstStructure> kept(reply != nullptr ? gst_structure_copy(reply) : nullptr,
                                                 [](GstStructure *s) {
                                                   if (s != nullptr) gst_structure_free(s);
                                                 });
        on_main<T>(wait->whom, [kept, what = wait->what](T &there) { what(there, kept.get()); });
        gst_promise_unref(promise);
      },
      new Wait{whom, std::move(what)}, [](gpointer data) { delete static_cast<Wait *>(data); });
}

}  // namespace avc::webrtc
