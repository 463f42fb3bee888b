// What participants cost with GStreamer's own elements, for tests/bench/scale.py: a pipeline each, a thread per stream.
//
//   stock --way=payload|encode --clip=FILE.mkv --host=127.0.0.1 --port=5002 --participants=10 --seconds=10
//
//   payload  coded frames from memory ! rtph264pay ! udpsink, and Opus ! rtpopuspay ! udpsink
//   encode   pictures from memory ! openh264enc ! rtph264pay ! udpsink, and the same for Opus as above: pictures are
//            decoded beforehand, so that only what a participant of its own encoder costs is measured
//
// Prints "started" when all pipelines play. Frames come from appsrc, whose streaming thread waits for the clock in
// udpsink (sync=true).
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "elements/support/ptr.hpp"
#include "tests/bench/load.hpp"

using namespace avc;
using namespace avc::bench;

namespace {

constexpr std::size_t kPictures = 60;  // 83 MB of 720p

struct Media {
  std::vector<Ptr<GstBuffer>> units;
  Ptr<GstCaps> caps;
  GstClockTime step = 0;  // from one to the next
};

// All samples that come out of an appsink named "out", or the first `most` of them.
Media take_all(const std::string &line, GstClockTime step, std::size_t most) {
  Media media{{}, {}, step};
  GError *raw = nullptr;
  GstElement *parsed = gst_parse_launch(line.c_str(), &raw);
  if (const auto error = take(raw)) {
    std::fprintf(stderr, "stock: %s\n", error->message);
    return media;
  }
  const auto pipeline = take(GST_ELEMENT(gst_object_ref_sink(parsed)));
  const auto out = take(gst_bin_get_by_name(GST_BIN(pipeline.get()), "out"));
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  while (media.units.size() < most) {
    GstSample *pulled = nullptr;
    g_signal_emit_by_name(out.get(), "pull-sample", &pulled);
    if (pulled == nullptr) break;
    const auto sample = take(pulled);
    media.units.emplace_back(take(gst_buffer_ref(gst_sample_get_buffer(sample.get()))));
    if (!media.caps) media.caps = take(gst_caps_ref(gst_sample_get_caps(sample.get())));
  }
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  return media;
}

// Hands a source one unit after the other, for ever.
struct Feed {
  std::shared_ptr<const Media> media;
  std::size_t next;
  GstClockTime at = 0;

  static void need_data(GstElement *source, guint, Feed *feed) {
    const auto buffer = take(gst_buffer_copy(feed->media->units[feed->next++ % feed->media->units.size()].get()));
    GST_BUFFER_PTS(buffer.get()) = GST_BUFFER_DTS(buffer.get()) = feed->at;
    GST_BUFFER_DURATION(buffer.get()) = feed->media->step;
    feed->at += feed->media->step;
    GstFlowReturn flow = GST_FLOW_OK;
    g_signal_emit_by_name(source, "push-buffer", buffer.get(), &flow);
  }
};

void feed(GstElement *pipeline, const char *name, std::shared_ptr<const Media> media, std::size_t first) {
  const auto source = take(gst_bin_get_by_name(GST_BIN(pipeline), name));
  g_object_set(source.get(), "caps", media->caps.get(), nullptr);
  auto *state = new Feed{std::move(media), first};
  g_signal_connect_data(
      source.get(), "need-data", G_CALLBACK(Feed::need_data), state,
      [](gpointer feed, GClosure *) { delete static_cast<Feed *>(feed); }, GConnectFlags(0));
}

std::string participant(bool encode, std::size_t i, const std::string &to) {
  const std::string ssrc = std::to_string((1001 + i) * 1000), audio = std::to_string((1001 + i) * 1000 + 1);
  return std::string("appsrc name=v format=time ") +
         (encode ? "! openh264enc rate-control=bitrate bitrate=2500000 max-bitrate=2500000 gop-size=30 "
                   "scene-change-detection=false ! video/x-h264,profile=constrained-baseline "
                 : "") +
         "! rtph264pay pt=96 mtu=1172 config-interval=-1 aggregate-mode=zero-latency ssrc=" + ssrc + " ! udpsink " +
         to + " appsrc name=a format=time ! rtpopuspay pt=111 ssrc=" + audio + " ! udpsink " + to;
}

}  // namespace

int main(int argc, char **argv) {
  gst_init(nullptr, nullptr);
  rlimit files{65536, 65536};
  setrlimit(RLIMIT_NOFILE, &files);
  const bool encode = text_option(argc, argv, "way", "payload") == "encode";
  const auto participants = static_cast<std::size_t>(std::clamp(option(argc, argv, "participants", 10), 1.0, 1000.0));
  const double seconds = std::clamp(option(argc, argv, "seconds", 10), 1.0, 60.0);
  const std::string to = "host=" + text_option(argc, argv, "host", "127.0.0.1") +
                         " port=" + text_option(argc, argv, "port", "5002") + " buffer-size=1048576";
  const std::string file = "filesrc location=\"" + text_option(argc, argv, "clip", "") + "\" ! matroskademux name=d d.";
  const auto video = std::make_shared<const Media>(
      encode ? take_all(file + "video_0 ! queue ! h264parse ! openh264dec ! videoconvert ! video/x-raw,format=I420 ! "
                               "appsink name=out sync=false",
                        GST_SECOND / 30, kPictures)
             : take_all(file + "video_0 ! queue ! h264parse ! appsink name=out sync=false", GST_SECOND / 30, 3000));
  const auto audio = std::make_shared<const Media>(
      take_all(file + "audio_0 ! queue ! appsink name=out sync=false", 20 * GST_MSECOND, 3000));
  if (video->units.empty() || audio->units.empty()) {
    std::fprintf(stderr, "stock: the clip has no picture or no sound\n");
    return 1;
  }
  std::vector<Ptr<GstElement>> pipelines;
  for (std::size_t i = 0; i < participants; ++i) {
    GError *raw = nullptr;
    pipelines.push_back(
        take(GST_ELEMENT(gst_object_ref_sink(gst_parse_launch(participant(encode, i, to).c_str(), &raw)))));
    if (const auto error = take(raw)) {
      std::fprintf(stderr, "stock: %s\n", error->message);
      return 1;
    }
    // From a keyframe on: which one differs, so that they do not coincide.
    feed(pipelines.back().get(), "v", video, encode ? i : i * 30 % video->units.size());
    feed(pipelines.back().get(), "a", audio, 0);
  }
  for (const auto &pipeline : pipelines) gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  std::printf("started\n");
  std::fflush(stdout);
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  std::_Exit(0);  // hundreds of pipelines take long to stop, and their end is not what is measured
}
