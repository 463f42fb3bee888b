#include "elements/support/footprint.hpp"

#include <algorithm>
#include <cstring>

#include "elements/support/rtp_frame.hpp"

namespace avc {
namespace {

// GStreamer's and GLib's own parts, whose sizes are not public: the first lines.
constexpr std::size_t kPrivate = 128, kMutex = 64;
constexpr std::size_t kMostOfElement = 1536;

Ptr<GstPad> only_src(GstElement *element) {
  GST_OBJECT_LOCK(element);
  auto pad = element->numsrcpads == 1 ? share(GST_PAD(element->srcpads->data)) : nullptr;
  GST_OBJECT_UNLOCK(element);
  return pad;
}

}  // namespace

void Footprint::follow(GstPad *src) {
  stretches_.clear();
  for (Ptr<GstPad> pad = share(src); pad;) {
    add(pad.get());
    const auto peer = final_peer(pad.get());
    if (!peer) break;
    add(peer.get());
    const auto element = take(gst_pad_get_parent_element(peer.get()));
    if (!element) break;
    add(element.get());
    pad = only_src(element.get());
  }
  stretches_.shrink_to_fit();
}

void Footprint::add(const void *from, std::size_t bytes) {
  stretches_.push_back({static_cast<const char *>(from), bytes});
}

void Footprint::add(GstPad *pad) {
  add(pad, sizeof(GstPad));
  add(pad->priv, kPrivate);
  add(GST_PAD_GET_STREAM_LOCK(pad)->p, kMutex);
}

void Footprint::add(GstElement *element) {
  const Insides *insides = takes_frames(element);
  if (!insides || insides->bytes == 0) return;
  add(element, insides->pointer_at + sizeof(void *));
  const void *own = nullptr;
  std::memcpy(&own, reinterpret_cast<const char *>(element) + insides->pointer_at, sizeof own);
  add(own, std::min(insides->bytes, kMostOfElement));
}

}  // namespace avc
