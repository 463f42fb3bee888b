// An application's own rtpbin session with chaos on its way: Opus goes through chaosdegrader to a second rtpbin, RTCP
// goes both ways, and the application reacts to what it is told.
//
//   g++ -std=c++20 embed.cpp -o embed $(pkg-config --cflags --libs gstreamer-1.0)
//
// It loses 30 % of its packets for a while and ends with 0 when the receiver has missed them and reported it.
#include <gst/gst.h>

#include <cstdio>
#include <string>

namespace {

// Only two elements are ours. sync=false: what chaosdegrader hands on is sent then, not when its timestamp says.
constexpr const char *kNear = R"(rtpbin name=bin rtp-profile=avpf
  audiotestsrc is-live=true ! opusenc name=encoder bitrate=64000 frame-size=10 ! rtpopuspay pt=111 ! bin.send_rtp_sink_0
  bin.send_rtp_src_0 ! spikescheduler name=spikes ! chaosdegrader name=link delay-ms=20 jitter-ms=5 seed=42
    ! udpsink name=media host=127.0.0.1 sync=false async=false
  bin.send_rtcp_src_0 ! udpsink name=reports host=127.0.0.1 sync=false async=false
  udpsrc name=rtcp port=0 address=127.0.0.1 ! bin.recv_rtcp_sink_0)";
constexpr const char *kFar = R"(rtpbin name=bin rtp-profile=avpf latency=500
  udpsrc name=media port=0 address=127.0.0.1
    caps="application/x-rtp,media=audio,clock-rate=48000,encoding-name=OPUS,payload=111" ! bin.recv_rtp_sink_0
  udpsrc name=rtcp port=0 address=127.0.0.1 ! bin.recv_rtcp_sink_0
  bin.send_rtcp_src_0 ! udpsink name=reports host=127.0.0.1 sync=false async=false
  bin. ! rtpopusdepay ! fakesink async=false)";

GstElement *g_near, *g_far;  // two pipelines, as in two processes
GstElement *g_jitterbuffer;  // of the far rtpbin, once a stream has come
GMainLoop *g_loop;
std::string g_phase = "before";  // the spike: before, during, after
int g_exit_code = 1;

void set_int(GstElement *pipeline, const char *name, const char *property, int value) {
  GstElement *element = gst_bin_get_by_name(GST_BIN(pipeline), name);
  g_object_set(element, property, value, nullptr);
  gst_object_unref(element);
}

int port_of(GstElement *pipeline, const char *name) {
  GstElement *element = gst_bin_get_by_name(GST_BIN(pipeline), name);
  int port = 0;
  g_object_get(element, "port", &port, nullptr);
  gst_object_unref(element);
  return port;
}

// One number of an element's `stats`; it may be read on any thread at any time.
guint64 stat_of(GstElement *element, const char *field) {
  GstStructure *stats = nullptr;
  guint64 value = 0;
  g_object_get(element, "stats", &stats, nullptr);
  gst_structure_get_uint64(stats, field, &value);
  gst_structure_free(stats);
  return value;
}

// Has a report of this kind come in: "have-rb" (how much of ours arrived), "have-sr" (when the sender sent what)?
bool was_told(GstElement *pipeline, const char *kind) {
  GstElement *bin = gst_bin_get_by_name(GST_BIN(pipeline), "bin");
  GObject *session = nullptr;
  GstStructure *stats = nullptr;
  g_signal_emit_by_name(bin, "get-internal-session", 0, &session);
  g_object_get(session, "stats", &stats, nullptr);
  const auto *sources = static_cast<GValueArray *>(g_value_get_boxed(gst_structure_get_value(stats, "source-stats")));
  bool told = false;
  for (guint i = 0; i < sources->n_values; ++i) {
    gboolean have = FALSE;
    gst_structure_get_boolean(gst_value_get_structure(&sources->values[i]), kind, &have);
    told |= have;
  }
  gst_structure_free(stats);
  g_object_unref(session);
  gst_object_unref(bin);
  return told;
}

// A spike without `duration` stays until it is cancelled. Both signals answer whether it could be done.
bool inject(GstElement *spikes) {
  GstStructure *params = gst_structure_new("params", "loss_percent", G_TYPE_DOUBLE, 30.0, nullptr);
  GstStructure *spike = gst_structure_new("spike", "spike-id", G_TYPE_STRING, "storm", "type", G_TYPE_STRING,
                                          "rtp_packet_loss", "params", GST_TYPE_STRUCTURE, params, nullptr);
  gboolean accepted = FALSE;
  g_signal_emit_by_name(spikes, "inject-spike", spike, &accepted);
  gst_structure_free(spike);
  gst_structure_free(params);
  return accepted;
}

