/**
 * SECTION:element-participanttagger
 * @title: participanttagger
 *
 * Marks RTP packets as one participant's: header extension with the participant's id, SSRC, payload type, jumps of
 * sequence number and timestamp. It also makes the RTCP sender reports of streams sent by plain UDP.
 *
 * It stands behind a payloader, or behind avchaossrc, and before chaosdegrader, so that reports are hurt like packets.
 *
 * ## Marking
 *
 * #participanttagger:extension says how the id travels. `rfc3550` is one word of profile 0x0001 with the id in
 * little-endian order, which makes the header 20 bytes; it takes the place of any extension that is there. `rfc8285`
 * adds or replaces the element #participanttagger:extension-id (four bytes, network order) and keeps the others.
 * `none` leaves extensions alone. Where the word is not the one of RFC 3550, #participanttagger:transport-cc-id keeps
 * an element of two bytes free: webrtcbin writes its transport-wide sequence number only where there is one. Header
 * bytes are changed in place where the buffer allows it; payload is never copied. What is no RTP packet passes
 * unchanged, is counted, and warned about once.
 *
 * ## Streams
 *
 * Video gets the SSRC id*1000 and audio id*1000+1, or #participanttagger:ssrc (and the one after it for audio in a
 * mixed stream). Which is which follows from the caps field `media`, else from the payload types named by the event
 * `avchaos-participant`, else payload type 111 is audio. The caps are rewritten once, and sent again only if they
 * really changed.
 *
 * ## Sender reports
 *
 * Every #participanttagger:rtcp-interval-ms of media time each stream gets a report (SR and SDES) as a buffer on the
 * same pad. avchaosudpsink sends those to its RTCP port; before a stock udpsink set the interval to 0, or they arrive
 * on the port of the media.
 *
 * ## Events
 *
 * A sticky `avchaos-participant` event goes before the first packet: upstream's with our id and SSRCs, else our own.
 *
 * ## Spikes
 *
 * Events from downstream (spikescheduler's) make it change SSRCs, move timestamps and sequence numbers, leave, and
 * flood; all of it by the media's own time, and each spike ends alone. Caps of a single medium follow its SSRC. While a
 * participant is away nothing passes and downstream gets a gap event for each buffer; an RTCP BYE goes before, unless
 * there are no reports. Never put it behind SRTP: rewritten headers would not authenticate.
 *
 * ## Statistics
 *
 * `stats`: participant-id, ssrc, packets, video-packets, audio-packets, malformed, sender-reports, withheld (buffers
 * and lists while away), flood-packets, flood-skipped, left.
 *
 * ## Threads
 *
 * Everything happens on the streaming thread; nothing waits, and it adds no latency.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc is-live=true ! x264enc tune=zerolatency ! rtph264pay ! participanttagger
 * participant-id=1001 rtcp-interval-ms=0 ! udpsink host=127.0.0.1 port=5002
 * ]| Packets with SSRC 1001000 and a 20-byte header arrive at port 5002.
 *
 * Since: 0.1
 */
#include "elements/participanttagger.hpp"

#include <gst/video/video.h>

#include <array>
#include <atomic>
#include <string>
#include <utility>

#include "core/runtime/guarded.hpp"
#include "elements/support/chaos_events.hpp"
#include "elements/support/clock.hpp"
#include "elements/support/errors.hpp"
#include "elements/support/mapped.hpp"
#include "elements/support/properties.hpp"
#include "elements/support/rtp_frame.hpp"
#include "elements/support/wrapper.hpp"
#include "elements/tagger/flood.hpp"
#include "elements/tagger/identity.hpp"
#include "elements/tagger/sender_reports.hpp"
#include "elements/tagger/spikes.hpp"

GST_DEBUG_CATEGORY_STATIC(participanttagger_debug);
#define GST_CAT_DEFAULT participanttagger_debug

using namespace avc;
using tagger::Settings;

