// What people see, letter by letter.
#include "tools/render/live.hpp"
#include "tools/render/report.hpp"
#include "tools/render/terminal.hpp"

#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

#include "tests/tools/same.hpp"

using namespace avc;
using namespace avc::tools;
using namespace avc::tools::render;

namespace {

// A parsed text that outlives the views into it.
struct Doc {
  explicit Doc(const std::string &text) : root(*parse_json(text)) {}
  Json json() const { return Json(root.get()); }
  Ptr<JsonNode> root;
};

const char *const kSample = R"({"t":12,"participants":10,"spikes_active":["loss-1"],
  "sent":{"packets":12000,"packets_per_second":1420,"kbps":11234,"lost_percent":9.84,"delay_ms":12.4,"mos_score":3.4},
  "received":{"loss_percent":9.71,"delay_ms":null,"jitter_ms":1.1,"mos_score":null,"frames_complete_percent":71.25,"freezes":3},
  "generator":{"late_p99_ms":0.31,"send_errors":0}})";

Live running() {
  Live live;
  live.take_state(Doc(R"({"state":"running","elapsed_seconds":11,"duration_seconds":30})").json());
  live.take_sample(Doc(kSample).json());
  live.take_spike(Doc(R"({"spike_id":"loss-1","type":"rtp_packet_loss","state":"active","participants":5})").json());
  return live;
}

std::string joined(const std::vector<std::string> &lines) {
  std::string out;
  for (const auto &line : lines) out += line + "\n";
  return out;
}

const char *const kReport = R"({"verdict":{"result":"failed","exit_code":99,"reasons":["loss_percent avg<5: was 9.8"]},
  "sent":{"packets":142000,"bytes":123400000,"frames":3000,"lost_percent":1},
  "received":{"packets":140580,"loss_percent":1.0,"jitter_ms":1.234,"mos_score":4.31,"frames_complete_percent":97.12,
              "freezes":3,"participants_seen":10},
  "generator":{"late_p99_ms":0.41,"late_max_ms":2.5,"send_errors":0,"receiver_kernel_drops":4},
  "spikes":[
    {"spike_id":"loss-1","type":"rtp_packet_loss","start_seconds":5,"end_seconds":15,"participants":5,"state":"ended",
     "figures":[{"name":"packet loss","unit":"%","decimals":1,"injected":10.04,"before":0,"during":9.91,"after":null},
                {"name":"frames left out","unit":"%","decimals":1,"injected":30},
                {"name":"freezes","unit":"","decimals":0,"injected":null,"before":0,"during":3,"after":0}],
     "mixed":true},
    {"spike_id":"jump","type":"network_jitter","start_seconds":20,"participants":0,"state":"refused",
     "reason":"no such participant"},
    {"spike_id":"late","type":"blackout","start_seconds":25,"participants":0,"state":"cancelled","injected_text":""}],
  "thresholds":[{"metric":"loss_percent","expr":"avg<5","value":9.8,"ok":false,"severity":"fail","text":"loss_percent avg<5: was 9.8"},
                {"metric":"mos_score","expr":"avg>3","value":4.3,"ok":true,"text":"mos_score avg>3: was 4.3"}],
  "warnings":["spacing shrunk to 2 s"]})";

}  // namespace

START_TEST(the_live_block_says_what_goes_on) {
  ck_same(joined(live_block(running(), 100, {})),
          "████████████████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  40 %  00:18 left  running\n"
          "10 participants, 1 420 packets/s, 11.2 Mbit/s, 0.3 ms late\n"
          "              loss   delay  jitter     MOS  frames freezes\n"
          "injected     9.8 %   12 ms            3.40\n"
          "measured     9.7 %       –  1.1 ms       –  71.2 %       3\n"
          "spikes    loss-1 (rtp_packet_loss on 5 participants)\n");
}
END_TEST

START_TEST(no_line_is_wider_than_the_terminal) {
  Paint paint;
  paint.on = true;
  for (std::size_t columns = 1; columns < 130; ++columns)
    for (const auto &line : live_block(running(), columns, paint))
      ck_assert_msg(width_of(line) <= columns, "%zu: %s", columns, line.c_str());
}
END_TEST

START_TEST(before_the_first_sample_there_is_a_bar_and_a_state) {
  Live live;
  live.take_state(Doc(R"({"state":"running","preparing":true})").json());
  ck_same(joined(live_block(live, 50, {})), "░░░░░░░░░░░░░░00:00  preparing media\nspikes    none\n");
  ck_same(live_line(live), "00:00  preparing media");
}
END_TEST

