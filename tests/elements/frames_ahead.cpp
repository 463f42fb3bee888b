// Media handed on ahead of its time is the same media: every packet has the same fate, and the same packets leave, as
// when each frame is handed on when it is due. Whatever happens to them on the way.
#include <glib/gstdio.h>
#include <unistd.h>

#include "tests/elements/link_bench.hpp"
#include "tests/elements/scheduler_bench.hpp"
#include "tests/elements/sink_bench.hpp"
#include "tests/elements/source_clip.hpp"

using namespace avc;
using namespace avc::test;

namespace {

struct Run {
  std::vector<std::string> decisions;  // the log, sorted
  std::vector<Octets> packets;         // on the wire, sorted
  guint64 dropped = 0;                 // in the sink
  friend bool operator==(const Run &, const Run &) = default;
};

Run run(unsigned ahead_ms, const std::string &link, const std::string &spikes, const std::string &extra = "") {
  Port port;
  gchar *log = nullptr;
  close(g_file_open_tmp("avchaos-ahead-XXXXXX", &log, nullptr));
  const auto path = take(log);
  Run run;
  {
    SourceBench bench(
        source_text("renditions=300,150 participant-id=1001 seed=3 loop=false start-offset-ms=0 context=a "
                    "ahead-ms=" +
                    std::to_string(ahead_ms)) +
        " s.rtp ! participanttagger rtcp-interval-ms=0 ! spikescheduler context=a schedule=" +
        quoted("[" + spikes + "]") + " ! chaosdegrader seed=3 context=a decision-log=" + path.get() + " " + link +
        " ! " + extra + "avchaosudpsink name=k context=a host=127.0.0.1 port=" + std::to_string(port.number()) +
        " rtcp-port=" + std::to_string(port.number()));
    bench.play();
    bench.run_out();
    const auto sink = take(gst_bin_get_by_name(GST_BIN(bench.pipeline()), "k"));
    run.packets = port.take(stat(sink.get(), "packets-sent"));
    ck_assert_uint_eq(run.packets.size(), stat(sink.get(), "packets-sent"));
    run.dropped = stat(sink.get(), "dropped-flush") + stat(sink.get(), "dropped-not-playing");
  }
  std::ranges::sort(run.packets);
  run.decisions = sorted(lines_of(path.get()));
  g_unlink(path.get());
  return run;
}

void check(const std::string &link, const std::string &spikes) {
  const Run plain = run(0, link, spikes);
  ck_assert_uint_gt(plain.packets.size(), 150);
  ck_assert_uint_eq(plain.dropped, 0);
  for (const unsigned ahead_ms : {20, 100, 333}) {
    const Run ahead = run(ahead_ms, link, spikes);
    ck_assert_uint_eq(ahead.decisions.size(), plain.decisions.size());
    for (std::size_t i = 0; i < plain.decisions.size(); ++i)
      ck_assert_str_eq(ahead.decisions[i].c_str(), plain.decisions[i].c_str());
    ck_assert_msg(ahead == plain, "%s with %s, %u ms ahead", spikes.c_str(), link.c_str(), ahead_ms);
  }
}

}  // namespace

GST_START_TEST(on_any_link) {
  for (const char *link : {"", "delay-ms=30 jitter-ms=20 allow-reordering=true loss-percent=5",
                           "bandwidth-kbps=250 queue-ms=100", "bandwidth-kbps=250 queue-discipline=codel",
                           "duplicate-percent=10 corrupt-percent=10 delay-ms=5", "slot-min-ms=5 slot-max-ms=30"})
    check(link, "");
}
GST_END_TEST

GST_START_TEST(whatever_a_spike_does) {
  const struct {
    const char *type, *params;
  } kinds[] = {{"rtp_packet_loss", R"("loss_percent":40,"pattern":"burst")"},
               {"network_jitter", R"("base_latency_ms":30,"jitter_std_dev_ms":20)"},
               {"bandwidth_limit", R"("bandwidth_kbps":100)"},
               {"bitrate_reduce", R"("new_bitrate_kbps":200)"},
               {"frame_drop", R"("drop_percentage":50)"},
               {"audio_silence", ""},
               {"participant_leave", ""},
               {"packet_flood", ""},
               {"ssrc_change", ""},
               {"timestamp_jump", ""},
               {"sequence_jump", ""}};
  for (const auto &[type, params] : kinds) check("delay-ms=10", spike_text("one", type, 0.61, 1.1, params));
}
GST_END_TEST

// A stranger sees ordinary packets when they are due, whatever was asked for.
GST_START_TEST(only_where_the_sink_keeps_the_times) {
  const Run plain = run(0, "", ""), strange = run(100, "", "", "identity ! ");
  ck_assert(strange == plain);
}
GST_END_TEST

AVC_GST_TESTS("frames_ahead", on_any_link, whatever_a_spike_does, only_where_the_sink_keeps_the_times)
