// What the report says of each type of spike: which figures, with what was injected and measured.
#include "launcher/results/figures.hpp"

#include "core/spike/effect.hpp"
#include "launcher/results/windows.hpp"
#include "tests/check.hpp"
#include "tests/launcher/results/build.hpp"

namespace {

using namespace avc;
using namespace avc::results;
using avc::test::participant;

// A second of one participant in which every counter moved.
struct Second {
  Snapshots before{participant(1001, 100)}, after{participant(1001, 200, 10)};
  std::vector<std::uint32_t> ids{1001};

  Second() {
    auto &now = after[0];
    now.sent_of(Media::audio).duplicated = 20;
    now.sent_of(Media::audio).corrupted = 5;
    now.sent_of(Media::audio).queue_dropped = 3;
    now.sent_ahead = 25;
    now.rtcp_packets = 4;
    now.rtcp_lost = 1;
    now.flood_packets = 60;
    now.flood_seen = 50;
    auto &received = now.received_of(Media::audio);
    received.packets_duplicated = 9;
    received.packets_reordered = 18;
    auto &video = now.received_of(Media::video);
    video.packets_received = video.packets_expected = 1;
    video.keyframes_complete = 2;
    now.sent_of(Media::video).packets = 1;
  }
  Injected injected() const { return injected_between({1, &before}, {2, &after}, ids); }
  Window measured() const { return measured_between({1, &before}, {2, &after}, ids); }

  SpikeRecord spike(std::string type, spike::Params params = {}) const {
    SpikeRecord record;
    record.plan.spike.type = std::move(type);
    record.plan.spike.params = std::move(params);
    record.state = SpikeState::ended;
    record.injected = injected();
    record.during = measured();
    return record;
  }
};

const Figure *find(const std::vector<Figure> &figures, std::string_view name) {
  for (const Figure &figure : figures)
    if (figure.name == name) return &figure;
  return nullptr;
}

constexpr double kTolerance = 1e-9;

}  // namespace

START_TEST(shares_are_of_what_went_into_the_link_and_of_what_arrived) {
  const Second second;
  const auto injected = second.injected();
  const double packets = 101;  // 100 audio, 1 video
  ck_assert_double_eq_tol(*injected.duplicate_percent, 2000 / packets, kTolerance);
  ck_assert_double_eq_tol(*injected.corrupt_percent, 500 / packets, kTolerance);
  ck_assert_double_eq_tol(*injected.sent_ahead_percent, 2500 / packets, kTolerance);
  ck_assert_double_eq_tol(*injected.rtcp_loss_percent, 25, kTolerance);
  ck_assert_double_eq_tol(*injected.flood_per_second, 60, kTolerance);
  const auto measured = second.measured();
  const double arrived = 91;
  ck_assert_double_eq_tol(*measured.duplicate_percent, 900 / arrived, kTolerance);
  ck_assert_double_eq_tol(*measured.reordered_percent, 1800 / arrived, kTolerance);
  ck_assert_double_eq_tol(*measured.keyframes_per_minute, 120, kTolerance);
  ck_assert_double_eq_tol(*measured.flood_per_second, 50, kTolerance);
}
END_TEST

START_TEST(every_type_has_the_figures_it_is_about) {
  const struct {
    const char *type, *figure;
    bool injected, measured;
    spike::Params params = {};
  } cases[] = {
      {"rtp_packet_loss", "packet loss", true, true},
      {"network_jitter", "delay", false, false},  // nothing was delayed here, but the row below
      {"network_jitter", "jitter", false, true},
      {"bandwidth_limit", "bitrate", true, true},
      {"packet_duplicate", "duplicates", true, true},
      {"packet_reorder", "sent ahead of others", true, false},
      {"packet_reorder", "out of order", false, true},
      {"packet_corrupt", "corrupted", true, false},
      {"blackout", "delivered", true, true},
      {"keyframe_loss", "whole keyframes", false, true},
      {"keyframe_loss", "packet loss", true, true},
      {"rtcp_loss", "RTCP loss", true, false},
      {"network_profile", "bitrate", true, true, {{"profile", "3g"}}},
      {"network_profile", "packet loss", true, true, {{"profile", "3g"}}},
      {"link_trace", "bitrate", true, true, {{"trace", "lte"}}},
      {"link_trace", "bitrate", false, true, {{"trace", "/some/file"}}},
      {"packet_flood", "flood packets", true, true},
      {"participant_leave", "bitrate", true, true},
      {"sequence_jump", "packet loss", true, true},
      {"timestamp_jump", "jitter", false, true},
      {"ice_restart", "bitrate", false, true},
      {"srtp_rekey", "without connection", false, false},  // none was replaced
  };
  const Second second;
  for (const auto &one : cases) {
    const auto record = second.spike(one.type, one.params);
    const auto figures = figures_of(record);
    const Figure *figure = find(figures, one.figure);
    if (!one.injected && !one.measured) {
      ck_assert_msg(!figure, "%s: %s", one.type, one.figure);
      continue;
    }
    ck_assert_msg(figure && figure->injected.has_value() == one.injected, "%s: %s", one.type, one.figure);
    ck_assert_msg(figure->during.has_value() == one.measured, "%s: %s", one.type, one.figure);
  }
}
END_TEST

START_TEST(every_type_that_acts_has_words_for_both_sides) {
  const Second second;
  for (const auto &type : spike::types()) {
    spike::Params params;
    if (type.name == "network_profile") params = {{"profile", "3g"}};
    if (type.name == "link_trace") params = {{"trace", "lte"}};
    const auto record = second.spike(std::string(type.name), params);
    ck_assert_msg(!injected_text(record).empty(), "%s", std::string(type.name).c_str());
    ck_assert_msg(!measured_text(record).empty(), "%s", std::string(type.name).c_str());
  }
}
END_TEST

START_TEST(of_connections_replaced_the_slowest_counts) {
  const Second second;
  auto record = second.spike("ice_restart");
  ck_assert(injected_text(record).starts_with("connections replaced: 0"));
  ck_assert(!find(figures_of(record), "without connection"));
  record.replaced_ms = {150, 420, 90};
  const auto all = figures_of(record);
  const auto *figure = find(all, "without connection");
  ck_assert_double_eq(*figure->injected, 420);
  ck_assert(figure->unit == "ms" && !figure->during);
  ck_assert(injected_text(record).starts_with("connections replaced: 3; away up to 420 ms"));
}
END_TEST

START_TEST(a_lines_rate_is_what_was_asked_for) {
  const Second second;
  const auto rate = [&](const char *type, spike::Params params) {
    return *find(figures_of(second.spike(type, std::move(params))), "bitrate")->injected;
  };
  ck_assert_double_eq(rate("bandwidth_limit", {{"bandwidth_kbps", "700"}}), 700);
  ck_assert_double_eq(rate("bandwidth_limit", {}), 1000);
  ck_assert_double_eq(rate("network_profile", {{"profile", "3g"}}), 1200);
  ck_assert_double_eq(rate("participant_leave", {}), 0);
  ck_assert(rate("link_trace", {{"trace", "lte"}}) > 1000);
}
END_TEST

AVC_TESTS("figures", shares_are_of_what_went_into_the_link_and_of_what_arrived, every_type_has_the_figures_it_is_about,
          every_type_that_acts_has_words_for_both_sides, of_connections_replaced_the_slowest_counts,
          a_lines_rate_is_what_was_asked_for)
