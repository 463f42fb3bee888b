#include "elements/media/probe.hpp"

#include <algorithm>

#include "core/media/timeline.hpp"
#include "elements/media/payload.hpp"

namespace avc::media {
namespace {

// The demuxer's pads, as they appear on its thread.
struct Demuxed {
  Pass &pass;
  const Source &source;
  bool video_as_it_is;
  FrameRate headers_rate{};  // as the video's own headers say
  bool has_video = false, has_audio = false;
  std::shared_ptr<Collected> video, audio;
};

void plug(Demuxed &demuxed, GstPad *pad, const std::string &text, const char *app_sink,
          std::shared_ptr<Collected> *collected) {
  GstElement *piece = demuxed.pass.add_text(text);
  if (piece == nullptr) return;
  if (collected != nullptr) *collected = demuxed.pass.collect(piece, app_sink);
  gst_element_sync_state_with_parent(piece);
  const auto sink = take(gst_element_get_static_pad(piece, "sink"));
  gst_pad_link(pad, sink.get());
}

void pad_added(GstElement *, GstPad *pad, gpointer data) noexcept {
  auto &demuxed = *static_cast<Demuxed *>(data);
  const auto caps = take(gst_pad_query_caps(pad, nullptr));
  const std::string type =
      gst_caps_is_empty(caps.get()) ? "" : gst_structure_get_name(gst_caps_get_structure(caps.get(), 0));
  const bool video = type.rfind("video/", 0) == 0 && !demuxed.has_video;
  const bool audio = type.rfind("audio/", 0) == 0 && !demuxed.has_audio;
  demuxed.has_video |= video;
  demuxed.has_audio |= audio;
  if (video) demuxed.headers_rate = FrameRate::of(gst_caps_get_structure(caps.get(), 0));
  if (video && type == "video/x-h264" && demuxed.source.picture && demuxed.video_as_it_is)
    return plug(demuxed, pad,
                "h264parse config-interval=-1 ! video/x-h264,stream-format=byte-stream,alignment=au ! appsink name=v",
                "v", &demuxed.video);
  if (audio && type == "audio/x-opus" && demuxed.source.sound)
    return plug(demuxed, pad, "opusparse ! appsink name=a", "a", &demuxed.audio);
  plug(demuxed, pad, "fakesink sync=false async=false", "", nullptr);
}

void no_more_pads(GstElement *, gpointer data) noexcept {
  auto &demuxed = *static_cast<Demuxed *>(data);
  if (!demuxed.video && !demuxed.audio) demuxed.pass.finish();  // nothing to collect: no need to read on
}

bool in_order(const Collected &video) {
  if (video.units.empty() || !video.timed || !video.units.front().keyframe) return false;
  return std::adjacent_find(video.units.begin(), video.units.end(),
                            [](const CodedUnit &a, const CodedUnit &b) { return b.pts <= a.pts; }) == video.units.end();
}

// More channels than two are several Opus streams in one packet, which RTP knows nothing of.
bool mono_or_stereo(const Collected &audio) {
  gint family = 0;
  if (audio.caps) gst_structure_get_int(gst_caps_get_structure(audio.caps.get(), 0), "channel-mapping-family", &family);
  return family == 0;
}

bool fits(const CodedUnit &packet) {
  std::uint8_t head[2] = {};
  const gsize size = gst_buffer_get_size(packet.data.get());
  gst_buffer_extract(packet.data.get(), 0, head, sizeof head);
  return size <= kMaxPayload && opus_duration(head, size) == kAudioFrame;
}

}  // namespace

Nanos opus_duration(const std::uint8_t *packet, std::size_t size) {
  if (size == 0) return Nanos(0);
  const unsigned config = packet[0] >> 3, code = packet[0] & 3;
  constexpr int kSilk[] = {10000, 20000, 40000, 60000};  // microseconds per frame
  constexpr int kHybrid[] = {10000, 20000};
  constexpr int kCelt[] = {2500, 5000, 10000, 20000};
  const int frame = config < 12 ? kSilk[config & 3] : config < 16 ? kHybrid[config & 1] : kCelt[config & 3];
  const int frames = code == 0 ? 1 : code < 3 ? 2 : size < 2 ? 0 : packet[1] & 63;
  return std::chrono::microseconds(frame * frames);
}

Result<Contents> probe(const Source &source, const Request &request, Stop &stop, const Pass::Progress &progress) {
  Pass pass;
  Demuxed demuxed{pass, source, request.renditions.empty()};
  GstElement *file = pass.add("filesrc");
  GstElement *parse = pass.add("parsebin");
  if (file != nullptr && parse != nullptr) {
    g_object_set(file, "location", source.path.c_str(), nullptr);
    gst_element_link(file, parse);
    g_signal_connect(parse, "pad-added", G_CALLBACK(pad_added), &demuxed);
    g_signal_connect(parse, "no-more-pads", G_CALLBACK(no_more_pads), &demuxed);
  }
  const auto error = pass.run(stop, progress);
  if (error) return *error;
  if (!demuxed.has_video && !demuxed.has_audio) return Error{"", "has neither audio nor video"};

  Contents contents{demuxed.has_video, demuxed.has_audio, std::nullopt, std::nullopt, {}};
  if (demuxed.has_video && is_bare_video(source.path)) {
    contents.frame_rate = FrameRate::of(request.file_fps);
    if (!contents.frame_rate) contents.frame_rate = demuxed.headers_rate;
    if (!contents.frame_rate) contents.frame_rate = FrameRate{static_cast<int>(request.fps), 1};
    if (demuxed.video && in_order_of_pictures(*demuxed.video)) stamp(*demuxed.video, contents.frame_rate);
  }
  if (demuxed.video && in_order(*demuxed.video))
    contents.video = CodedVideo{0, std::move(demuxed.video->caps), std::move(demuxed.video->units)};
  if (demuxed.audio && mono_or_stereo(*demuxed.audio) && !demuxed.audio->units.empty() && demuxed.audio->timed &&
      std::all_of(demuxed.audio->units.begin(), demuxed.audio->units.end(), fits))
    contents.audio = CodedAudio{std::move(demuxed.audio->caps), std::move(demuxed.audio->units)};
  return contents;
}

}  // namespace avc::media
