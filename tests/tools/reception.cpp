#include "tools/render/reception.hpp"

#include "tests/tools/same.hpp"
#include "tools/common/json.hpp"

using namespace avc;
using namespace avc::tools;
using namespace avc::tools::render;

namespace {

ReceivedStream stream(std::uint32_t participant, net::Stream media, std::int64_t expected, std::int64_t lost) {
  ReceivedStream out{participant, participant * 1000 + (media == net::Stream::audio ? 1 : 0), media, {}};
  out.stats.packets_expected = expected;
  out.stats.packets_lost = lost;
  out.stats.packets_received = expected - lost;
  out.stats.bytes_received = (expected - lost) * 1000;
  out.stats.loss_runs = lost;
  out.stats.jitter_ms_sum = 1.5 * static_cast<double>(expected - lost);
  out.stats.jitter_samples = expected - lost;
  if (media == net::Stream::video) {
    out.stats.frames_complete = 90;
    out.stats.frames_broken = 8;
    out.stats.frames_lost = 2;
    out.stats.freeze_count = 1;
    out.stats.freeze_time = from_ms(450);
  }
  return out;
}

Reception two_participants() {
  Reception all;
  all.seconds = 10;
  all.streams = {stream(1001, net::Stream::video, 1000, 50), stream(1001, net::Stream::audio, 500, 0),
                 stream(1002, net::Stream::video, 1000, 0)};
  all.rtcp_packets = 4;
  return all;
}

}  // namespace

START_TEST(the_final_block_splits_and_sums_up) {
  ck_same(reception_block(two_participants(), true, 0, {}),
          "\n"
          "Received in 00:10\n"
          "\n"
          "packets         2 450 (245.0/s)\n"
          "bytes           2.5 MB (2.0 Mbit/s)\n"
          "video           1 950 (79.6 %)\n"
          "audio           500 (20.4 %)\n"
          "other           0 RTP, 4 RTCP, 0 that are neither\n"
          "streams         3 (SSRC) of 2 participants\n"
          "loss            2.00 % (50 packets), 0 duplicates, 0 out of order\n"
          "jitter          1.5 ms\n"
          "MOS             4.41 (audio)\n"
          "frames          180 complete, 16 broken, 4 lost, 2 freezes (0.9 s)\n"
          "kernel drops    0\n"
          "\n"
          "participant  packets  loss %  jitter ms   MOS  frames  complete %  freezes\n"
          "───────────  ───────  ──────  ─────────  ────  ──────  ──────────  ───────\n"
          "1001           1 450    3.33        1.5  4.41      90        90.0        1\n"
          "1002           1 000    0.00        1.5     –      90        90.0        1\n");
}
END_TEST

START_TEST(drops_of_our_own_socket_are_no_loss) {
  Reception all = two_participants();
  all.kernel_drops = 7;
  const std::string text = reception_block(all, false, 0, {});
  ck_assert_msg(text.find("kernel drops    7 in our own socket: not the network's loss\n") != std::string::npos, "%s",
                text.c_str());
  ck_assert(text.find("loss            2.00 %") != std::string::npos);
}
END_TEST

START_TEST(many_participants_are_cut_short_unless_asked_for) {
  Reception all;
  all.seconds = 1;
  for (std::uint32_t id = 1001; id < 1009; ++id) all.streams.push_back(stream(id, net::Stream::video, 10, 0));
  const std::string few = reception_block(all, false, 0, {});
  ck_assert(few.find("1005") != std::string::npos && few.find("1006") == std::string::npos);
  ck_assert(few.ends_with("and 3 more (--per-participant shows all)\n"));
  ck_assert(reception_block(all, true, 0, {}).find("1008") != std::string::npos);
}
END_TEST

START_TEST(nothing_received_gives_no_percentages) {
  Reception all;
  all.seconds = 3;
  const std::string text = reception_block(all, true, 0, {});
  ck_assert(text.find("video           0 (–)\n") != std::string::npos);
  ck_assert(text.find("loss            – % (0 packets)") != std::string::npos);
  ck_assert(text.find("nan") == std::string::npos);
  ck_same(reception_line({}, all),
          "00:03  0 participants  0 packets/s  0 kbit/s  loss – %  jitter – ms  MOS –  frames complete – %");
}
END_TEST

START_TEST(a_line_is_about_the_time_since_the_one_before) {
  const Reception before = two_participants();
  Reception now = before;
  now.seconds = 12;
  now.streams[0].stats.packets_expected += 100;
  now.streams[0].stats.packets_lost += 50;
  now.streams[0].stats.packets_received += 50;
  now.streams[0].stats.bytes_received += 50000;
  now.streams[0].stats.jitter_ms_sum += 100;
  now.streams[0].stats.jitter_samples += 50;
  ck_same(reception_line(before, now),
          "00:12  2 participants  25 packets/s  200 kbit/s  loss 50.0 %  jitter 2.0 ms  MOS –  frames complete – %");
}
END_TEST

START_TEST(the_json_has_the_same_figures) {
  const auto root = parse_json(reception_json(two_participants()));
  ck_assert(static_cast<bool>(root));
  const Json json(root->get());
  ck_assert_double_eq(json["packets"].number_or(0), 2450);
  ck_assert_double_eq_tol(json["loss_percent"].number_or(0), 2, 1e-9);
  ck_assert_uint_eq(json["participants"].size(), 2);
  ck_assert_double_eq(json["participants"].at(1)["participant_id"].number_or(0), 1002);
  ck_assert(!json["participants"].at(1)["mos_score"].exists());
}
END_TEST

AVC_TESTS("tools_reception", the_final_block_splits_and_sums_up, drops_of_our_own_socket_are_no_loss,
          many_participants_are_cut_short_unless_asked_for, nothing_received_gives_no_percentages,
          a_line_is_about_the_time_since_the_one_before, the_json_has_the_same_figures)