namespace {

GType extension_type() {
  static const GEnumValue values[] = {
      {int(tagger::Extension::rfc3550), "RFC 3550: profile 0x0001, one word, little-endian id", "rfc3550"},
      {int(tagger::Extension::rfc8285), "RFC 8285: one element with the id in network order", "rfc8285"},
      {int(tagger::Extension::none), "No extension is written", "none"},
      {0, nullptr, nullptr}};
  return register_enum("AvcParticipantExtension", values);
}

const Property<Settings> kProperties[] = {
    {"participant-id", "The participant (0: the one upstream names, else 1001)", &Settings::participant_id, 0, 0,
     kReady},
    {"ssrc", "SSRC (0: id*1000 for video, id*1000+1 for audio)", &Settings::ssrc, 0, 0, kReady},
    {"extension", "How the participant's id is written into the header",
     choice<Settings, &Settings::extension>(extension_type), 0, 0, kReady},
    {"extension-id", "Id of the element with extension=rfc8285", &Settings::extension_id, 1, 14, kReady},
    {"transport-cc-id",
     "Id of an element kept free for the transport-wide sequence number that rtpsession writes (0: none)",
     &Settings::transport_cc_id, 0, 14, kReady},
    {"profile-level-id", "What the caps call the stream's H.264 profile and level (none: as it is)",
     &Settings::profile_level_id, 0, 0, kReady},
    {"payload-type", "Payload type to set (-1: keep); in a mixed stream that of video", &Settings::payload_type, -1,
     127, kReady},
    {"seqnum-offset", "Added to sequence numbers, modulo 2^16", &Settings::seqnum_offset, 0, 65535},
    {"timestamp-offset", "Added to RTP timestamps, modulo 2^32", &Settings::timestamp_offset},
    {"rtcp-interval-ms", "Media time between two sender reports of a stream, in ms (0: none)",
     &Settings::rtcp_interval_ms},
};

GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("application/x-rtp"));
GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("application/x-rtp"));

class Impl {
 public:
  explicit Impl(GstElement *element);

  void start();
  GstFlowReturn chain(Ptr<GstBuffer> buffer);
  GstFlowReturn chain_list(Ptr<GstBufferList> list);
  gboolean sink_event(Ptr<GstEvent> event);
  gboolean src_event(Ptr<GstEvent> event);
  [[nodiscard]] Ptr<GstStructure> stats() const;

  Guarded<Settings> settings;

 private:
  // Streaming thread only.
  void identify();
  void announce();
  void push_caps();
  bool admit(GstBuffer *first);
  void keep_up(GstClockTime pts);
  void carry_out(const tagger::Spikes::Change &change, GstClockTime pts);
  void flood(Instant until, GstClockTime pts);
  bool withheld(GstBuffer *first);
  gint64 ntp_offset() const;
  void tag(GstBuffer *buffer);
  void tag(RtpFrame &frame);
  void count(net::Stream stream, const tagger::SenderReports::Sent &sent);
  GstFlowReturn chain_each(Ptr<GstBuffer> frames);
  GstFlowReturn report(GstFlowReturn flow, bool as_frame);
  void count_malformed();

  GstElement *element_;
  GstPad *sink_, *src_;  // owned by the element

  // Streaming thread only; valid from start() on.
  Settings now_;  // as of the buffer or list under way
  GstSegment segment_;
  tagger::Identity who_;
  bool announced_ = false;
  Ptr<GstCaps> caps_;  // that went downstream
  tagger::SenderReports reports_;
  bool touched_[net::kStreamCount] = {};  // streams with a packet in the list under way
  tagger::Spikes spikes_;
  tagger::Flood flood_;
  Instant last_time_;           // running time, of what passed while there were spikes
  bool picture_waits_ = false;  // for a keyframe: packets of video were withheld

  // Written by the streaming thread, read by any.
  std::atomic<guint> participant_id_{0}, ssrc_{0};
  std::atomic<guint64> video_{0}, audio_{0}, malformed_{0}, sender_reports_{0};
  std::atomic<guint64> withheld_{0}, flood_packets_{0}, flood_skipped_{0};
  std::atomic<bool> absent_{false};
};

}  // namespace

