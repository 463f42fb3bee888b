#include "core/net/replay.hpp"

#include <string>

#include "tests/check.hpp"

using namespace avc;
using namespace std::chrono_literals;
using net::Recording;
using net::Replay;
using net::Stream;

namespace {

constexpr net::Track kVideo{1001, Stream::video, 1001000};

std::string line(const std::string &n, const std::string &rest) {
  return R"({"stream":"1001/video","n":)" + n + "," + rest + R"(,"seq":)" + n + R"(,"ssrc":1001000})" + "\n";
}

Replay replay_of(const std::string &log) {
  const auto recording = Recording::parse(log);
  ck_assert_msg(static_cast<bool>(recording), "%s", recording ? "" : recording.error().message.c_str());
  return Replay(*recording);
}

void refuses(const std::string &log, std::string_view message) {
  const auto recording = Recording::parse(log);
  ck_assert(!recording);
  avc_assert_text(recording.error().message, message);
}

net::Drop::Why why(const std::optional<net::Verdict> &verdict) {
  ck_assert(verdict && std::holds_alternative<net::Drop>(*verdict));
  return std::get<net::Drop>(*verdict).why;
}

net::Send sent(const std::optional<net::Verdict> &verdict) {
  ck_assert(verdict && std::holds_alternative<net::Send>(*verdict));
  return std::get<net::Send>(*verdict);
}

}  // namespace

START_TEST(each_fate_comes_again_from_the_packets_arrival_on) {
  auto replay = replay_of(
      line("0", R"("fate":"sent","delay_us":25000.001)") + line("1", R"("fate":"lost","delay_us":0.000)") +
      line("2", R"("fate":"queue-dropped","delay_us":0)") + line("3", R"("fate":"frame-dropped","delay_us":0)") +
      line("4", R"("fate":"corrupted","delay_us":1.5,"bit":77)") +
      line("5", R"("fate":"duplicated","delay_us":10,"copy_delay_us":20,"bit":3,"copy_bit":4)") +
      line("6", R"("fate":"duplicated","delay_us":10,"copy_delay_us":0)") +
      line("7", R"("fate":"sent","delay_us":7,"ce":true)") +
      line("8", R"("fate":"duplicated","delay_us":7,"copy_delay_us":7,"copy_ce":true)"));
  const Instant now{3s};
  std::uint16_t n = 0;
  const auto next = [&] {
    const auto verdict = replay.verdict(kVideo, n, n, now);
    n++;
    return verdict;
  };
  const auto plain = sent(next());
  ck_assert(plain.at == now + 25'000'001ns && !plain.corrupt_bit && !plain.duplicate && !plain.ce);
  ck_assert(why(next()) == net::Drop::Why::loss);
  ck_assert(why(next()) == net::Drop::Why::queue_full);
  ck_assert(why(next()) == net::Drop::Why::frame);
  const auto corrupted = sent(next());
  ck_assert(corrupted.at == now + 1500ns && corrupted.corrupt_bit == 77);
  const auto twice = sent(next());
  ck_assert(twice.at == now + 10us && twice.corrupt_bit == 3);
  ck_assert(twice.duplicate->at == now + 20us && twice.duplicate->corrupt_bit == 4);
  const auto clean = sent(next());
  ck_assert(!clean.corrupt_bit && clean.duplicate->at == now && !clean.duplicate->corrupt_bit);
  ck_assert(sent(next()).ce);
  const auto half_marked = sent(next());
  ck_assert(!half_marked.ce && half_marked.duplicate->ce);
  ck_assert(!next());
  ck_assert(replay.recording().packets() == 9 && replay.recording().longest_delay() == 25'000'001ns);
}
END_TEST

START_TEST(a_packet_is_found_by_participant_stream_ssrc_n_and_sequence_number) {
  auto replay = replay_of(line("7", R"("fate":"lost","delay_us":0)"));
  ck_assert(!replay.verdict({1002, Stream::video, 1001000}, 7, 7, Instant()));
  ck_assert(!replay.verdict({1001, Stream::audio, 1001000}, 7, 7, Instant()));
  ck_assert(!replay.verdict({1001, Stream::video, 1001001}, 7, 7, Instant()));
  ck_assert(!replay.verdict(kVideo, 6, 7, Instant()));
  ck_assert(!replay.verdict(kVideo, 7, 8, Instant()));
  ck_assert(replay.verdict(kVideo, 7, 7, Instant()));
}
END_TEST

START_TEST(each_line_is_used_once_in_the_order_of_the_log) {
  const std::string twice = line("5", R"("fate":"lost","delay_us":0)") + line("5", R"("fate":"sent","delay_us":1)");
  auto replay = replay_of(line("6", R"("fate":"frame-dropped","delay_us":0)") + twice);
  ck_assert(why(replay.verdict(kVideo, 5, 5, Instant())) == net::Drop::Why::loss);
  sent(replay.verdict(kVideo, 5, 5, Instant()));
  ck_assert(!replay.verdict(kVideo, 5, 5, Instant()));
  ck_assert(why(replay.verdict(kVideo, 6, 6, Instant())) == net::Drop::Why::frame);
}
END_TEST

