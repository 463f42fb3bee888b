// What a receiver decodes from avchaossrc's RTP is the file's picture, every frame of it.
#include "tests/elements/source_bench.hpp"

using namespace avc;
using namespace avc::test;

namespace {

using Picture = std::vector<std::uint8_t>;  // luma

GstPadProbeReturn keep_picture(GstPad *, GstPadProbeInfo *info, gpointer data) {
  const MappedBuffer map(GST_PAD_PROBE_INFO_BUFFER(info));
  static_cast<std::vector<Picture> *>(data)->emplace_back(map.bytes().begin(), map.bytes().end());
  return GST_PAD_PROBE_OK;
}

void keep_pictures(GstElement *pipeline, std::vector<Picture> &pictures) {
  const auto sink = take(gst_bin_get_by_name(GST_BIN(pipeline), "pictures"));
  const auto pad = take(gst_element_get_static_pad(sink.get(), "sink"));
  gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, keep_picture, &pictures, nullptr);
}

constexpr const char *kPictures =
    "videoconvert ! video/x-raw,format=GRAY8 ! fakesink name=pictures sync=false async=false";

std::vector<Picture> pictures_of_file(const std::string &path) {
  std::vector<Picture> pictures;
  const auto pipeline = take(
      gst_parse_launch(("filesrc location=" + path + " ! decodebin ! video/x-raw ! " + kPictures).c_str(), nullptr));
  keep_pictures(pipeline.get(), pictures);
  const auto bus = take(gst_element_get_bus(pipeline.get()));
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  const auto message = take(gst_bus_timed_pop_filtered(
      bus.get(), 20 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  ck_assert(message && GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_EOS);
  return pictures;
}

std::vector<Picture> pictures_sent(const std::string &path, const Folder &cache) {
  std::vector<Picture> pictures;
  SourceBench bench("avchaossrc name=s loop=false start-offset-ms=0 cache-dir=" + cache.path() + " location=" + path +
                    " s. ! application/x-rtp,media=video ! rtph264depay ! h264parse ! openh264dec ! " + kPictures);
  keep_pictures(bench.pipeline(), pictures);
  bench.play();
  bench.run_out();
  return pictures;
}

double psnr(const Picture &a, const Picture &b) {
  ck_assert_uint_eq(a.size(), b.size());
  double squares = 0;
  for (std::size_t i = 0; i < a.size(); ++i) squares += (a[i] - b[i]) * (a[i] - b[i]);
  return squares == 0 ? 100 : 10 * std::log10(255.0 * 255.0 * static_cast<double>(a.size()) / squares);
}

void check_pictures(const std::string &path, double least) {
  const Folder cache;
  const auto source = pictures_of_file(path), sent = pictures_sent(path, cache);
  ck_assert_uint_eq(source.size(), 50);
  ck_assert_uint_eq(sent.size(), source.size());
  for (std::size_t i = 0; i < sent.size(); ++i)
    ck_assert_msg(psnr(source[i], sent[i]) >= least, "%s, frame %zu: %g dB", path.c_str(), i, psnr(source[i], sent[i]));
}

}  // namespace

GST_START_TEST(h264_without_b_frames_arrives_bit_by_bit) {
  const Folder files;
  check_pictures(mkv_h264_opus(files), 100);
}
GST_END_TEST;

GST_START_TEST(transcoded_files_keep_their_picture) {
  const Folder files;
  check_pictures(mp4_with_b_frames(files), 33);
  check_pictures(webm_vp8_vorbis(files), 33);
}
GST_END_TEST;

AVC_GST_TESTS("avchaossrc picture", h264_without_b_frames_arrives_bit_by_bit, transcoded_files_keep_their_picture)