struct _AvcParticipantTagger {
  GstElement parent;
  Impl *impl;
};
G_DEFINE_FINAL_TYPE(AvcParticipantTagger, avc_participant_tagger, GST_TYPE_ELEMENT)

namespace {

Impl &impl_of(gpointer object) { return *AVC_PARTICIPANT_TAGGER(object)->impl; }

Impl::Impl(GstElement *element) : element_(element) {
  gst_segment_init(&segment_, GST_FORMAT_TIME);
  sink_ = new_pad(element, "sink");
  src_ = new_pad(element, "src");
  gst_pad_set_chain_function(sink_, [](GstPad *, GstObject *parent, GstBuffer *buffer) noexcept {
    return impl_of(parent).chain(take(buffer));
  });
  gst_pad_set_chain_list_function(sink_, [](GstPad *, GstObject *parent, GstBufferList *list) noexcept {
    return impl_of(parent).chain_list(take(list));
  });
  gst_pad_set_event_full_function(sink_, [](GstPad *, GstObject *parent, GstEvent *event) noexcept {
    Impl &impl = impl_of(parent);
    return event_outcome(impl.sink_event(take(event)), impl.src_);
  });
  gst_pad_set_event_function(src_, [](GstPad *, GstObject *parent, GstEvent *event) noexcept {
    return impl_of(parent).src_event(take(event));
  });
  gst_pad_set_query_function(sink_, [](GstPad *pad, GstObject *parent, GstQuery *query) noexcept {
    return query_filter(pad, parent, query, impl_of(parent).src_);
  });
  gst_element_add_pad(element_, sink_);
  gst_element_add_pad(element_, src_);
}

void Impl::start() {
  now_ = *settings.lock();
  gst_segment_init(&segment_, GST_FORMAT_TIME);
  who_ = {};
  announced_ = false;
  caps_.reset();
  reports_.restart();
  spikes_.restart();
  last_time_ = {};
  picture_waits_ = absent_ = false;
  for (auto *counter : {&video_, &audio_, &malformed_, &sender_reports_, &withheld_, &flood_packets_, &flood_skipped_})
    *counter = 0;
  identify();
}

void Impl::identify() {
  who_.work_out(now_);
  participant_id_ = who_.info().participant_id;
  ssrc_ = who_.ssrc_of(who_.main_stream());
}

void Impl::announce() {
  if (announced_) return;
  announced_ = true;
  flood_.restart(Rng(who_.info().seed).split(std::uint64_t{who_.info().participant_id}));
  gst_pad_push_event(src_, give(make_event(who_.info())));
}

// What says the same as before is not said again.
void Impl::push_caps() {
  auto caps = who_.caps(now_);
  if (!caps || (caps_ && gst_caps_is_equal(caps.get(), caps_.get()))) return;
  caps_ = std::move(caps);
  gst_pad_push_event(src_, gst_event_new_caps(caps_.get()));
}

gboolean Impl::sink_event(Ptr<GstEvent> event) {
  switch (GST_EVENT_TYPE(event.get())) {
    case GST_EVENT_CAPS: {
      GstCaps *caps = nullptr;
      gst_event_parse_caps(event.get(), &caps);
      who_.set_caps(caps);
      identify();
      push_caps();
      return TRUE;
    }
    case GST_EVENT_CUSTOM_DOWNSTREAM_STICKY:
      if (const auto info = parse_participant(event.get())) {
        who_.set_upstream(*info);
        identify();
        push_caps();
        announced_ = false;
        announce();
        return TRUE;
      }
      break;
    case GST_EVENT_STREAM_START:
      announced_ = false;
      break;
    case GST_EVENT_SEGMENT:
      gst_event_copy_segment(event.get(), &segment_);
      break;
    case GST_EVENT_FLUSH_STOP:
      gst_segment_init(&segment_, GST_FORMAT_TIME);
      last_time_ = {};
      break;
    case GST_EVENT_GAP: {
      announce();
      GstClockTime pts = GST_CLOCK_TIME_NONE;
      gst_event_parse_gap(event.get(), &pts, nullptr);
      if (spikes_.busy()) keep_up(pts);
      break;
    }
    case GST_EVENT_CUSTOM_DOWNSTREAM:
      announce();
      break;
    default:
      break;
  }
  return gst_pad_push_event(src_, give(std::move(event)));
}

void Impl::count_malformed() {
  if (malformed_++) return;
  post_warning(element_, Fault::format,
               {"", "A packet that is not RTP passed unchanged; further ones are only counted"});
}

// Marks one packet, if it is one.
void Impl::tag(GstBuffer *buffer) {
  tagger::Packet packet(buffer);
  if (!packet) {
    if (!packet.is_rtcp()) count_malformed();
    return;
  }
  const auto stream = who_.stream_of(packet.payload_type());
  const auto change = who_.rewrite_of(stream, now_);
  const auto written = packet.rewrite(change);
  if (!written) return;
  const GstClockTime pts = GST_BUFFER_PTS(buffer);
  count(stream, {change.ssrc, written->timestamp, 1, written->payload_bytes, pts,
                 gst_segment_to_running_time(&segment_, GST_FORMAT_TIME, pts)});
}

void Impl::tag(RtpFrame &frame) {
  const std::size_t header_bytes = frame.header_bytes;
  for (auto rest = frame.slots(); !rest.empty();) {
    const auto packets = first_frame(rest);
    rest = rest.subspan(packets.size());
    const auto stream = who_.stream_of(packets[0].header[1] & 0x7f);
    const auto change = who_.rewrite_of(stream, now_);
    const auto written = tagger::rewrite(packets, header_bytes, change);
    if (!written) return;
    frame.header_bytes = static_cast<std::uint32_t>(written->header_bytes);
    const GstClockTime time = to_clock_time(packets[0].time);
    count(stream, {change.ssrc, written->timestamp, static_cast<std::uint32_t>(packets.size()), written->payload_bytes,
                   time, time});
  }
}

void Impl::count(net::Stream stream, const tagger::SenderReports::Sent &sent) {
  (stream == net::Stream::audio ? audio_ : video_) += sent.packets;
  touched_[static_cast<std::size_t>(stream)] = true;
  reports_.count(stream, sent);
}

// Unix time of running time 0, in nanoseconds.
gint64 Impl::ntp_offset() const {
  const gint64 offset = g_get_real_time() * 1000;
  const auto clock = take(gst_element_get_clock(element_));
  if (!clock) return offset;
  return offset - static_cast<gint64>(gst_clock_get_time(clock.get()) - gst_element_get_base_time(element_));
}

// Pushes the sender reports that the packets just pushed make due; if they went ahead of their time the reports do too.
GstFlowReturn Impl::report(GstFlowReturn flow, bool as_frame) {
  for (const auto stream : {net::Stream::video, net::Stream::audio}) {
    bool &touched = touched_[static_cast<std::size_t>(stream)];
    if (!std::exchange(touched, false) || flow != GST_FLOW_OK || !now_.rtcp_interval_ms) continue;
    auto report = reports_.due(stream, who_.info().participant_id, now_.rtcp_interval_ms * GST_MSECOND, ntp_offset());
    if (!report) continue;
    ++sender_reports_;
    if (as_frame) report = frame_around(std::move(report), to_instant(GST_BUFFER_PTS(report.get())));
    flow = gst_pad_push(src_, give(std::move(report)));
  }
  return flow;
}

// Spikes come from downstream, on whatever thread. The source is told first, so that it never sends what we withhold.
gboolean Impl::src_event(Ptr<GstEvent> event) {
  const auto start = parse_spike_start(event.get());
  const auto end = parse_spike_end(event.get());
  const gboolean handled = gst_pad_push_event(sink_, give(std::move(event)));
  if (start) spikes_.tell(*start);
  if (end) spikes_.tell(*end);
  return handled;
}

// Lets spikes begin and end up to a packet or gap at `pts`, and pushes what they make us say before it.
void Impl::keep_up(GstClockTime pts) {
  const GstClockTime time = gst_segment_to_running_time(&segment_, GST_FORMAT_TIME, pts);
  if (GST_CLOCK_TIME_IS_VALID(time)) last_time_ = std::max(last_time_, to_instant(time));
  bool changed = false;
  while (const auto change = spikes_.take_due(last_time_)) {
    flood(change->at, pts);
    carry_out(*change, pts);
    changed = true;
  }
  flood(last_time_, pts);
  if (!changed) return;
  for (const auto stream : {net::Stream::video, net::Stream::audio})
    who_.set_shift(stream, spikes_.shift(stream, who_.clock_rate_of(stream)));
  ssrc_ = who_.ssrc_of(who_.main_stream());
  push_caps();
  if (spikes_.effects().empty()) flood_.let_go();
}

void Impl::carry_out(const tagger::Spikes::Change &change, GstClockTime pts) {
  const auto &effects = spikes_.effects();
  spikes_.carry_out(change, last_time_);
  if (absent_.exchange(effects.absent()) == effects.absent()) return;
  if (effects.absent()) {
    if (!effects.says_bye() || !now_.rtcp_interval_ms) return;
    for (const auto stream : {net::Stream::video, net::Stream::audio}) {
      if (auto bye = reports_.farewell(stream, who_.info().participant_id, pts, ntp_offset()))
        gst_pad_push(src_, give(std::move(bye)));
    }
  } else if (picture_waits_) {
    // Whatever went on sending is a live encoder, which can be asked. avchaossrc knows by itself.
    gst_pad_push_event(sink_, gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
  }
}

void Impl::flood(Instant until, GstClockTime pts) {
  Ptr<GstBufferList> list;
  guint64 made = 0;
  const auto timestamp = static_cast<guint32>(gst_util_uint64_scale(to_clock_time(until), 90000, GST_SECOND));
  const tagger::Rewrite change = who_.rewrite_of(net::Stream::other, now_);
  guint64 skipped = spikes_.flood(until, [&](std::uint32_t bytes) {
    auto packet = flood_.make(change, bytes, pts, timestamp);
    if (!list) list = take(gst_buffer_list_new());
    if (packet) gst_buffer_list_add(list.get(), give(std::move(packet)));
    ++made;
  });
  if (list) {
    const guint length = gst_buffer_list_length(list.get());
    skipped += made - length;
    flood_packets_ += length;
    if (length > 0) gst_pad_push_list(src_, give(std::move(list)));
  }
  flood_skipped_ += skipped;
}

// Of somebody who is away, or whose picture has not come back with a keyframe.
bool Impl::withheld(GstBuffer *first) {
  if (!absent_ && !picture_waits_) return false;
  std::array<std::uint8_t, rtp::kFixedHeaderSize> front{};
  if (const RtpFrame *frame = frame_of(first))
    std::copy_n(frame->packets[0].header.begin(), front.size(), front.begin());
  else
    copy_front(first, front);
  const bool video =
      rtp::classify(front) == rtp::Datagram::rtp && who_.stream_of(front[1] & 0x7f) == net::Stream::video;
  if (video && !absent_) picture_waits_ = GST_BUFFER_FLAG_IS_SET(first, GST_BUFFER_FLAG_DELTA_UNIT);
  if (video && absent_) picture_waits_ = true;
  return absent_ || (video && picture_waits_);
}

// What every buffer and list begins with. False: it is not to pass; downstream knows by a gap that time goes on.
bool Impl::admit(GstBuffer *first) {
  now_ = *settings.lock();
  announce();
  if (spikes_.busy()) keep_up(GST_BUFFER_PTS(first));
  if (!withheld(first)) return true;
  ++withheld_;
  if (GST_BUFFER_PTS_IS_VALID(first))
    gst_pad_push_event(src_, gst_event_new_gap(GST_BUFFER_PTS(first), GST_BUFFER_DURATION(first)));
  return false;
}

GstFlowReturn Impl::chain(Ptr<GstBuffer> buffer) {
  reports_.prefetch();
  RtpFrame *frame = frame_of(buffer.get());
  const bool eventful = absent_ || picture_waits_ || spikes_.busy();
  if (frame && eventful && first_frame(frame->slots()).size() < frame->count) return chain_each(std::move(buffer));
  if (!admit(buffer.get())) return GST_FLOW_OK;
  buffer.reset(gst_buffer_make_writable(buffer.release()));
  frame = frame_of(buffer.get());
  if (frame)
    tag(*frame);
  else
    tag(buffer.get());
  return report(gst_pad_push(src_, give(std::move(buffer))), frame != nullptr);
}

// Frames that came together, one by one: something may happen between two of them.
GstFlowReturn Impl::chain_each(Ptr<GstBuffer> frames) {
  RtpFrame *all = frame_of(frames.get());
  GstFlowReturn flow = GST_FLOW_OK;
  for (auto rest = all->slots(); !rest.empty() && flow == GST_FLOW_OK;) {
    const auto packets = first_frame(rest);
    rest = rest.subspan(packets.size());
    auto one = new_frame(all->owner, packets);
    frame_of(one.get())->header_bytes = all->header_bytes;
    flow = chain(std::move(one));
  }
  return flow;
}

GstFlowReturn Impl::chain_list(Ptr<GstBufferList> list) {
  const guint length = gst_buffer_list_length(list.get());
  if (length == 0 || !admit(gst_buffer_list_get(list.get(), 0))) return GST_FLOW_OK;
  list.reset(gst_buffer_list_make_writable(list.release()));
  for (guint i = 0; i < length; i++) tag(gst_buffer_list_get_writable(list.get(), i));
  return report(gst_pad_push_list(src_, give(std::move(list))), false);
}

Ptr<GstStructure> Impl::stats() const {
  return take(gst_structure_new(
      "participanttagger-stats", "participant-id", G_TYPE_UINT, participant_id_.load(), "ssrc", G_TYPE_UINT,
      ssrc_.load(), "packets", G_TYPE_UINT64, video_.load() + audio_.load(), "video-packets", G_TYPE_UINT64,
      video_.load(), "audio-packets", G_TYPE_UINT64, audio_.load(), "malformed", G_TYPE_UINT64, malformed_.load(),
      "sender-reports", G_TYPE_UINT64, sender_reports_.load(), "withheld", G_TYPE_UINT64, withheld_.load(),
      "flood-packets", G_TYPE_UINT64, flood_packets_.load(), "flood-skipped", G_TYPE_UINT64, flood_skipped_.load(),
      "left", G_TYPE_BOOLEAN, absent_.load(), nullptr));
}

GstStateChangeReturn change_state(GstElement *element, GstStateChange change) noexcept {
  if (change == GST_STATE_CHANGE_READY_TO_PAUSED) impl_of(element).start();
  return GST_ELEMENT_CLASS(avc_participant_tagger_parent_class)->change_state(element, change);
}

}  // namespace

static void avc_participant_tagger_init(AvcParticipantTagger *self) { self->impl = new Impl(GST_ELEMENT(self)); }

static void avc_participant_tagger_class_init(AvcParticipantTaggerClass *klass) {
  GST_DEBUG_CATEGORY_INIT(participanttagger_debug, "participanttagger", 0, "Marks RTP as one participant's");
  auto *object = G_OBJECT_CLASS(klass);
  auto *element = GST_ELEMENT_CLASS(klass);
  object->finalize = [](GObject *o) noexcept {
    delete AVC_PARTICIPANT_TAGGER(o)->impl;
    G_OBJECT_CLASS(avc_participant_tagger_parent_class)->finalize(o);
  };
  install_plain<impl_of, kProperties>(object, "What was marked: packets by media, malformed ones, sender reports");
  element->change_state = change_state;
  take_frames(G_TYPE_FROM_CLASS(klass), {G_STRUCT_OFFSET(AvcParticipantTagger, impl), sizeof(Impl)});
  gst_element_class_add_static_pad_template(element, &sink_template);
  gst_element_class_add_static_pad_template(element, &src_template);
  gst_element_class_set_static_metadata(element, "Participant tagger", "Filter/Network/RTP",
                                        "Marks RTP packets with a simulated participant's id, SSRC and payload type",
                                        "gst-avchaos");
}