START_TEST(a_log_gets_one_line_with_the_same_figures) {
  ck_same(live_line(running()),
          "00:12/00:30  10 participants  11.2 Mbit/s  injected: loss 9.8 %, delay 12 ms  "
          "measured: loss 9.7 %, jitter 1.1 ms, MOS –  spikes: loss-1");
}
END_TEST

START_TEST(a_sample_of_the_tests_last_moment_does_not_replace_a_seconds_rates) {
  Live live = running();
  live.take_sample(Doc(R"({"t":12.003,"sent":{"kbps":0,"packets_per_second":0,"mos_score":0}})").json());
  ck_assert_double_eq(live.sent->kbps, 11234);
  ck_assert_double_eq(live.elapsed, 12.003);
  live.take_sample(Doc(R"({"t":13,"sent":{"kbps":7}})").json());
  ck_assert_double_eq(live.sent->kbps, 7);
}
END_TEST

START_TEST(spikes_are_told_once_when_they_start_and_end) {
  Live live = running();
  const Doc again(R"({"spike_id":"loss-1","type":"rtp_packet_loss","state":"active","participants":5})");
  ck_same(live.take_spike(again.json()), "");
  ck_same(live.take_spike(Doc(R"({"spike_id":"b","type":"blackout","state":"active","participants":1})").json()),
          "spike b started: blackout on 1 participant");
  ck_same(live.take_spike(Doc(R"({"spike_id":"loss-1","state":"ended"})").json()), "spike loss-1 ended");
  ck_same(live.take_spike(Doc(R"({"spike_id":"x","type":"blackout","state":"refused","reason":"no 7"})").json()),
          "spike x (blackout) refused: no 7");
  ck_same(live.take_spike(Doc(R"({"spike_id":"later","state":"planned"})").json()), "");
  ck_assert_uint_eq(live.active.size(), 1);
}
END_TEST

START_TEST(the_report_sets_injected_against_measured) {
  ck_same(report_text(Doc(kReport).json(), 0, {}),
          "\n"
          "Injected versus measured\n"
          "\n"
          "                        injected   before   during    after\n"
          "loss-1  rtp_packet_loss, 5 participants, 00:05 – 00:15\n"
          "  packet loss, %            10.0      0.0      9.9        –\n"
          "  frames left out, %        30.0\n"
          "  freezes                               0        3        0\n"
          "  other spikes acted on some of these participants too\n"
          "jump  network_jitter, all participants, 00:20 – end\n"
          "  refused: no such participant\n"
          "late  blackout, all participants, 00:25 – end\n"
          "  cancelled before it began\n"
          "\n"
          "sent       142 000 packets, 123.4 MB, 3 000 frames, 1.00 % of packets lost by chaos\n"
          "received   140 580 packets, loss 1.00 %, jitter 1.2 ms, MOS 4.31, 97.1 % of frames complete, 3 freezes, "
          "10 participants seen\n"
          "generator  99 % of deadlines at most 0.4 ms late, worst 2.5 ms, 0 send errors, 4 packets dropped by the "
          "receiver's own socket\n"
          "\n"
          "✗ loss_percent avg<5: was 9.8\n"
          "✓ mos_score avg>3: was 4.3\n"
          "warning: spacing shrunk to 2 s\n"
          "\n"
          "FAILED: loss_percent avg<5: was 9.8\n");
}
END_TEST

START_TEST(no_line_of_the_report_is_wider_than_sixty_columns) {
  Paint paint;
  paint.on = true;
  const std::string text = report_text(Doc(kReport).json(), 60, paint);
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t to = text.find('\n', from);
    ck_assert_msg(width_of(text.substr(from, to - from)) <= 60, "%s", text.substr(from, to - from).c_str());
    from = to + 1;
  }
  ck_assert(text.find("seen\ngenerator  99 % of") != std::string::npos);
}
END_TEST

START_TEST(an_empty_report_is_said_to_be_one) {
  ck_same(report_text(Doc(R"({"received":null})").json(), 0, {}),
          "\nInjected versus measured\n\nNo spikes were injected.\n\n"
          "received   not measured (no receiver reported)\n\nUNKNOWN\n");
}
END_TEST

