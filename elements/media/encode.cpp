#include "elements/media/encode.hpp"

#include <algorithm>
#include <cmath>

namespace avc::media {
namespace {

constexpr double kBitsPerPixel = 0.1;  // of one picture: 2765 kbps for 720p30
constexpr int kOpusBitsPerSecond = 64000;

std::string encoder_text(const std::string &encoder, double kbps, int keyframe_distance, const std::string &number) {
  const std::string gop = std::to_string(keyframe_distance);
  if (encoder == "x264enc")
    return "x264enc bframes=0 tune=zerolatency speed-preset=veryfast sliced-threads=false option-string=scenecut=0"
           " key-int-max=" +
           gop + " bitrate=" + std::to_string(std::lround(kbps)) + " ! video/x-h264,profile=constrained-baseline";
  return "openh264enc name=e" + number + " rate-control=bitrate scene-change-detection=false gop-size=" + gop +
         " bitrate=" + std::to_string(std::lround(kbps * 1000)) + " ! video/x-h264,profile=constrained-baseline";
}

// openh264enc drains by asking the library for a picture without giving one, which the library reports as an error on
// standard error. It holds no picture back, so the end of stream goes round it.
GstPadProbeReturn pass_by_encoder(GstPad *pad, GstPadProbeInfo *info, gpointer) noexcept {
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT(info);
  if (GST_EVENT_TYPE(event) != GST_EVENT_EOS) return GST_PAD_PROBE_OK;
  GstElement *encoder = GST_ELEMENT(GST_PAD_PARENT(pad));
  const auto source = take(gst_element_get_static_pad(encoder, "src"));
  gst_pad_push_event(source.get(), gst_event_ref(event));
  return GST_PAD_PROBE_DROP;
}

}  // namespace

std::vector<double> encode_rates(const Request &request, const PictureFormat &format) {
  if (!request.renditions.empty()) return request.renditions;
  if (request.bitrate_kbps > 0) return {request.bitrate_kbps};
  const double pixels = double{1} * format.width * format.height * format.fps_n / format.fps_d;
  return {std::clamp(pixels * kBitsPerPixel / 1000, 100.0, 10000.0)};
}

VideoEncode add_video_encode(Pass &pass, const Request &request, PictureFormat format, const std::string &head) {
  // The encoder takes whole macroblock pairs only, and no more than 60 pictures a second are of use here.
  format.width = std::max(format.width & ~1, 16);
  format.height = std::max(format.height & ~1, 16);
  if (format.fps_n <= 0 || format.fps_d <= 0) format.fps_n = 30, format.fps_d = 1;
  if (format.fps_n > 60 * format.fps_d) format.fps_n = 60, format.fps_d = 1;

  VideoEncode encode;
  encode.kbps = encode_rates(request, format);
  std::string text = head +
                     " queue name=head max-size-buffers=4 ! videoconvert ! videoscale ! videorate ! "
                     "video/x-raw,format=I420,width=" +
                     std::to_string(format.width) + ",height=" + std::to_string(format.height) +
                     ",framerate=" + std::to_string(format.fps_n) + "/" + std::to_string(format.fps_d) +
                     " ! tee name=t";
  for (std::size_t i = 0; i < encode.kbps.size(); ++i)
    text += " t. ! queue max-size-buffers=4 ! " +
            encoder_text(request.encoder, encode.kbps[i], std::max(1, format.fps_n / format.fps_d), std::to_string(i)) +
            " ! h264parse config-interval=-1 ! video/x-h264,stream-format=byte-stream,alignment=au ! appsink name=v" +
            std::to_string(i);
  encode.piece = pass.add_text(text);
  if (encode.piece == nullptr) return encode;
  for (std::size_t i = 0; i < encode.kbps.size(); ++i) {
    encode.renditions.push_back(pass.collect(encode.piece, "v" + std::to_string(i)));
    const auto encoder = take(gst_bin_get_by_name(GST_BIN(encode.piece), ("e" + std::to_string(i)).c_str()));
    if (!encoder) continue;
    const auto sink = take(gst_element_get_static_pad(encoder.get(), "sink"));
    gst_pad_add_probe(sink.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, pass_by_encoder, nullptr, nullptr);
  }
  return encode;
}

std::vector<CodedVideo> VideoEncode::take_videos() {
  std::vector<CodedVideo> videos;
  for (std::size_t i = 0; i < renditions.size(); ++i)
    videos.push_back({kbps[i], std::move(renditions[i]->caps), std::move(renditions[i]->units)});
  return videos;
}

AudioEncode add_audio_encode(Pass &pass, const std::string &head) {
  AudioEncode encode;
  encode.piece = pass.add_text(head +
                               " queue ! audioconvert ! audioresample ! audiorate ! "
                               "audio/x-raw,format=S16LE,rate=48000,channels=[1,2] ! opusenc frame-size=20 bitrate=" +
                               std::to_string(kOpusBitsPerSecond) + " ! appsink name=a");
  if (encode.piece != nullptr) encode.opus = pass.collect(encode.piece, "a");
  return encode;
}

CodedAudio AudioEncode::take_audio() { return {std::move(opus->caps), std::move(opus->units)}; }

}  // namespace avc::media