START_TEST(of_several_lines_for_one_n_each_packet_gets_its_own) {
  const auto numbered = [](const char *sequence, const char *delay) {
    return R"({"stream":"1001/video","n":0,"fate":"sent","delay_us":)" + std::string(delay) + R"(,"seq":)" + sequence +
           R"(,"ssrc":1001000})" + "\n";
  };
  auto replay = replay_of(numbered("8", "1") + numbered("9", "2") + numbered("7", "3"));
  const auto delay_of = [&](std::uint16_t sequence) { return sent(replay.verdict(kVideo, 0, sequence, Instant())).at; };
  ck_assert(delay_of(9) == Instant{2us});
  ck_assert(delay_of(8) == Instant{1us});
  ck_assert(delay_of(7) == Instant{3us});
}
END_TEST

START_TEST(order_spaces_empty_lines_and_unknown_keys_do_not_matter) {
  auto replay = replay_of(
      "\n{ \"ssrc\": 1001000 , \"later\":\"x\",\"seq\":1,\"fate\":\"lost\",\r\"delay_us\":0,"
      "\"n\":1,\"stream\":\"1001/video\" }\r\n\n");
  ck_assert(why(replay.verdict(kVideo, 1, 1, Instant())) == net::Drop::Why::loss);
  ck_assert(replay_of("").recording().packets() == 0);
}
END_TEST

START_TEST(faults_name_line_and_reason) {
  const std::string good = line("0", R"("fate":"sent","delay_us":0)");
  const std::string_view object = "line 2: is no JSON object of plain values on one line";
  refuses(good + "lost\n", object);
  refuses(good + "{\"n\":1", object);
  refuses(good + "{\"n\":1}}", object);
  refuses(good + "{\"n\":1,}", object);
  refuses(good + R"({"n":[1]})", "line 2: n cannot be \"[1]\"");
  refuses(good + R"({"a\"b":1})", object);
  refuses("\n" + good + "{}", "line 3: stream is missing");
  refuses(R"({"stream":"1001/video","n":0,"fate":"sent","delay_us":1,"ssrc":1})", "line 1: seq is missing");
  refuses(line("-1", R"("fate":"sent","delay_us":0)"), "line 1: n cannot be \"-1\"");
  refuses(line("70000", R"("fate":"sent","delay_us":0)"), "line 1: seq cannot be \"70000\"");
  refuses(line("0", R"("fate":"eaten","delay_us":0)"), "line 1: fate cannot be \"eaten\"");
  refuses(line("0", R"("fate":"sent","delay_us":-1)"), "line 1: delay_us cannot be \"-1\"");
  refuses(line("0", R"("fate":"sent","delay_us":"1")"), "line 1: delay_us cannot be \"1\"");
  refuses(line("0", R"("fate":"sent","delay_us":1e99)"), "line 1: delay_us cannot be \"1e99\"");
  refuses(line("0", R"("fate":"duplicated","delay_us":1)"), "line 1: copy_delay_us is missing");
  refuses(line("0", R"("fate":"sent","delay_us":1,"copy_delay_us":1)"),
          "line 1: copy_delay_us belongs to duplicated packets only");
  refuses(line("0", R"("fate":"corrupted","delay_us":1)"), "line 1: bit is missing");
  refuses(line("0", R"("fate":"lost","delay_us":0,"bit":1)"),
          "line 1: bit belongs to corrupted and duplicated packets only");
  refuses(line("0", R"("fate":"corrupted","delay_us":0,"bit":1,"copy_bit":1)"),
          "line 1: copy_bit belongs to duplicated packets only");
  refuses(line("0", R"("fate":"sent","delay_us":0,"copy_ce":true)"),
          "line 1: copy_ce belongs to duplicated packets only");
  refuses(line("0", R"("fate":"sent","delay_us":0,"ce":1)"), "line 1: ce cannot be \"1\"");
  refuses(R"({"stream":"1001/smell"})", "line 1: stream cannot be \"1001/smell\"");
  refuses(R"({"stream":"/video"})", "line 1: stream cannot be \"/video\"");
}
END_TEST

AVC_TESTS("replay", each_fate_comes_again_from_the_packets_arrival_on,
          a_packet_is_found_by_participant_stream_ssrc_n_and_sequence_number,
          each_line_is_used_once_in_the_order_of_the_log, of_several_lines_for_one_n_each_packet_gets_its_own,
          order_spaces_empty_lines_and_unknown_keys_do_not_matter, faults_name_line_and_reason)
