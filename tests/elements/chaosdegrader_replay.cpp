// chaosdegrader with a replay-log: what a decision log says of each packet happens again, to the bit and the
// nanosecond, whatever decided it then.
#include "tests/elements/degrader_bench.hpp"
#include "tests/elements/link_bench.hpp"

#include "elements/support/ecn.hpp"
#include "tests/core/net/models.hpp"

using namespace avc;
using namespace avc::test;

namespace {

constexpr unsigned kFrames = 40;  // of 20 ms and 20 packets of 1000 bytes: 8 Mbit/s, and an audio packet each

// Loses all, so that what arrives is the log's doing.
const net::Impairment kNothingPasses{.loss_percent = 100};

// Everything that leaves, with the moment it does, until the stream's end.
class Leaving {
 public:
  using Packet = std::tuple<GstClockTime, Octets, net::Ecn>;

  explicit Leaving(LinkBench &bench) : bench_(bench), pad_(take(gst_element_get_static_pad(bench.element(), "src"))) {
    constexpr auto kinds = static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_DATA_DOWNSTREAM);
    gst_pad_add_probe(
        pad_.get(), kinds,
        [](GstPad *, GstPadProbeInfo *info, gpointer self) {
          static_cast<Leaving *>(self)->record(info);
          return GST_PAD_PROBE_OK;
        },
        this, nullptr);
  }
  Leaving(const Leaving &) = delete;
  Leaving &operator=(const Leaving &) = delete;

  // From one deadline to the next, so that each packet leaves on its own.
  std::vector<Packet> until_the_end() {
    while (!ended()) {
      if (gst_test_clock_timed_wait_for_multiple_pending_ids(bench_.test_clock(), 1, 1, nullptr))
        gst_test_clock_crank(bench_.test_clock());
    }
    const std::lock_guard hold(mutex_);
    return packets_;
  }

 private:
  bool ended() {
    const std::lock_guard hold(mutex_);
    return ended_;
  }
  void record(GstPadProbeInfo *info) {
    const GstClockTime now = gst_clock_get_time(GST_CLOCK(bench_.test_clock()));
    const std::lock_guard hold(mutex_);
    const auto type = GST_PAD_PROBE_INFO_TYPE(info);
    if (type & GST_PAD_PROBE_TYPE_BUFFER) {
      add(now, GST_PAD_PROBE_INFO_BUFFER(info));
    } else if (type & GST_PAD_PROBE_TYPE_BUFFER_LIST) {
      auto *list = GST_PAD_PROBE_INFO_BUFFER_LIST(info);
      for (guint i = 0; i < gst_buffer_list_length(list); i++) add(now, gst_buffer_list_get(list, i));
    } else if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_EOS) {
      ended_ = true;
    }
  }

  void add(GstClockTime now, GstBuffer *buffer) { packets_.emplace_back(now, bytes_of(buffer), ecn_of(buffer)); }

  LinkBench &bench_;
  Ptr<GstPad> pad_;
  std::mutex mutex_;
  std::vector<Packet> packets_;
  bool ended_ = false;
};

struct Outcome {
  std::vector<std::string> log;  // sorted
  std::vector<Leaving::Packet> left;
};

