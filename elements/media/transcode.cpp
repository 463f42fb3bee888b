#include "elements/media/transcode.hpp"

#include <optional>

#include "elements/media/encode.hpp"

namespace avc::media {
namespace {

// The decoder's pads, as they appear on its thread.
struct Decoded {
  Pass &pass;
  const Request &request;
  bool want_video, want_audio;
  std::optional<VideoEncode> video;
  std::optional<AudioEncode> audio;
};

PictureFormat format_of(const GstStructure *caps) {
  PictureFormat format{0, 0, 0, 1};
  gst_structure_get_int(caps, "width", &format.width);
  gst_structure_get_int(caps, "height", &format.height);
  gst_structure_get_fraction(caps, "framerate", &format.fps_n, &format.fps_d);
  return format;
}

void pad_added(GstElement *, GstPad *pad, gpointer data) noexcept {
  auto &decoded = *static_cast<Decoded *>(data);
  auto caps = take(gst_pad_get_current_caps(pad));
  if (!caps) caps = take(gst_pad_query_caps(pad, nullptr));
  if (gst_caps_is_empty(caps.get()) || gst_caps_is_any(caps.get())) return;
  const GstStructure *structure = gst_caps_get_structure(caps.get(), 0);
  GstElement *piece = nullptr;
  if (gst_structure_has_name(structure, "video/x-raw") && decoded.want_video && !decoded.video) {
    decoded.video = add_video_encode(decoded.pass, decoded.request, format_of(structure), "");
    piece = decoded.video->piece;
  } else if (gst_structure_has_name(structure, "audio/x-raw") && decoded.want_audio && !decoded.audio) {
    decoded.audio = add_audio_encode(decoded.pass, "");
    piece = decoded.audio->piece;
  } else {
    piece = decoded.pass.add_text("fakesink sync=false async=false");
  }
  if (piece == nullptr) return;
  gst_element_sync_state_with_parent(piece);
  const auto sink = take(gst_element_get_static_pad(piece, "sink"));
  gst_pad_link(pad, sink.get());
}

}  // namespace

Result<Transcoded> transcode(const Request &request, bool video, bool audio, Stop &stop,
                             const Pass::Progress &progress) {
  Pass pass;
  Decoded decoded{pass, request, video, audio, std::nullopt, std::nullopt};
  GstElement *source = pass.add("filesrc");
  GstElement *decode = pass.add("decodebin");
  if (source != nullptr && decode != nullptr) {
    g_object_set(source, "location", request.location.c_str(), nullptr);
    gst_element_link(source, decode);
    g_signal_connect(decode, "pad-added", G_CALLBACK(pad_added), &decoded);
  }
  if (auto error = pass.run(stop, progress)) return *error;

  Transcoded result;
  if (decoded.video) result.video = decoded.video->take_videos();
  if (decoded.audio) result.audio = decoded.audio->take_audio();
  if (video && (result.video.empty() || result.video[0].units.empty()))
    return Error{"", "its video cannot be decoded (is a GStreamer plugin missing?)"};
  if (audio && result.audio.units.empty())
    return Error{"", "its audio cannot be decoded (is a GStreamer plugin missing?)"};
  return result;
}

}  // namespace avc::media
