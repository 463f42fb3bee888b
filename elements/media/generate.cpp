#include "elements/media/generate.hpp"

#include <gst/video/video.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "core/media/timeline.hpp"
#include "elements/media/encode.hpp"

namespace avc::media {
namespace {

// Five rows of three dots per sign; the highest of the three bits is the left dot.
struct Glyph {
  char sign;
  std::array<std::uint8_t, 5> rows;
};
constexpr Glyph kGlyphs[] = {{'0', {7, 5, 5, 5, 7}}, {'1', {2, 6, 2, 2, 7}}, {'2', {7, 1, 7, 4, 7}},
                             {'3', {7, 1, 7, 1, 7}}, {'4', {5, 5, 7, 1, 1}}, {'5', {7, 4, 7, 1, 7}},
                             {'6', {7, 4, 7, 5, 7}}, {'7', {7, 1, 1, 2, 2}}, {'8', {7, 5, 7, 5, 7}},
                             {'9', {7, 5, 7, 1, 7}}, {':', {0, 2, 0, 2, 0}}, {'.', {0, 0, 0, 0, 2}},
                             {'#', {5, 7, 5, 7, 5}}};
constexpr int kCellWidth = 4, kCellHeight = 7;
constexpr std::uint8_t kBlack = 16, kWhite = 235;

bool dot(char sign, int x, int y) {
  for (const Glyph &glyph : kGlyphs)
    if (glyph.sign == sign && x < 3 && y >= 1 && y <= 5)
      return glyph.rows[static_cast<std::size_t>(y - 1)] >> (2 - x) & 1;
  return false;
}

// Colour that does not move, so that it costs next to nothing to encode: the movement is in the luma.
void tint(const Plane &chroma, int from_left, int from_top) {
  for (int y = 0; y < chroma.height; ++y)
    for (int x = 0; x < chroma.width; ++x)
      chroma.data[y * chroma.stride + x] = static_cast<std::uint8_t>(96 + from_left * x / std::max(chroma.width, 1) +
                                                                     from_top * y / std::max(chroma.height, 1));
}

Plane plane_of(GstVideoFrame &frame, int component) {
  return {static_cast<std::uint8_t *>(GST_VIDEO_FRAME_COMP_DATA(&frame, component)),
          GST_VIDEO_FRAME_COMP_STRIDE(&frame, component), GST_VIDEO_FRAME_COMP_WIDTH(&frame, component),
          GST_VIDEO_FRAME_COMP_HEIGHT(&frame, component)};
}

GstPadProbeReturn paint(GstPad *pad, GstPadProbeInfo *info, gpointer data) noexcept {
  auto &frames = *static_cast<unsigned *>(data);
  GstBuffer *buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
  GST_PAD_PROBE_INFO_DATA(info) = buffer;
  const auto caps = take(gst_pad_get_current_caps(pad));
  GstVideoInfo video;
  GstVideoFrame frame;
  if (!caps || !gst_video_info_from_caps(&video, caps.get()) ||
      !gst_video_frame_map(&frame, &video, buffer, GST_MAP_READWRITE))
    return GST_PAD_PROBE_OK;
  burn_clock(plane_of(frame, 0), Nanos(GST_BUFFER_PTS(buffer)), frames++);
  tint(plane_of(frame, 1), 64, 0);
  tint(plane_of(frame, 2), 0, 64);
  gst_video_frame_unmap(&frame);
  return GST_PAD_PROBE_OK;
}

}  // namespace

void burn_clock(const Plane &luma, Nanos time, unsigned frame) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
  char text[32];
  std::snprintf(text, sizeof text, "%02d:%02d.%03d #%04u", static_cast<int>(ms / 60000 % 100),
                static_cast<int>(ms / 1000 % 60), static_cast<int>(ms % 1000), frame % 10000);
  const std::string_view signs(text);
  const int scale = std::max(1, luma.width / 120);
  const int width = std::min(luma.width, (static_cast<int>(signs.size()) * kCellWidth + 1) * scale);
  const int height = std::min(luma.height, kCellHeight * scale);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const int column = x / scale - 1;
      const auto sign = static_cast<std::size_t>(std::max(column, 0) / kCellWidth);
      const bool ink = column >= 0 && sign < signs.size() && dot(signs[sign], column % kCellWidth, y / scale);
      luma.data[y * luma.stride + x] = ink ? kBlack : kWhite;
    }
}

Result<std::vector<CodedVideo>> generate_video(const Request &request, Stop &stop, const Pass::Progress &progress) {
  Pass pass;
  unsigned frames = 0;
  const PictureFormat format{static_cast<int>(request.width), static_cast<int>(request.height),
                             static_cast<int>(request.fps), 1};
  const auto count = static_cast<unsigned>(request.fps * to_seconds(kGeneratedLength));
  // This zone plate moves everywhere and has all sizes of detail: the encoder keeps to its bit rate with it.
  auto encode = add_video_encode(
      pass, request, format,
      "videotestsrc name=picture pattern=zone-plate kx2=8 ky2=5 kt=3 num-buffers=" + std::to_string(count) +
          " ! video/x-raw,format=I420,width=" + std::to_string(request.width) +
          ",height=" + std::to_string(request.height) + ",framerate=" + std::to_string(request.fps) + "/1 !");
  if (encode.piece != nullptr) {
    const auto picture = take(gst_bin_get_by_name(GST_BIN(encode.piece), "picture"));
    const auto pad = take(gst_element_get_static_pad(picture.get(), "src"));
    gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, paint, &frames, nullptr);
  }
  if (auto error = pass.run(stop, progress)) return *error;
  return encode.take_videos();
}

Result<CodedAudio> generate_tone(Stop &stop) {
  Pass pass;
  // 440 Hz has whole periods in 5 s: the tone goes on over the seam.
  auto encode = add_audio_encode(pass, "audiotestsrc wave=sine freq=440 volume=0.2 samplesperbuffer=960 num-buffers=" +
                                           std::to_string(kGeneratedLength / kAudioFrame) +
                                           " ! audio/x-raw,rate=48000,channels=1 !");
  if (auto error = pass.run(stop, nullptr)) return *error;
  CodedAudio tone = encode.take_audio();
  // The encoder's delay makes one packet more than the length has.
  tone.units.resize(std::min(tone.units.size(), static_cast<std::size_t>(kGeneratedLength / kAudioFrame)));
  return tone;
}

}  // namespace avc::media