// Twice a second: what chaos has taken, and what the receiver misses.
gboolean measure(gpointer) {
  GstElement *link = gst_bin_get_by_name(GST_BIN(g_near), "link");
  GstElement *spikes = gst_bin_get_by_name(GST_BIN(g_near), "spikes");
  const guint64 passed = stat_of(link, "packets-out"), taken = stat_of(link, "dropped-loss");
  const guint64 missed = g_jitterbuffer ? stat_of(g_jitterbuffer, "num-lost") : 0;
  std::printf("%s: %u passed, %u taken, %u missed\n", g_phase.c_str(), unsigned(passed), unsigned(taken),
              unsigned(missed));
  if (g_phase == "before" && passed > 50) {
    g_phase = inject(spikes) ? "asked for" : "refused";
  } else if (g_phase == "during" && taken > 30) {
    gboolean cancelled = FALSE;
    g_signal_emit_by_name(spikes, "cancel-spike", "storm", &cancelled);
  } else if (g_phase == "after" && missed >= taken && was_told(g_near, "have-rb") && was_told(g_far, "have-sr")) {
    g_exit_code = 0;  // all that was taken is missed, and both ends have heard of each other by RTCP
    g_main_loop_quit(g_loop);
  }
  gst_object_unref(spikes);
  gst_object_unref(link);
  return G_SOURCE_CONTINUE;
}

// The application's reaction: less audio while packets are lost.
void spike_told(const GstStructure *told) {
  const std::string state = gst_structure_get_string(told, "state");
  std::printf("spike %s %s %s\n", gst_structure_get_string(told, "spike-id"), state.c_str(),
              gst_structure_get_string(told, "reason"));
  g_phase = state == "started" ? "during" : "after";
  set_int(g_near, "encoder", "bitrate", state == "started" ? 24000 : 64000);
}

gboolean message(GstBus *, GstMessage *told, gpointer) {
  GError *error = nullptr;
  if (GST_MESSAGE_TYPE(told) == GST_MESSAGE_ERROR) {
    gst_message_parse_error(told, &error, nullptr);
    g_main_loop_quit(g_loop);
  } else if (GST_MESSAGE_TYPE(told) == GST_MESSAGE_WARNING) {
    gst_message_parse_warning(told, &error, nullptr);  // a setting was refused, a log could not be written
  } else if (GST_MESSAGE_TYPE(told) == GST_MESSAGE_LATENCY) {
    gst_bin_recalculate_latency(GST_BIN(g_far));
  } else if (gst_message_has_name(told, "avchaos-spike")) {
    spike_told(gst_message_get_structure(told));
  }
  if (error) std::fprintf(stderr, "%s: %s\n", GST_MESSAGE_SRC_NAME(told), error->message);
  g_clear_error(&error);
  return G_SOURCE_CONTINUE;
}

void jitterbuffer_came(GstElement *, GstElement *jitterbuffer, guint, guint, gpointer) {
  g_jitterbuffer = GST_ELEMENT(gst_object_ref(jitterbuffer));  // a streaming thread, once in this program
}

GstElement *pipeline_of(const char *text) {
  GError *error = nullptr;
  GstElement *pipeline = gst_parse_launch(text, &error);
  if (error) g_error("%s", error->message);
  GstBus *bus = gst_element_get_bus(pipeline);
  gst_bus_add_watch(bus, message, nullptr);
  gst_object_unref(bus);
  GstElement *bin = gst_bin_get_by_name(GST_BIN(pipeline), "bin");
  GObject *session = nullptr;
  g_signal_emit_by_name(bin, "get-internal-session", 0, &session);
  g_object_set(session, "rtcp-min-interval", guint64{GST_SECOND / 2}, nullptr);  // reports sooner than every 5 s
  g_object_unref(session);
  g_signal_connect(bin, "new-jitterbuffer", G_CALLBACK(jitterbuffer_came), nullptr);
  gst_object_unref(bin);
  gst_element_set_state(pipeline, GST_STATE_READY);  // the sockets are open, their ports are known
  return pipeline;
}

void end(GstElement *pipeline) {
  gst_element_set_state(pipeline, GST_STATE_NULL);
  GstBus *bus = gst_element_get_bus(pipeline);
  gst_bus_remove_watch(bus);
  gst_object_unref(bus);
  gst_object_unref(pipeline);
}

}  // namespace

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  g_loop = g_main_loop_new(nullptr, FALSE);
  g_near = pipeline_of(kNear);
  g_far = pipeline_of(kFar);
  set_int(g_near, "media", "port", port_of(g_far, "media"));
  set_int(g_near, "reports", "port", port_of(g_far, "rtcp"));
  set_int(g_far, "reports", "port", port_of(g_near, "rtcp"));
  gst_element_set_state(g_far, GST_STATE_PLAYING);
  gst_element_set_state(g_near, GST_STATE_PLAYING);
  g_timeout_add(500, measure, nullptr);
  g_main_loop_run(g_loop);
  end(g_near);
  if (g_jitterbuffer) gst_object_unref(g_jitterbuffer);
  end(g_far);
  g_main_loop_unref(g_loop);
  return g_exit_code;
}
