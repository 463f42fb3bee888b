#include "launcher/results/history.hpp"

#include <sqlite3.h>
#include <stdlib.h>

#include <filesystem>

#include "launcher/results/json.hpp"
#include "launcher/results/recorder.hpp"
#include "tests/check.hpp"
#include "tests/launcher/results/build.hpp"

namespace {

using namespace avc;
using namespace avc::results;
using avc::test::participant;
using avc::test::planned;
using avc::test::seconds;

// A folder of its own, removed with everything in it.
class Folder {
 public:
  Folder() {
    std::string pattern = std::filesystem::temp_directory_path() / "avc-history-XXXXXX";
    ck_assert(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string file(const char *name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

RunFacts facts(const char *id) {
  return {.test_id = id,
          .seed = 18446744073709551615u,
          .scenario_json = R"({"num_participants":1})",
          .started_at = "2026-01-02T03:04:05Z",
          .planned_seconds = 10,
          .participants = 1,
          .target = "loopback",
          .has_receiver = true,
          .warnings = {"first", "second"},
          .environment = {{"cpu", "two cores"}}};
}

// Three seconds and an active spike, written as the daemon writes them.
Recorder write_three_seconds(History &history, const char *id) {
  Recorder recorder;
  recorder.begin(facts(id), std::vector{planned("a", "rtp_packet_loss", 2, 5)}, {});
  history.begin(facts(id), recorder.result().spikes);
  for (int t = 1; t <= 3; ++t) {
    const std::vector all{participant(1001, 50 * t)};
    history.second(id, recorder.second(seconds(t), all, {.late_p99_ms = 1.5}));
    if (t != 2) continue;
    recorder.spike_changed(recorder.result().spikes[0].plan, SpikeState::active, seconds(2), all);
    history.spike(id, recorder.result().spikes[0]);
  }
  return recorder;
}

bool contains(const std::string &text, const std::string &part) { return text.find(part) != std::string::npos; }

START_TEST(a_finished_run_is_there_after_a_restart_as_it_was_reported) {
  const Folder folder;
  std::string report;
  {
    const auto history = *History::open(folder.file("h.db"));
    auto recorder = write_three_seconds(*history, "one");
    const auto &run = recorder.finish(EndReason::completed, "", seconds(3));
    report = report_json(run);
    history->finish(run);
  }
  const auto history = *History::open(folder.file("h.db"));
  const auto again = history->report_json("one");
  ck_assert(again.has_value());
  ck_assert_str_eq(again->c_str(), report.c_str());
  const auto runs = history->runs();
  ck_assert_uint_eq(runs.size(), 1);
  ck_assert_str_eq(runs[0].state.c_str(), "completed");
  ck_assert_str_eq(runs[0].result.c_str(), "passed");
  ck_assert_double_eq(runs[0].duration_seconds, 3);
}
END_TEST

START_TEST(a_run_cut_off_by_a_crash_is_found_and_marked_interrupted) {
  const Folder folder;
  const auto crashed = *History::open(folder.file("h.db"));
  write_three_seconds(*crashed, "one");
  // The crash: what is on disk now, log included, without the connection ever being closed.
  std::filesystem::copy(folder.file("h.db"), folder.file("copy.db"));
  std::filesystem::copy(folder.file("h.db-wal"), folder.file("copy.db-wal"));
  const auto history = *History::open(folder.file("copy.db"));
  const auto runs = history->runs();
  ck_assert_uint_eq(runs.size(), 1);
  ck_assert_str_eq(runs[0].state.c_str(), "interrupted");
  ck_assert_double_eq(runs[0].duration_seconds, 3);
  const auto report = history->report_json("one");
  ck_assert(report.has_value());
  for (const char *part :
       {R"("test_id":"one")", R"("reason":"interrupted")", R"("result":"invalid")", R"("seed":18446744073709551615)",
        R"("spike_id":"a")", R"("state":"active")", R"("t":3)", R"("warnings":["first","second"])",
        R"("environment":{"cpu":"two cores"})", R"("scenario":{"num_participants":1})", R"("spikes_active":["a"])"})
    ck_assert_msg(contains(*report, part), "%s is missing in %s", part, report->c_str());
  ck_assert(contains(*report, R"("sent":{"packets":150)"));
}
END_TEST

START_TEST(samples_read_back_are_those_that_were_written) {
  const Folder folder;
  const auto crashed = *History::open(folder.file("h.db"));
  auto recorder = write_three_seconds(*crashed, "one");
  Sample sample = recorder.result().samples.back();
  sample.t = 4;
  sample.sent = {1, 2, 3, 4.5, 5.5, 6.5, 7.5, 8.5, 3.5, 9.5};
  sample.received = {10, -1, 12.5, 13.5, std::nullopt, 15.5, 16, 17.5, 18.5, 19};
  sample.generator = {20.5, 21, 22};
  crashed->second("one", sample);
  std::filesystem::copy(folder.file("h.db"), folder.file("copy.db"));
  std::filesystem::copy(folder.file("h.db-wal"), folder.file("copy.db-wal"));
  const auto report = (*History::open(folder.file("copy.db")))->report_json("one");
  auto written = to_json(sample);
  written.pop_back();  // the newline
  ck_assert_msg(contains(*report, written), "%s is not in %s", written.c_str(), report->c_str());
}
END_TEST

START_TEST(a_running_test_has_no_report_yet_and_an_unknown_one_none) {
  const Folder folder;
  const auto history = *History::open(folder.file("h.db"));
  write_three_seconds(*history, "one");
  ck_assert(!history->report_json("one"));
  ck_assert(!history->report_json("two"));
}
END_TEST

START_TEST(forgetting_removes_a_run_and_a_new_one_may_take_its_name) {
  const Folder folder;
  const auto history = *History::open(folder.file("h.db"));
  write_three_seconds(*history, "one");
  write_three_seconds(*history, "two");
  history->forget("one");
  ck_assert_uint_eq(history->runs().size(), 1);
  write_three_seconds(*history, "one");
  write_three_seconds(*history, "one");
  ck_assert_uint_eq(history->runs().size(), 2);
  ck_assert(history->runs()[0].test_id == "one");
  ck_assert_uint_eq(history->failures(), 0);
}
END_TEST

START_TEST(a_write_that_fails_is_counted_and_the_next_one_works) {
  const Folder folder;
  const auto history = *History::open(folder.file("h.db"));
  auto recorder = write_three_seconds(*history, "one");
  sqlite3 *other = nullptr;
  ck_assert_int_eq(sqlite3_open(folder.file("h.db").c_str(), &other), SQLITE_OK);
  ck_assert_int_eq(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  const std::vector all{participant(1001, 200)};
  history->second("one", recorder.second(seconds(4), all, {}));
  ck_assert_uint_eq(history->failures(), 1);
  ck_assert(!history->first_failure().empty());
  sqlite3_exec(other, "ROLLBACK", nullptr, nullptr, nullptr);
  sqlite3_close(other);
  history->second("one", recorder.second(seconds(5), all, {}));
  ck_assert_uint_eq(history->failures(), 1);
}
END_TEST

START_TEST(a_place_that_cannot_hold_a_database_is_an_error_that_names_it) {
  const Folder folder;
  const auto missing = History::open(folder.file("no/such/folder.db"));
  ck_assert(!missing);
  ck_assert_str_eq(missing.error().field.c_str(), "state_dir");
  FILE *file = std::fopen(folder.file("text.db").c_str(), "w");
  std::fputs("this is a text file and no database, however long one looks at it\n", file);
  std::fclose(file);
  const auto text = History::open(folder.file("text.db"));
  ck_assert(!text);
  ck_assert(contains(text.error().message, "not a database"));
}
END_TEST

START_TEST(a_database_of_a_newer_version_is_left_alone) {
  const Folder folder;
  sqlite3 *db = nullptr;
  sqlite3_open(folder.file("h.db").c_str(), &db);
  sqlite3_exec(db, "PRAGMA user_version=99", nullptr, nullptr, nullptr);
  sqlite3_close(db);
  const auto history = History::open(folder.file("h.db"));
  ck_assert(!history);
  ck_assert(contains(history.error().message, "newer version"));
}
END_TEST

}  // namespace

AVC_TESTS("history", a_finished_run_is_there_after_a_restart_as_it_was_reported,
          a_run_cut_off_by_a_crash_is_found_and_marked_interrupted, samples_read_back_are_those_that_were_written,
          a_running_test_has_no_report_yet_and_an_unknown_one_none,
          forgetting_removes_a_run_and_a_new_one_may_take_its_name,
          a_write_that_fails_is_counted_and_the_next_one_works,
          a_place_that_cannot_hold_a_database_is_an_error_that_names_it, a_database_of_a_newer_version_is_left_alone)
