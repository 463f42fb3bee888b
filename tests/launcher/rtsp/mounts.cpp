#include "launcher/rtsp/mounts.hpp"

#include "tests/check.hpp"

using namespace avc;
using rtsp::Mounts;
using rtsp::parse_path;

namespace {

GstClockTime now() {
  GstClock *clock = gst_system_clock_obtain();
  const GstClockTime time = gst_clock_get_time(clock);
  gst_object_unref(clock);
  return time;
}

spike::Planned planned(const char *id, std::vector<std::uint32_t> whom, double start, double end) {
  spike::Spike spike;
  spike.id = id;
  spike.type = "rtp_packet_loss";
  spike.participants = std::move(whom);
  return {spike, Instant{from_seconds(start)}, end < 0 ? Instant::never() : Instant{from_seconds(end)}};
}

// Ten seconds old; 1001 has been there from the start, 1002 since 5 s, 1003 comes at 60 s.
rtsp::Test a_test() {
  rtsp::Test test;
  test.seed = 7;
  test.base_time = now() - 10 * GST_SECOND;
  test.decision_log = "/s/t.decisions.jsonl";
  test.joins = {{1001, Nanos(0)}, {1002, from_seconds(5)}, {1003, from_seconds(60)}};
  test.spikes = {planned("over", {}, 1, 5), planned("on", {}, 8, 20), planned("endless", {1002}, 2, -1)};
  return test;
}

std::string ids(const std::vector<spike::Planned> &spikes) {
  std::string text;
  for (const auto &one : spikes) text += (text.empty() ? "" : " ") + one.spike.id;
  return text;
}

std::string spikes_for(Mounts &mounts, std::uint32_t participant) {
  const auto watched = mounts.watch({"t", participant});
  ck_assert(watched.has_value());
  return ids(mounts.add(*watched, nullptr));
}

}  // namespace

START_TEST(a_path_names_a_test_and_a_participant) {
  for (const char *good : {"/t/1001", "/t/1001/", "/t/1001/stream=0"}) {
    const auto path = parse_path(good);
    ck_assert_msg(path && path->test == "t" && path->participant == 1001, "%s", good);
    avc_assert_text(path->mount(), "/t/1001");
  }
  for (const char *bad : {"", "/", "t/1001", "/t", "/t/", "//1001", "/t//1001", "/t/x", "/t/1001x", "/t/01001", "/t/-1",
                          "/t/+1", "/t/4294967296", "/t/ 1"}) {
    ck_assert_msg(!parse_path(bad), "%s", bad);
  }
}
END_TEST

START_TEST(who_has_joined_a_test_that_runs_is_there) {
  Mounts mounts;
  ck_assert(!mounts.has({"t", 1001}));
  mounts.publish("t", a_test());
  ck_assert(mounts.has({"t", 1001}) && mounts.has({"t", 1002}));
  ck_assert(!mounts.has({"t", 1003}) && !mounts.has({"t", 1004}) && !mounts.has({"u", 1001}));
  ck_assert(!mounts.watch({"t", 1003}));
  rtsp::Test ahead = a_test();
  ahead.base_time = now() + GST_SECOND;
  mounts.publish("ahead", std::move(ahead));
  ck_assert(mounts.has({"ahead", 1001}) && !mounts.has({"ahead", 1002}));
}
END_TEST

START_TEST(a_withdrawn_test_is_told_of_once) {
  Mounts mounts;
  std::string told;
  mounts.on_withdrawn([&](const std::string &id) { told += id + " "; });
  mounts.publish("t", a_test());
  mounts.withdraw("never");
  mounts.withdraw("t");
  mounts.withdraw("t");
  avc_assert_text(told, "t ");
  ck_assert(!mounts.has({"t", 1001}) && !mounts.watch({"t", 1001}));
}
END_TEST

START_TEST(each_chain_has_a_thread_and_a_log_of_its_own) {
  Mounts mounts;
  mounts.publish("t", a_test());
  const auto first = mounts.watch({"t", 1001}), second = mounts.watch({"t", 1001});
  ck_assert(first && second && first->context != second->context);
  avc_assert_text(first->decision_log, "/s/t.decisions.1001.rtsp-1.jsonl");
  avc_assert_text(second->decision_log, "/s/t.decisions.1001.rtsp-2.jsonl");
  ck_assert_uint_eq(first->seed, 7);
  rtsp::Test quiet = a_test();
  quiet.decision_log.clear();
  mounts.publish("q", std::move(quiet));
  avc_assert_text(mounts.watch({"q", 1001})->decision_log, "");
}
END_TEST

START_TEST(a_chain_begins_with_the_spikes_that_are_not_over) {
  Mounts mounts;
  mounts.publish("t", a_test());
  avc_assert_text(spikes_for(mounts, 1001), "on");
  avc_assert_text(spikes_for(mounts, 1002), "on endless");
  mounts.inject("t", planned("now", {1001}, 10, 15));
  mounts.cancel("t", "endless");
  avc_assert_text(spikes_for(mounts, 1001), "on now");
  avc_assert_text(spikes_for(mounts, 1002), "on");
  mounts.inject("nobody", planned("x", {}, 1, 2));
  mounts.cancel("nobody", "x");
}
END_TEST

int main() {
  gst_init(nullptr, nullptr);
  return avc::test::run("rtsp_mounts", {a_path_names_a_test_and_a_participant, who_has_joined_a_test_that_runs_is_there,
                                        a_withdrawn_test_is_told_of_once, each_chain_has_a_thread_and_a_log_of_its_own,
                                        a_chain_begins_with_the_spikes_that_are_not_over});
}
