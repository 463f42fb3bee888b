#include "elements/media/transcode.hpp"

#include <optional>

#include "elements/media/encode.hpp"

namespace avc::media {
namespace {

// The decoder's pads, as they appear on its thread.
struct Decoded {
  Pass &pass;
  const Request &request;
  const Untranscoded &from;
  guint64 pictures = 0;
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

// A decoder gives pictures in the order they are shown: the n-th one's time follows from the rate.
GstPadProbeReturn stamp_picture(GstPad *, GstPadProbeInfo *info, gpointer data) noexcept {
  auto &decoded = *static_cast<Decoded *>(data);
  GstBuffer *picture = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
  const Nanos at = decoded.from.frame_rate.time_of(decoded.pictures++);
  GST_BUFFER_PTS(picture) = static_cast<GstClockTime>(at.count());
  GST_BUFFER_DURATION(picture) =
      static_cast<GstClockTime>((decoded.from.frame_rate.time_of(decoded.pictures) - at).count());
  GST_PAD_PROBE_INFO_DATA(info) = picture;
  return GST_PAD_PROBE_OK;
}

void pad_added(GstElement *, GstPad *pad, gpointer data) noexcept {
  auto &decoded = *static_cast<Decoded *>(data);
  auto caps = take(gst_pad_get_current_caps(pad));
  if (!caps) caps = take(gst_pad_query_caps(pad, nullptr));
  if (gst_caps_is_empty(caps.get()) || gst_caps_is_any(caps.get())) return;
  const GstStructure *structure = gst_caps_get_structure(caps.get(), 0);
  GstElement *piece = nullptr;
  if (gst_structure_has_name(structure, "video/x-raw") && decoded.from.video && !decoded.video) {
    PictureFormat format = format_of(structure);
    if (const FrameRate rate = decoded.from.frame_rate) {
      format.fps_n = rate.n, format.fps_d = rate.d;
      gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, stamp_picture, data, nullptr);
    }
    decoded.video = add_video_encode(decoded.pass, decoded.request, format, "");
    piece = decoded.video->piece;
  } else if (gst_structure_has_name(structure, "audio/x-raw") && decoded.from.audio && !decoded.audio) {
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

Result<Transcoded> transcode(const Request &request, const Untranscoded &from, Stop &stop,
                             const Pass::Progress &progress) {
  Pass pass;
  Decoded decoded{pass, request, from, 0, std::nullopt, std::nullopt};
  GstElement *source = pass.add("filesrc");
  GstElement *decode = pass.add("decodebin");
  if (source != nullptr && decode != nullptr) {
    g_object_set(source, "location", from.path.c_str(), nullptr);
    gst_element_link(source, decode);
    g_signal_connect(decode, "pad-added", G_CALLBACK(pad_added), &decoded);
  }
  if (auto error = pass.run(stop, progress)) return *error;

  Transcoded result;
  if (decoded.video) result.video = decoded.video->take_videos();
  if (decoded.audio) result.audio = decoded.audio->take_audio();
  if (from.video && (result.video.empty() || result.video[0].units.empty()))
    return Error{"", "its video cannot be decoded (is a GStreamer plugin missing?)"};
  if (from.audio && result.audio.units.empty())
    return Error{"", "its audio cannot be decoded (is a GStreamer plugin missing?)"};
  return result;
}

}  // namespace avc::media