void push_frame(LinkBench &bench, unsigned frame, bool as_list) {
  auto list = take(gst_buffer_list_new());
  for (unsigned i = 0; i < 20; i++) {
    auto packet = LinkBench::packet(65'500 + frame * 20 + i, ms(frame * 20), 1000, false, frame * 1800);
    if (frame % 12 != 0) GST_BUFFER_FLAG_SET(packet.get(), GST_BUFFER_FLAG_DELTA_UNIT);
    if (as_list) {
      gst_buffer_list_add(list.get(), give(std::move(packet)));
    } else {
      bench.push(std::move(packet));
    }
  }
  if (as_list) bench.push(std::move(list));
  bench.push(LinkBench::packet(frame, ms(frame * 20 + 7), 160, true, frame * 960));
}

template <class BeforeFrame>
Outcome run(const net::Impairment &settings, const std::string &log, const std::string &replay, bool as_lists,
            BeforeFrame before_frame) {
  Outcome outcome;
  LinkBench bench(settings, log, 42, 1001, "", nullptr, replay);
  Leaving leaving(bench);
  for (unsigned frame = 0; frame < kFrames; frame++) {
    before_frame(bench, frame);
    push_frame(bench, frame, as_lists);
  }
  bench.end();
  outcome.left = leaving.until_the_end();
  ck_assert_int_eq(stat(bench.element(), "replay-missing"), 0);
  bench.stop();
  outcome.log = sorted(lines_of(log));
  return outcome;
}

void nothing(LinkBench &, unsigned) {}

void same(const Outcome &got, const Outcome &wanted, const std::string &what) {
  ck_assert_msg(got.log.size() == wanted.log.size(), "%s: %zu lines, not %zu", what.c_str(), got.log.size(),
                wanted.log.size());
  for (std::size_t i = 0; i < got.log.size(); i++)
    ck_assert_msg(got.log[i] == wanted.log[i], "%s:\n%s\nnot\n%s", what.c_str(), got.log[i].c_str(),
                  wanted.log[i].c_str());
  ck_assert_msg(got.left.size() == wanted.left.size(), "%s: %zu packets left, not %zu", what.c_str(), got.left.size(),
                wanted.left.size());
  for (std::size_t i = 0; i < got.left.size(); i++) {
    ck_assert_msg(std::get<0>(got.left[i]) == std::get<0>(wanted.left[i]),
                  "%s: packet %zu leaves at %" G_GUINT64_FORMAT " not %" G_GUINT64_FORMAT, what.c_str(), i,
                  std::get<0>(got.left[i]), std::get<0>(wanted.left[i]));
    ck_assert_msg(got.left[i] == wanted.left[i], "%s: packet %zu is another one", what.c_str(), i);
  }
}

std::string line(unsigned sequence, const std::string &rest) {
  return R"({"stream":"1001/video","n":)" + std::to_string(sequence) + "," + rest + R"(,"seq":)" +
         std::to_string(sequence) + R"(,"ssrc":1001000})" + "\n";
}

void write(const std::string &path, const std::string &text) { std::ofstream(path) << text; }

// The text of the error that keeps the element from starting with these logs.
std::string refusal(const std::string &replay, const std::string &decisions = "") {
  const auto element = take(GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make("chaosdegrader", nullptr))));
  const OwnBus bus(element.get());
  g_object_set(element.get(), "replay-log", replay.c_str(), "decision-log", decisions.c_str(), nullptr);
  ck_assert_int_eq(gst_element_set_state(element.get(), GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  const auto message = take(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR));
  ck_assert(message != nullptr);
  GError *error = nullptr;
  gst_message_parse_error(message.get(), &error, nullptr);
  const std::string text = take(error)->message;
  gst_element_set_state(element.get(), GST_STATE_NULL);
  return text;
}

}  // namespace

// 840 packets, 40 of them audio, through each model of the link; recorded in lists, repeated one by one.
GST_START_TEST(every_model_is_repeated_packet_by_packet) {
  LogFolder logs;
  std::map<std::string, unsigned> seen;
  unsigned one_marked = 0;
  auto models = every_model();
  models.push_back({"marks on one of two",
                    {.duplicate_percent = 30,
                     .bandwidth_kbps = 7000,
                     .queue_discipline = net::QueueDiscipline::pi2,
                     .ecn = net::EcnMode::ect0}});
  for (const Model &model : models) {
    const std::string recorded = logs.fresh(), repeated = logs.fresh();
    const Outcome first = run(model.settings, recorded, "", true, nothing);
    ck_assert_int_eq(first.log.size(), kFrames * 21);
    same(run(kNothingPasses, repeated, recorded, false, nothing), first, model.name);
    for (const auto &text : first.log) {
      seen[field_of(text, "fate")]++;
      one_marked += field_of(text, "ce") != field_of(text, "copy_ce");
    }
  }
  ck_assert_int_eq(seen.size(), 6);  // else a fate went without proof
  ck_assert_int_gt(one_marked, 0);
}
GST_END_TEST;

// All at once, the link's own settings and three spikes. Repeated with neither, each packet's fate is the same; events
// hold up those behind them that would overtake, so the moments are the same only where the events are there as well.
GST_START_TEST(a_whole_run_with_spikes_is_repeated_with_them_and_without) {
  LogFolder logs;
  const net::Impairment all{.frame_drop_percent = 3,
                            .loss_percent = 3,
                            .delay_ms = 30,
                            .jitter_ms = 10,
                            .allow_reordering = true,
                            .duplicate_percent = 5,
                            .corrupt_percent = 5,
                            .bandwidth_kbps = 9000,
                            .queue_ms = 60};
  const auto spikes = [](LinkBench &bench, unsigned frame) {
    const struct {
      const char *type;
      unsigned from, to;
      spike::Params params;
    } rows[] = {{"rtp_packet_loss", 5, 25, {{"loss_percent", 20.0}}},
                {"bandwidth_limit", 10, 30, {{"bandwidth_kbps", 4000.0}}},
                {"network_jitter", 12, 20, {{"base_latency_ms", 30.0}, {"jitter_std_dev_ms", 10.0}}}};
    for (const auto &row : rows) {
      const SpikeStart start{row.type, row.type, ms(row.from * 20), ms(row.to * 20), row.params};
      if (frame == row.from) bench.send(give(make_event(start, Direction::downstream)));
      if (frame == row.to) bench.send(give(make_event(SpikeEnd{row.type, ms(row.to * 20)}, Direction::downstream)));
    }
  };
  const std::string recorded = logs.fresh(), repeated = logs.fresh(), again = logs.fresh();
  const Outcome first = run(all, recorded, "", true, spikes);
  same(run(kNothingPasses, repeated, recorded, false, spikes), first, "with the spikes");
  ck_assert(run({}, again, repeated, true, nothing).log == first.log);  // from the replay's own log
}
GST_END_TEST;

