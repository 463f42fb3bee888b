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
 * `none` leaves extensions alone. Header bytes are changed in place where the buffer allows it; payload is never
 * copied. What is no RTP packet passes unchanged, is counted, and warned about once.
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
 * ## Statistics
 *
 * `stats`: participant-id, ssrc, packets, video-packets, audio-packets, malformed, sender-reports.
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

#include <array>
#include <atomic>
#include <string>
#include <utility>

#include "core/runtime/guarded.hpp"
#include "elements/support/chaos_events.hpp"
#include "elements/support/errors.hpp"
#include "elements/support/properties.hpp"
#include "elements/support/rtp_frame.hpp"
#include "elements/support/wrapper.hpp"
#include "elements/tagger/rewrite.hpp"
#include "elements/tagger/sender_reports.hpp"

GST_DEBUG_CATEGORY_STATIC(participanttagger_debug);
#define GST_CAT_DEFAULT participanttagger_debug

using namespace avc;

namespace {

constexpr guint kDefaultParticipant = 1001;
constexpr guint kDefaultAudioPayload = 111;
constexpr const char *kExtensionUri = "urn:avchaos:participant-id";

GType extension_type() {
  static const GEnumValue values[] = {
      {int(tagger::Extension::rfc3550), "RFC 3550: profile 0x0001, one word, little-endian id", "rfc3550"},
      {int(tagger::Extension::rfc8285), "RFC 8285: one element with the id in network order", "rfc8285"},
      {int(tagger::Extension::none), "No extension is written", "none"},
      {0, nullptr, nullptr}};
  return register_enum("AvcParticipantExtension", values);
}

struct Settings {
  guint participant_id = 0;
  guint ssrc = 0;
  tagger::Extension extension = tagger::Extension::rfc3550;
  guint extension_id = 1;
  gint payload_type = -1;
  guint seqnum_offset = 0;
  guint timestamp_offset = 0;
  guint rtcp_interval_ms = 5000;
};

const Property<Settings> kProperties[] = {
    {"participant-id", "The participant (0: the one upstream names, else 1001)", &Settings::participant_id, 0, 0,
     kReady},
    {"ssrc", "SSRC (0: id*1000 for video, id*1000+1 for audio)", &Settings::ssrc, 0, 0, kReady},
    {"extension", "How the participant's id is written into the header",
     choice<Settings, &Settings::extension>(extension_type), 0, 0, kReady},
    {"extension-id", "Id of the element with extension=rfc8285", &Settings::extension_id, 1, 14, kReady},
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

enum class Media { mixed, video, audio };

class Impl {
 public:
  explicit Impl(GstElement *element);

  void start();
  GstFlowReturn chain(Ptr<GstBuffer> buffer);
  GstFlowReturn chain_list(Ptr<GstBufferList> list);
  gboolean sink_event(Ptr<GstEvent> event);
  [[nodiscard]] Ptr<GstStructure> stats() const;

  Guarded<Settings> settings;

 private:
  // Streaming thread only.
  net::Stream stream_of(std::uint8_t payload_type) const;
  guint ssrc_of(net::Stream stream) const;
  void identify();
  void announce();
  void push_caps();
  tagger::Rewrite change_for(net::Stream stream) const;
  void tag(GstBuffer *buffer);
  void tag(GstBuffer *buffer, RtpFrame &frame);
  void count(net::Stream stream, GstBuffer *buffer, std::uint32_t packets, std::uint32_t ssrc,
             const tagger::Written &written);
  GstFlowReturn report(GstFlowReturn flow);
  void count_malformed();

  GstElement *element_;
  GstPad *sink_, *src_;  // owned by the element

  // Streaming thread only; valid from start() on.
  Settings now_;  // as of the buffer or list under way
  GstSegment segment_;
  std::optional<ParticipantInfo> upstream_;
  ParticipantInfo info_;  // what goes downstream
  bool announced_ = false;
  Media media_ = Media::mixed;
  Ptr<GstCaps> caps_in_, caps_out_;
  tagger::SenderReports reports_;
  bool touched_[net::kStreamCount] = {};  // streams with a packet in the list under way

  // Written by the streaming thread, read by any.
  std::atomic<guint> participant_id_{0}, ssrc_{0};
  std::atomic<guint64> video_{0}, audio_{0}, malformed_{0}, sender_reports_{0};
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
  sink_ = gst_pad_new_from_static_template(&sink_template, "sink");
  src_ = gst_pad_new_from_static_template(&src_template, "src");
  gst_pad_set_chain_function(sink_, [](GstPad *, GstObject *parent, GstBuffer *buffer) noexcept {
    return impl_of(parent).chain(take(buffer));
  });
  gst_pad_set_chain_list_function(sink_, [](GstPad *, GstObject *parent, GstBufferList *list) noexcept {
    return impl_of(parent).chain_list(take(list));
  });
  gst_pad_set_event_function(sink_, [](GstPad *, GstObject *parent, GstEvent *event) noexcept {
    return impl_of(parent).sink_event(take(event));
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
  upstream_.reset();
  announced_ = false;
  media_ = Media::mixed;
  caps_in_.reset();
  caps_out_.reset();
  reports_.restart();
  for (auto *counter : {&video_, &audio_, &malformed_, &sender_reports_}) *counter = 0;
  identify();
}

// Works out who we are from our properties and upstream's word.
void Impl::identify() {
  info_ = upstream_.value_or(ParticipantInfo{});
  if (now_.participant_id) info_.participant_id = now_.participant_id;
  if (!info_.participant_id) info_.participant_id = kDefaultParticipant;
  info_.video_ssrc = now_.ssrc ? now_.ssrc : info_.participant_id * 1000;
  info_.audio_ssrc = now_.ssrc && media_ == Media::audio ? now_.ssrc : info_.video_ssrc + 1;
  if (now_.payload_type >= 0) {
    (media_ == Media::audio ? info_.audio_pt : info_.video_pt) = static_cast<guint>(now_.payload_type);
  }
  participant_id_ = info_.participant_id;
  ssrc_ = media_ == Media::audio ? info_.audio_ssrc : info_.video_ssrc;
}

void Impl::announce() {
  if (announced_) return;
  announced_ = true;
  gst_pad_push_event(src_, give(make_event(info_)));
}

net::Stream Impl::stream_of(std::uint8_t payload_type) const {
  if (media_ != Media::mixed) return media_ == Media::audio ? net::Stream::audio : net::Stream::video;
  const guint audio = upstream_ ? upstream_->audio_pt : kDefaultAudioPayload;
  return payload_type == audio ? net::Stream::audio : net::Stream::video;
}

guint Impl::ssrc_of(net::Stream stream) const {
  return stream == net::Stream::audio ? info_.audio_ssrc : info_.video_ssrc;
}

void Impl::push_caps() {
  if (!caps_in_) return;
  auto caps = take(gst_caps_copy(caps_in_.get()));
  GstStructure *structure = gst_caps_get_structure(caps.get(), 0);
  if (media_ != Media::mixed) {
    gst_structure_set(structure, "ssrc", G_TYPE_UINT, ssrc_.load(), nullptr);
    if (now_.payload_type >= 0) gst_structure_set(structure, "payload", G_TYPE_INT, now_.payload_type, nullptr);
  }
  guint offset = 0;
  if (gst_structure_get_uint(structure, "seqnum-offset", &offset)) {
    gst_structure_set(structure, "seqnum-offset", G_TYPE_UINT, (offset + now_.seqnum_offset) & 0xffffu, nullptr);
  }
  if (gst_structure_get_uint(structure, "timestamp-offset", &offset)) {
    gst_structure_set(structure, "timestamp-offset", G_TYPE_UINT, offset + now_.timestamp_offset, nullptr);
  }
  if (now_.extension == tagger::Extension::rfc8285) {
    const std::string field = "extmap-" + std::to_string(now_.extension_id);
    gst_structure_set(structure, field.c_str(), G_TYPE_STRING, kExtensionUri, nullptr);
  }
  if (caps_out_ && gst_caps_is_equal(caps.get(), caps_out_.get())) return;
  caps_out_ = std::move(caps);
  gst_pad_push_event(src_, gst_event_new_caps(caps_out_.get()));
}

gboolean Impl::sink_event(Ptr<GstEvent> event) {
  switch (GST_EVENT_TYPE(event.get())) {
    case GST_EVENT_CAPS: {
      GstCaps *caps = nullptr;
      gst_event_parse_caps(event.get(), &caps);
      caps_in_ = share(caps);
      const char *media = gst_structure_get_string(gst_caps_get_structure(caps, 0), "media");
      media_ = !media ? Media::mixed : g_str_equal(media, "audio") ? Media::audio : Media::video;
      identify();
      push_caps();
      return TRUE;
    }
    case GST_EVENT_CUSTOM_DOWNSTREAM_STICKY:
      if (const auto info = parse_participant(event.get())) {
        upstream_ = info;
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
      break;
    case GST_EVENT_GAP:
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
  const auto stream = stream_of(packet.payload_type());
  const auto change = change_for(stream);
  if (const auto written = packet.rewrite(change)) count(stream, buffer, 1, change.ssrc, *written);
}

void Impl::tag(GstBuffer *buffer, RtpFrame &frame) {
  const auto stream = stream_of(frame.packets[0].header[1] & 0x7f);
  const auto change = change_for(stream);
  if (const auto written = tagger::rewrite(frame, change)) count(stream, buffer, frame.count, change.ssrc, *written);
}

tagger::Rewrite Impl::change_for(net::Stream stream) const {
  tagger::Rewrite change{now_.extension, static_cast<std::uint8_t>(now_.extension_id), info_.participant_id,
                         ssrc_of(stream)};
  const bool retype = now_.payload_type >= 0 && !(media_ == Media::mixed && stream == net::Stream::audio);
  if (retype) change.payload_type = static_cast<std::uint8_t>(now_.payload_type);
  change.sequence_offset = static_cast<std::uint16_t>(now_.seqnum_offset);
  change.timestamp_offset = now_.timestamp_offset;
  return change;
}

void Impl::count(net::Stream stream, GstBuffer *buffer, std::uint32_t packets, std::uint32_t ssrc,
                 const tagger::Written &written) {
  (stream == net::Stream::audio ? audio_ : video_) += packets;
  touched_[static_cast<std::size_t>(stream)] = true;
  const GstClockTime pts = GST_BUFFER_PTS(buffer);
  reports_.count(stream, {ssrc, written.timestamp, packets, written.payload_bytes, pts,
                          gst_segment_to_running_time(&segment_, GST_FORMAT_TIME, pts)});
}

// Pushes the sender reports that the packets just pushed make due.
GstFlowReturn Impl::report(GstFlowReturn flow) {
  for (const auto stream : {net::Stream::video, net::Stream::audio}) {
    bool &touched = touched_[static_cast<std::size_t>(stream)];
    if (!std::exchange(touched, false) || flow != GST_FLOW_OK || !now_.rtcp_interval_ms) continue;
    gint64 offset = g_get_real_time() * 1000;
    if (const auto clock = take(gst_element_get_clock(element_))) {
      offset -= static_cast<gint64>(gst_clock_get_time(clock.get()) - gst_element_get_base_time(element_));
    }
    auto report = reports_.due(stream, info_.participant_id, now_.rtcp_interval_ms * GST_MSECOND, offset);
    if (!report) continue;
    ++sender_reports_;
    flow = gst_pad_push(src_, give(std::move(report)));
  }
  return flow;
}

GstFlowReturn Impl::chain(Ptr<GstBuffer> buffer) {
  now_ = *settings.lock();
  announce();
  buffer.reset(gst_buffer_make_writable(buffer.release()));
  if (RtpFrame *frame = frame_of(buffer.get()))
    tag(buffer.get(), *frame);
  else
    tag(buffer.get());
  return report(gst_pad_push(src_, give(std::move(buffer))));
}

GstFlowReturn Impl::chain_list(Ptr<GstBufferList> list) {
  now_ = *settings.lock();
  announce();
  list.reset(gst_buffer_list_make_writable(list.release()));
  const guint length = gst_buffer_list_length(list.get());
  for (guint i = 0; i < length; i++) tag(gst_buffer_list_get_writable(list.get(), i));
  return report(gst_pad_push_list(src_, give(std::move(list))));
}

Ptr<GstStructure> Impl::stats() const {
  return take(gst_structure_new("participanttagger-stats", "participant-id", G_TYPE_UINT, participant_id_.load(),
                                "ssrc", G_TYPE_UINT, ssrc_.load(), "packets", G_TYPE_UINT64,
                                video_.load() + audio_.load(), "video-packets", G_TYPE_UINT64, video_.load(),
                                "audio-packets", G_TYPE_UINT64, audio_.load(), "malformed", G_TYPE_UINT64,
                                malformed_.load(), "sender-reports", G_TYPE_UINT64, sender_reports_.load(), nullptr));
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
  take_frames(G_TYPE_FROM_CLASS(klass));
  gst_element_class_add_static_pad_template(element, &sink_template);
  gst_element_class_add_static_pad_template(element, &src_template);
  gst_element_class_set_static_metadata(element, "Participant tagger", "Filter/Network/RTP",
                                        "Marks RTP packets with a simulated participant's id, SSRC and payload type",
                                        "gst-avchaos");
}