START_TEST(the_plan_lists_what_will_happen) {
  const Doc plan(R"({"test_id":"t","seed":7,"strategy":"even","duration_seconds":30,"participants":10,
    "spikes":[{"spike_id":"a","type":"rtp_packet_loss","start_seconds":5,"end_seconds":9.6,"participant_ids":[1001,1002],
               "params":{"loss_percentage":10,"pattern":"burst"}},
              {"spike_id":"b","type":"audio_silence","start_seconds":20,"params":{}}],
    "load":{"packets_per_second":2670,"mbit_per_second":26.25},"warnings":["w"]})");
  ck_same(plan_text(plan.json(), 0, {}),
          "10 participants for 00:30, seed 7, strategy even\n"
          "expected load: 2 670 packets/s, 26.2 Mbit/s\n"
          "\n"
          "spike  type             when              on  parameters\n"
          "─────  ───────────────  ───────────────  ───  ─────────────────────────────────\n"
          "a      rtp_packet_loss  00:05 – 00:09.6    2  loss_percentage 10, pattern burst\n"
          "b      audio_silence    00:20 – end      all\n"
          "warning: w\n");
  const Doc ramp(R"({"participants":1500,"duration_seconds":90,"seed":7,"strategy":"even","spikes":[],
    "load":{"packets_per_second":400000,"mbit_per_second":4000},"ramp":{"seconds":30,"spawn_rate":50},"warnings":[]})");
  ck_same(plan_text(ramp.json(), 0, {}),
          "1 500 participants, joining over 30 s, for 01:30, seed 7, strategy even\n"
          "expected load: 400 000 packets/s, 4000.0 Mbit/s when all have joined\n"
          "\n"
          "No spikes are planned.\n");
}
END_TEST

START_TEST(what_is_not_a_terminal_gets_no_escapes_and_no_block) {
  std::FILE *file = std::tmpfile();
  {
    Terminal terminal(file);
    ck_assert(!terminal.is_tty());
    ck_assert_uint_eq(terminal.columns(), 0);
    terminal.block({"drawn"}, Terminal::Clock::now(), true);
    terminal.line(terminal.paint()(Colour::red, "kept"));
  }
  std::rewind(file);
  char text[64] = "";
  const std::size_t got = std::fread(text, 1, sizeof text - 1, file);
  std::fclose(file);
  ck_same(std::string(text, got), "kept\n");
}
END_TEST

START_TEST(a_terminal_is_drawn_in_place_four_times_a_second_and_lines_stay_above) {
  unsetenv("TERM");
  setenv("NO_COLOR", "1", 1);
  int master = -1, slave = -1;
  const winsize size{24, 40, 0, 0};
  ck_assert_int_eq(openpty(&master, &slave, nullptr, nullptr, &size), 0);
  std::FILE *file = fdopen(slave, "w");
  {
    Terminal terminal(file);
    ck_assert(terminal.is_tty());
    ck_assert(!terminal.paint().on);
    ck_assert_uint_eq(terminal.columns(), 40);
    const auto start = Terminal::Clock::now();
    terminal.block({"a", "b"}, start);
    terminal.block({"too", "soon"}, start + std::chrono::milliseconds(249));
    terminal.block({"c", "d"}, start + std::chrono::milliseconds(250));
    terminal.line("kept");
    terminal.end_block();
    terminal.line("after");
  }
  std::string text;  // the kernel may hand it over in pieces
  for (char byte = 0; !text.ends_with("after\r\n") && read(master, &byte, 1) == 1;) text += byte;
  std::fclose(file);
  close(master);
  ck_same(text,
          "a\r\nb\r\n"
          "\x1b[2A\rc\x1b[K\r\nd\x1b[K\r\n\x1b[J"
          "\x1b[2A\rkept\x1b[K\r\nc\x1b[K\r\nd\x1b[K\r\n\x1b[J"
          "after\r\n");
}
END_TEST

AVC_TESTS("tools_render", the_live_block_says_what_goes_on, no_line_is_wider_than_the_terminal,
          before_the_first_sample_there_is_a_bar_and_a_state, a_log_gets_one_line_with_the_same_figures,
          a_sample_of_the_tests_last_moment_does_not_replace_a_seconds_rates,
          spikes_are_told_once_when_they_start_and_end, the_report_sets_injected_against_measured,
          no_line_of_the_report_is_wider_than_sixty_columns, an_empty_report_is_said_to_be_one,
          the_plan_lists_what_will_happen, what_is_not_a_terminal_gets_no_escapes_and_no_block,
          a_terminal_is_drawn_in_place_four_times_a_second_and_lines_stay_above)