// The log has 0, 1 (under another sequence number) and 3 of these packets.
GST_START_TEST(what_the_log_does_not_have_passes_unharmed_counted_and_is_told_once) {
  const TempFile log;
  const std::string lost = R"("fate":"lost","delay_us":0)";
  write(log.path, line(0, lost) + R"({"stream":"1001/video","n":1,"fate":"lost","delay_us":0,"seq":9,"ssrc":1001000})" +
                      "\n" + line(3, lost));
  Bench b("loss-percent=100 replay-log=" + log.path);
  for (std::uint16_t n = 0; n < 6; n++)
    gst_harness_push(b.h.get(), give(packet_of({{96, false, false, n, 0, kSsrc}, 100, ms(n)})));
  std::vector<std::uint16_t> out;
  for (const auto &buffer : b.out_now()) out.push_back(header_of(bytes_of(buffer.get())).sequence);
  ck_assert((out == std::vector<std::uint16_t>{1, 2, 4, 5}));
  ck_assert_int_eq(b.stat("replay-missing"), 4);
  ck_assert_int_eq(b.stat("dropped-loss"), 2);
  const auto warnings = warnings_on(b.bus.get());
  ck_assert_int_eq(warnings.size(), 1);
  expect_text(warnings[0], "replay-log: has no line for some packets; they pass unharmed (counted as replay-missing)");
}
GST_END_TEST;

GST_START_TEST(a_log_that_cannot_be_read_stops_the_start) {
  const TempFile log;
  write(log.path, line(0, R"("fate":"sent","delay_us":0)") + line(1, R"("fate":"eaten","delay_us":0)"));
  expect_text(refusal(log.path), "replay-log: \"" + log.path + "\", line 2: fate cannot be \"eaten\"");
  expect_text(refusal("/nonexistent/log"), "replay-log: \"/nonexistent/log\" is no file");
  expect_text(refusal("/dev/zero"), "replay-log: \"/dev/zero\" is no file");
  // A mended log is read anew, although its name is known.
  write(log.path, line(0, R"("fate":"lost","delay_us":0)"));
  Bench b("replay-log=" + log.path);
  gst_harness_push(b.h.get(), give(packet_of({{96, false, false, 0, 0, kSsrc}, 100, 0})));
  ck_assert_int_eq(b.stat("dropped-loss"), 1);
}
GST_END_TEST;

GST_START_TEST(a_log_is_never_overwritten_by_its_own_repetition) {
  const TempFile log;
  const std::string text = line(0, R"("fate":"sent","delay_us":0)");
  write(log.path, text);
  expect_text(refusal(log.path, log.path), "replay-log: is the file that decision-log would overwrite");
  expect_text(log.text(), text);
}
GST_END_TEST;

// For playing locally: the longest delay there will be.
GST_START_TEST(the_latency_reported_is_the_longest_delay_of_the_log) {
  const TempFile log;
  write(log.path, line(0, R"("fate":"sent","delay_us":70000)") + line(1, R"("fate":"sent","delay_us":20000)"));
  Bench b("delay-ms=5 report-latency=true replay-log=" + log.path);
  ck_assert_int_eq(gst_harness_query_latency(b.h.get()), ms(70));
}
GST_END_TEST;

AVC_GST_TESTS("chaosdegrader_replay", every_model_is_repeated_packet_by_packet,
              a_whole_run_with_spikes_is_repeated_with_them_and_without,
              what_the_log_does_not_have_passes_unharmed_counted_and_is_told_once,
              a_log_that_cannot_be_read_stops_the_start, a_log_is_never_overwritten_by_its_own_repetition,
              the_latency_reported_is_the_longest_delay_of_the_log)
