#include "launcher/webrtc/feedback.hpp"

#include <algorithm>
#include <array>

#include "core/participant/participant.hpp"
#include "core/rtp/extension.hpp"
#include "elements/support/mapped.hpp"
#include "elements/support/ptr.hpp"

namespace avc::webrtc {
namespace {

constexpr unsigned kNoPayloadType = 128;
constexpr double kVideoClock = 90000, kAudioClock = 48000;  // Hz
// What SRTP's tag and header extensions add to the renditions' own figures.
constexpr double kAddedShare = 1.02, kAddedKbps = 8;

Instant now() { return {Nanos(g_get_monotonic_time() * 1000)}; }

// rtpsession's reports tell the wall clock's time.
std::uint64_t ntp_now() { return rtp::ntp_from_unix({Nanos(g_get_real_time() * 1000)}); }

std::vector<double> numbers_in(const GstStructure *stats, const char *field) {
  std::vector<double> numbers;
  const GValue *array = gst_structure_get_value(stats, field);
  for (guint i = 0; array != nullptr && i < gst_value_array_get_size(array); ++i)
    numbers.push_back(g_value_get_double(gst_value_array_get_value(array, i)));
  return numbers;
}

results::ReportedStream reported(const rate::HeardStream &heard) {
  return {heard.reports,   heard.loss_percent,  heard.packets_lost,
          heard.jitter_ms, heard.round_trip_ms, heard.duplicates};
}

}  // namespace

Feedback::Feedback(std::uint32_t participant, const Streams &streams)
    : participant_(participant),
      audio_payload_type_(streams.audio ? streams.audio->payload_type : kNoPayloadType),
      video_ext_(streams.video ? streams.video->transport_cc_ext : 0),
      audio_ext_(streams.audio ? streams.audio->transport_cc_ext : 0) {}

void Feedback::hear(GstElement *dtlssrtpdec) {
  const auto pad = take(gst_element_get_static_pad(dtlssrtpdec, "rtcp_src"));
  gst_pad_add_probe(
      pad.get(), GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad *, GstPadProbeInfo *info, gpointer self) noexcept {
        static_cast<Feedback *>(self)->rtcp(GST_PAD_PROBE_INFO_BUFFER(info));
        return GST_PAD_PROBE_OK;
      },
      this, nullptr);
}

void Feedback::note_what_leaves(GstPad *pad) {
  gst_pad_add_probe(
      pad, static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST),
      [](GstPad *, GstPadProbeInfo *info, gpointer self) noexcept {
        auto *feedback = static_cast<Feedback *>(self);
        if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) {
          feedback->leaving(GST_PAD_PROBE_INFO_BUFFER(info));
        } else {
          GstBufferList *list = GST_PAD_PROBE_INFO_BUFFER_LIST(info);
          for (guint i = 0; i < gst_buffer_list_length(list); ++i) feedback->leaving(gst_buffer_list_get(list, i));
        }
        return GST_PAD_PROBE_OK;
      },
      this, nullptr);
}

void Feedback::limit_repairs(GstElement *rtprtxsend) {
  const auto pad = take(gst_element_get_static_pad(rtprtxsend, "src"));
  gst_pad_add_probe(
      pad.get(), GST_PAD_PROBE_TYPE_EVENT_UPSTREAM,
      [](GstPad *, GstPadProbeInfo *info, gpointer self) noexcept {
        const bool may = static_cast<Feedback *>(self)->may_repair(GST_PAD_PROBE_INFO_EVENT(info));
        return may ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
      },
      this, nullptr);
}

void Feedback::begin(GstElement *source, bool adaptive) {
  GstStructure *raw = nullptr;
  g_object_get(source, "stats", &raw, nullptr);
  const auto stats = take(raw);
  std::vector<double> on_the_way = numbers_in(stats.get(), "rendition-rtp-kbps");
  if (on_the_way.empty()) return;  // it has no media, and nothing will be sent
  double better = on_the_way.front();
  for (double &kbps : on_the_way) {
    better = std::min(better, kbps);  // an encoder may have missed what was asked of it
    kbps = kAddedShare * better + kAddedKbps;
  }
  const auto who = participant::identity_of(participant_);
  auto state = state_.lock();
  state->renditions = numbers_in(stats.get(), "rendition-kbps");
  state->adaptive = adaptive;
  state->sender.emplace(rate::AdaptiveSender::Settings{
      .streams = {{{who.video_ssrc, kVideoClock}, {who.audio_ssrc, kAudioClock}}}, .kbps = std::move(on_the_way)});
  source_ = source;
}

void Feedback::rtcp(GstBuffer *buffer) {
  const MappedBuffer view(buffer);
  std::optional<double> limit;
  {
    auto state = state_.lock();
    if (!state->sender) return;
    const std::size_t before = state->sender->rendition();
    state->sender->hear(view.bytes(), now(), ntp_now());
    const std::size_t after = state->sender->rendition();
    if (after != before && state->adaptive) limit = state->renditions[after];
  }
  if (limit) g_object_set(source_, "max-bitrate-kbps", *limit, nullptr);
}

bool Feedback::may_repair(GstEvent *request) {
  const GstStructure *structure = gst_event_get_structure(request);
  guint sequence = 0;
  if (structure == nullptr || !gst_structure_has_name(structure, "GstRTPRetransmissionRequest") ||
      !gst_structure_get_uint(structure, "seqnum", &sequence))
    return true;
  auto state = state_.lock();
  return !state->sender || state->sender->may_repair(static_cast<std::uint16_t>(sequence), now());
}

// Headers and their extensions are not encrypted.
void Feedback::leaving(GstBuffer *buffer) {
  constexpr std::size_t kLongestLook = 64;
  std::array<std::uint8_t, kLongestLook> bytes;
  const auto front = copy_front(buffer, bytes);
  if (rtp::classify(front) != rtp::Datagram::rtp) return;
  const auto header = rtp::parse_header(front);
  if (!header) return;
  const unsigned id = header->payload_type == audio_payload_type_ ? audio_ext_ : video_ext_;
  if (id == 0) return;
  const auto number = rtp::Elements(*header).find(static_cast<std::uint8_t>(id));
  if (!number || number->size() != 2) return;
  auto state = state_.lock();
  if (state->sender) state->sender->sent(rtp::read16(*number, 0), now(), gst_buffer_get_size(buffer));
}

results::FarSide Feedback::figures() const {
  results::FarSide out;
  auto state = state_.lock();
  if (!state->sender) return out;
  const rate::Heard &heard = state->sender->heard();
  for (std::size_t i = 0; i < out.streams.size(); ++i) out.streams[i] = reported(heard.streams[i]);
  out.nacks = heard.nacked;
  out.plis = heard.plis;
  out.firs = heard.firs;
  out.rembs = heard.rembs;
  out.transport_feedbacks = heard.transport_feedbacks;
  out.extended_reports = heard.extended_reports;
  out.repairs_withheld = state->sender->repairs_withheld();
  out.rendition_switches = state->sender->switches();
  const auto &counters = state->sender->estimator().counters();
  if (counters.packets > 0 || counters.rembs > 0) out.estimate_kbps = state->sender->estimator().kbps();
  return out;
}

}  // namespace avc::webrtc
