#include "elements/source/output.hpp"

#include <utility>

#include "elements/support/wrapper.hpp"

GST_DEBUG_CATEGORY_EXTERN(avchaossrc_debug);
#define GST_CAT_DEFAULT avchaossrc_debug

namespace avc::source {
namespace {

thread_local std::vector<FramePacket> t_room;  // where nobody gathers

GstStaticCaps any_rtp = GST_STATIC_CAPS("application/x-rtp");

}  // namespace

bool Output::takes(media::Medium medium) const {
  return kind_ == Kind::both || (kind_ == Kind::video) == (medium == media::Medium::video);
}

bool Output::ready(const Offer &offer) {
  if (!gathered_.empty()) return true;
  if (!gst_pad_is_linked(pad_)) return false;
  const bool changed = gst_pad_check_reconfigure(pad_);
  if (changed) over_ = false;
  if (over_) return false;
  if (negotiated_ && !changed) return true;
  {
    const PadLock hold(pad_);
    negotiated_ = negotiate(offer);
  }
  over_ = !negotiated_;
  if (over_)
    GST_ELEMENT_ERROR(element_, STREAM, FORMAT, ("What follows takes neither RTP nor coded frames"),
                      ("%s:%s", GST_DEBUG_PAD_NAME(pad_)));
  return negotiated_;
}

void Output::begin(const Offer &offer) {
  if (std::exchange(begun_, true)) return;
  const auto name = take(gst_pad_get_name(pad_));
  const auto id = take(gst_pad_create_stream_id(pad_, element_, name.get()));
  GstEvent *start = gst_event_new_stream_start(id.get());
  gst_event_set_group_id(start, offer.group_id);
  gst_pad_push_event(pad_, start);
}

bool Output::negotiate(const Offer &offer) {
  const auto medium = kind_ == Kind::video ? media::Medium::video : media::Medium::audio;
  const auto offered = kind_ == Kind::both ? take(gst_static_caps_get(&any_rtp)) : offer.caps(medium);
  const auto wanted = take(gst_pad_peer_query_caps(pad_, offered.get()));
  auto chosen = take(gst_caps_intersect_full(offered.get(), wanted.get(), GST_CAPS_INTERSECT_FIRST));
  if (gst_caps_is_empty(chosen.get())) {
    GST_WARNING_OBJECT(pad_, "downstream takes none of %" GST_PTR_FORMAT, offered.get());
    return false;
  }
  chosen.reset(gst_caps_fixate(gst_caps_truncate(chosen.release())));
  if (gst_caps_is_equal(chosen.get(), offered.get())) chosen = share(offered.get());  // one for all, most often
  const bool rtp = gst_structure_has_name(gst_caps_get_structure(chosen.get(), 0), "application/x-rtp");
  const auto frames = rtp ? frames_accepted(pad_) : FramesAnswer::no;
  form_ = !rtp ? Form::coded : frames == FramesAnswer::no ? Form::packets : Form::frames;
  ahead_ = frames == FramesAnswer::ahead_too;
  if (form_ == Form::frames) footprint_.follow(pad_);
  begin(offer);
  const auto now = take(gst_pad_get_current_caps(pad_));
  if (!now || !gst_caps_is_equal(now.get(), chosen.get())) gst_pad_push_event(pad_, gst_event_new_caps(chosen.get()));
  if (!std::exchange(segment_sent_, true)) {
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_pad_push_event(pad_, gst_event_new_segment(&segment));
    gst_pad_push_event(pad_, give(make_event(offer.participant)));
  }
  return true;
}

void Output::push(Ptr<GstBufferList> list) {
  const PadLock hold(pad_);
  note(gst_pad_push_list(pad_, give(std::move(list))));
}

void Output::push(Ptr<GstBuffer> buffer) {
  const PadLock hold(pad_);
  note(gst_pad_push(pad_, give(std::move(buffer))));
}

std::vector<FramePacket> &Output::gather(const std::shared_ptr<const void> &owner) {
  if (owner_ != owner) {
    flush();
    owner_ = owner;
  }
  if (gathered_.empty()) footprint_.expect();
  if (gathered_.capacity() == 0) gathered_.swap(t_room);
  return gathered_;
}

void Output::flush() {
  if (gathered_.empty()) return;
  push(new_frame(owner_, gathered_));
  gathered_.clear();
  if (t_room.capacity() == 0) t_room.swap(gathered_);
  gathered_.shrink_to_fit();
}

void Output::gap(Nanos running_time, Nanos duration) {
  flush();
  const PadLock hold(pad_);
  gst_pad_push_event(pad_, gst_event_new_gap(static_cast<GstClockTime>(running_time.count()),
                                             static_cast<GstClockTime>(duration.count())));
}

void Output::send(const Offer &offer, GstEvent *event) {
  flush();
  const PadLock hold(pad_);
  begin(offer);
  if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) over_ = true;
  gst_pad_push_event(pad_, gst_event_ref(event));
}

// A flush downstream passes; whatever else downstream refused it refuses until it is linked anew.
void Output::note(GstFlowReturn flow) {
  if (flow >= GST_FLOW_OK || flow == GST_FLOW_FLUSHING) return;
  over_ = true;
  GST_DEBUG_OBJECT(pad_, "stops: %s", gst_flow_get_name(flow));
  if (flow == GST_FLOW_EOS) gst_pad_push_event(pad_, gst_event_new_eos());  // a sink that has had enough waits for it
  if (flow <= GST_FLOW_NOT_NEGOTIATED) GST_ELEMENT_FLOW_ERROR(element_, flow);
}

}  // namespace avc::source
