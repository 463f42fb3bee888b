// A spikescheduler on a test clock, and what it says in either direction and on the bus.
#pragma once

#include <array>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

#include "tests/elements/bench.hpp"

namespace avc::test {

// Everything that leaves a scheduler downstream, as text: "b100" a packet at 100 ms, "+a" and "-a" spike a's start and
// end. What goes upstream is written down apart.
struct SchedulerBench : PadBench {
  std::mutex mutex;
  std::vector<std::string> down, up;
  std::vector<SpikeStart> starts;
  std::vector<SpikeEnd> ends;

  explicit SchedulerBench(const std::string &properties, const ParticipantInfo &who = kParticipant, bool known = true)
      : PadBench("spikescheduler " + properties, who, Introduced::by_the_test) {
    add_probe("src", static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_DATA_DOWNSTREAM), down);
    add_probe("sink", GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, up);
    if (known) introduce(who);
  }

  struct Ear {
    SchedulerBench *bench;
    std::vector<std::string> *heard;
  };
  std::array<Ear, 2> ears;
  std::size_t ear_count = 0;

  void add_probe(const char *pad_name, GstPadProbeType type, std::vector<std::string> &heard) {
    ears[ear_count] = {this, &heard};
    const auto pad = take(gst_element_get_static_pad(element(), pad_name));
    gst_pad_add_probe(pad.get(), type, hear, &ears[ear_count++], nullptr);
  }

  static GstPadProbeReturn hear(GstPad *, GstPadProbeInfo *info, gpointer user) {
    auto &[bench, heard] = *static_cast<Ear *>(user);
    const std::lock_guard hold(bench->mutex);
    if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) {
      heard->push_back("b" + std::to_string(GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info)) / GST_MSECOND));
    } else if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_EVENT_BOTH) {
      if (const auto start = parse_spike_start(GST_PAD_PROBE_INFO_EVENT(info))) {
        heard->push_back("+" + start->id);
        bench->starts.push_back(*start);
      } else if (const auto end = parse_spike_end(GST_PAD_PROBE_INFO_EVENT(info))) {
        heard->push_back("-" + end->id);
        bench->ends.push_back(*end);
      }
    }
    return GST_PAD_PROBE_OK;
  }

  std::string text_of(std::vector<std::string> &heard) {
    const std::lock_guard hold(mutex);
    std::string text;
    for (const auto &word : heard) text += (text.empty() ? "" : " ") + word;
    return text;
  }

  void expect(std::vector<std::string> &heard, const char *text) {
    const auto got = text_of(heard);
    ck_assert_str_eq(got.c_str(), text);
  }

  void packets(guint from, guint to, guint step) {
    for (guint t = from; t <= to; t += step) push(video(static_cast<std::uint16_t>(t), ms(t)));
  }

  bool inject(const std::string &structure) {
    const auto spike = take(gst_structure_new_from_string(structure.c_str()));
    ck_assert_msg(spike != nullptr, "%s", structure.c_str());
    gboolean accepted = FALSE;
    g_signal_emit_by_name(element(), "inject-spike", spike.get(), &accepted);
    return accepted;
  }
  bool cancel(const char *id) {
    gboolean known = FALSE;
    g_signal_emit_by_name(element(), "cancel-spike", id, &known);
    return known;
  }

  // Messages so far: "started a@100", times in ms.
  std::string messages() {
    std::string text;
    while (auto message = take(gst_bus_pop(bus.get()))) {
      const auto report = parse_spike_report(message.get());
      if (!report) continue;
      ck_assert_int_eq(report->participant_id, 1001);
      text += (text.empty() ? "" : ", ") + std::string(name(report->state)) + " " + report->id + "@" +
              std::to_string(report->running_time / GST_MSECOND);
      if (!report->reason.empty()) text += " (" + report->reason + ")";
    }
    return text;
  }
  std::string active() {
    gchar **ids = nullptr;
    g_object_get(element(), "active-spikes", &ids, nullptr);
    gchar *joined = g_strjoinv(" ", ids);
    const std::string text = joined;
    g_free(joined);
    g_strfreev(ids);
    return text;
  }
};

// JSON as a value in a pipeline text.
inline std::string quoted(const std::string &json) {
  std::string text = "\"";
  for (const char c : json) text += c == '"' ? std::string("\\\"") : std::string(1, c);
  return text + '"';
}

inline std::string loss(const char *id, double start, double duration, const char *more = "") {
  std::ostringstream json;
  json << R"({"spike_id":")" << id << R"(","type":"rtp_packet_loss","start_seconds":)" << start
       << R"(,"duration_seconds":)" << duration << R"(,"params":{"loss_percent":100})" << more << "}";
  return json.str();
}

// A spike in JSON; times in seconds.
inline std::string spike_text(const std::string &id, const std::string &type, double start, double duration,
                              const std::string &params = "") {
  std::ostringstream json;
  json << R"({"spike_id":")" << id << R"(","type":")" << type << R"(","start_seconds":)" << start
       << R"(,"duration_seconds":)" << duration << R"(,"params":{)" << params << "}}";
  return json.str();
}

inline const std::string kInject =
    "spike, spike-id=(string)x, type=(string)rtp_packet_loss, "
    "params=(structure)[params, loss_percent=(double)50]";

}  // namespace avc::test
