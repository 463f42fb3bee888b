// A program of your own with chaos in its pipeline: half of its packets are lost for two seconds, and it reacts.
//
//   g++ -std=c++20 embed.cpp -o embed $(pkg-config --cflags --libs gstreamer-1.0)
//
// It ends with 0 when the loss was seen and was gone afterwards. docs/embedding.md explains it.
#include <gst/gst.h>

#include <cstdio>
#include <string>

namespace {

// Everything up to spikescheduler would be your own sender; everything from rtpqualityprobe on your own receiver.
constexpr const char *kPipeline = R"(
  avchaossrc name=s participant-id=7 seed=42 width=320 height=180 fps=15 s.rtp ! participanttagger participant-id=7
  ! spikescheduler name=chaos ! chaosdegrader ! rtpqualityprobe interval-ms=500 ! fakesink async=false sync=false)";
constexpr const char *kSchedule = R"([{"spike_id": "storm", "type": "rtp_packet_loss",
  "start_seconds": 1, "duration_seconds": 2, "params": {"loss_percent": 50}}])";

struct Watch {
  GMainLoop *loop;
  bool acting = false, over = false;
  double worst = 0, last = 100;  // percent
  int quiet = 0;                 // measurements since the spike ended
  int exit_code = 1;
};

void spike_told(Watch &watch, const GstStructure *told) {
  const std::string state = gst_structure_get_string(told, "state");
  std::printf("spike %s %s\n", gst_structure_get_string(told, "spike-id"), state.c_str());
  if (state == "started") watch.acting = true;
  if (state == "ended") watch.over = true;
}

// The figures of the last half second, of every stream.
void measured(Watch &watch, const GstStructure *told) {
  const GValue *streams = gst_structure_get_value(told, "streams");
  gint64 lost = 0, expected = 0;
  for (guint i = 0; streams && i < gst_value_list_get_size(streams); ++i) {
    const auto *stream = gst_value_get_structure(gst_value_list_get_value(streams, i));
    gint64 value = 0;
    if (gst_structure_get_int64(stream, "packets-lost", &value)) lost += value;
    if (gst_structure_get_int64(stream, "packets-expected", &value)) expected += value;
  }
  if (expected == 0) return;
  watch.last = 100.0 * static_cast<double>(lost) / static_cast<double>(expected);
  std::printf("loss %.1f %%\n", watch.last);
  if (watch.acting && watch.last > watch.worst) watch.worst = watch.last;
  if (watch.over && ++watch.quiet == 3) {
    watch.exit_code = watch.worst > 25 && watch.last == 0 ? 0 : 1;
    g_main_loop_quit(watch.loop);
  }
}

gboolean message(GstBus *, GstMessage *told, gpointer data) {
  auto &watch = *static_cast<Watch *>(data);
  if (GST_MESSAGE_TYPE(told) == GST_MESSAGE_ERROR) {
    GError *error = nullptr;
    gst_message_parse_error(told, &error, nullptr);
    std::fprintf(stderr, "%s\n", error->message);
    g_error_free(error);
    g_main_loop_quit(watch.loop);
  } else if (GST_MESSAGE_TYPE(told) == GST_MESSAGE_ELEMENT) {
    const GstStructure *structure = gst_message_get_structure(told);
    if (gst_structure_has_name(structure, "avchaos-spike")) spike_told(watch, structure);
    if (gst_structure_has_name(structure, "rtpqualityprobe")) measured(watch, structure);
  }
  return G_SOURCE_CONTINUE;
}

}  // namespace

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  GError *error = nullptr;
  GstElement *pipeline = gst_parse_launch(kPipeline, &error);
  if (error) {
    std::fprintf(stderr, "%s\n", error->message);
    return 1;
  }
  GstElement *chaos = gst_bin_get_by_name(GST_BIN(pipeline), "chaos");
  g_object_set(chaos, "schedule", kSchedule, nullptr);
  gst_object_unref(chaos);

  Watch watch{g_main_loop_new(nullptr, FALSE)};
  GstBus *bus = gst_element_get_bus(pipeline);
  const guint source = gst_bus_add_watch(bus, message, &watch);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  g_main_loop_run(watch.loop);

  gst_element_set_state(pipeline, GST_STATE_NULL);
  g_source_remove(source);
  gst_object_unref(bus);
  gst_object_unref(pipeline);
  g_main_loop_unref(watch.loop);
  return watch.exit_code;
}
