// Runs on disk, as they happen: one SQLite database in the state directory with a row per run, per second and per
// spike, and the finished report. What is written survives the process: a run that is found unfinished when the
// database is opened is marked interrupted, and its report is put together from its rows.
//
// A full or failing disk never stops a run: the failure is counted, one warning is given, and what could not be
// written is missing from the history. Main context only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "launcher/results/samples.hpp"

namespace avc::results {

class History {
 public:
  // The database `file`, made if it is not there. The error's field is "state_dir".
  static Result<std::unique_ptr<History>> open(const std::string &file);
  ~History();
  History(const History &) = delete;
  History &operator=(const History &) = delete;

  struct Run {
    std::string test_id, started_at, state;  // state: running, or the reason it ended
    std::string result;                      // of the verdict; empty while running
    std::uint32_t participants = 0;
    double planned_seconds = 0, duration_seconds = 0;
  };

  // A run with an id that is there already replaces it.
  void begin(const RunFacts &facts, const std::vector<SpikeRecord> &plan);
  void second(const std::string &test_id, const Sample &sample);
  void spike(const std::string &test_id, const SpikeRecord &spike);
  void finish(const RunResult &run);
  void forget(const std::string &test_id);

  std::vector<Run> runs() const;  // newest first
  // report.json of a run that has ended, in this life of the daemon or an earlier one.
  std::optional<std::string> report_json(const std::string &test_id) const;

  std::uint64_t failures() const;            // writes that did not succeed
  const std::string &first_failure() const;  // for the one warning; empty while all is well

 private:
  struct Impl;
  explicit History(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace avc::results
