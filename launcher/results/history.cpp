#include "launcher/results/history.hpp"

#include <glib.h>

#include <utility>

#include "launcher/results/json.hpp"
#include "launcher/results/sqlite.hpp"
#include "launcher/results/verdict.hpp"

namespace avc::results {
namespace {

using sqlite::Statement;

constexpr int kFormat = 1;  // user_version of the database
constexpr const char *kSchema = R"(
  CREATE TABLE IF NOT EXISTS runs (
    run INTEGER PRIMARY KEY, test_id TEXT NOT NULL UNIQUE, seed INTEGER, scenario TEXT, started_at TEXT,
    planned_seconds REAL, participants INTEGER, target TEXT, has_receiver INTEGER, strict INTEGER,
    warnings TEXT, environment TEXT,
    state TEXT NOT NULL, result TEXT, duration_seconds REAL, report TEXT);
  CREATE TABLE IF NOT EXISTS samples (
    run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, t REAL NOT NULL, participants INTEGER, spikes_active TEXT,
    sent_packets INTEGER, sent_bytes INTEGER, sent_frames INTEGER, sent_packets_per_second REAL, sent_kbps REAL,
    sent_lost_percent REAL, sent_delay_ms REAL, sent_queue_ms REAL, sent_jitter_ms REAL, sent_mos_score REAL,
    received_packets INTEGER, received_lost INTEGER, received_loss_percent REAL, received_jitter_ms REAL,
    received_mos_score REAL, received_frames_complete_percent REAL, received_freezes INTEGER, received_kbps REAL,
    received_fps REAL, received_participants INTEGER,
    late_p99_ms REAL, send_errors INTEGER, receiver_kernel_drops INTEGER,
    PRIMARY KEY (run, t)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS spikes (
    run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, number INTEGER PRIMARY KEY, spike_id TEXT NOT NULL,
    json TEXT NOT NULL, UNIQUE (run, spike_id));
)";

// Lists kept in one column, a line each. Warnings and facts of the machine are single lines.
std::string joined(const std::vector<std::string> &lines) {
  std::string text;
  for (const auto &line : lines) text += line + '\n';
  return text;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> lines;
  for (std::size_t end; (end = text.find('\n')) != std::string_view::npos; text.remove_prefix(end + 1))
    lines.emplace_back(text.substr(0, end));
  return lines;
}

std::string joined(const std::vector<std::pair<std::string, std::string>> &pairs) {
  std::string text;
  for (const auto &[key, value] : pairs) text += key + '\t' + value + '\n';
  return text;
}

std::vector<std::pair<std::string, std::string>> split_pairs(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto &line : split(text)) {
    const auto tab = line.find('\t');
    pairs.emplace_back(line.substr(0, tab), tab == std::string::npos ? "" : line.substr(tab + 1));
  }
  return pairs;
}

template <class T>
T count(const Statement &row, int column) {
  return static_cast<T>(row.integer(column));
}

Sample sample_of(const Statement &row) {
  Sample out{.t = row.real(0), .participants = count<std::uint32_t>(row, 1), .spikes_active = split(row.text(2))};
  auto &sent = out.sent;
  sent = {.packets = count<std::uint64_t>(row, 3),
          .bytes = count<std::uint64_t>(row, 4),
          .frames = count<std::uint64_t>(row, 5),
          .packets_per_second = row.real(6),
          .kbps = row.real(7),
          .lost_percent = row.real(8),
          .delay_ms = row.real(9),
          .jitter_ms = row.real(11),
          .mos_score = row.real(12),
          .queue_ms = row.real(10)};
  if (!row.null(13))
    out.received = {.packets = count<std::uint64_t>(row, 13),
                    .lost = row.integer(14),
                    .loss_percent = row.real(15),
                    .jitter_ms = row.real(16),
                    .mos_score = row.maybe_real(17),
                    .frames_complete_percent = row.maybe_real(18),
                    .freezes = count<std::uint64_t>(row, 19),
                    .kbps = row.real(20),
                    .fps = row.real(21),
                    .participants_seen = count<std::uint32_t>(row, 22)};
  out.generator = {row.real(23), count<std::uint64_t>(row, 24), count<std::uint64_t>(row, 25)};
  return out;
}

}  // namespace

struct History::Impl {
  sqlite::Connection db;
  Statement insert_run, insert_sample, insert_spike, finish_run, delete_run;
  std::uint64_t failures = 0;
  std::string first_failure;

  Result<bool> prepare(const std::string &file);
  bool note(int code);  // counts a failure
  bool execute(const char *sql) { return note(sqlite3_exec(db.get(), sql, nullptr, nullptr, nullptr)); }
  std::vector<Sample> samples(std::int64_t run) const;
  std::vector<std::string> spikes(std::int64_t run) const;
};

bool History::Impl::note(int code) {
  if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW) return true;
  if (++failures == 1) {
    first_failure = sqlite3_errmsg(db.get());
    g_warning("history: %s; what is not written now will be missing there, tests go on", first_failure.c_str());
  }
  return false;
}

Result<bool> History::Impl::prepare(const std::string &file) {
  sqlite3 *raw = nullptr;
  const int opened =
      sqlite3_open_v2(file.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  db.reset(raw);
  const auto failed = [&] {
    return Error{"state_dir", "cannot use the history " + file + ": " + (db ? sqlite3_errmsg(db.get()) : "no memory")};
  };
  if (opened != SQLITE_OK) return failed();
  sqlite3_busy_timeout(db.get(), 100);  // a reader elsewhere does not hold us up; a second daemon must not
  Statement version(db.get(), "PRAGMA user_version");
  if (version.run() != SQLITE_ROW) return failed();
  if (version.integer(0) > kFormat)
    return Error{"state_dir", file + " was written by a newer version (format " + version.text(0) + ")"};
  if (version.next() != SQLITE_DONE) return failed();
  const std::string setup = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;" +
                            std::string(kSchema) + "PRAGMA user_version=" + std::to_string(kFormat) + ";" +
                            "UPDATE runs SET state='interrupted', result='invalid', duration_seconds="
                            "(SELECT max(t) FROM samples WHERE samples.run=runs.run) WHERE state='running';";
  if (sqlite3_exec(db.get(), setup.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return failed();
  insert_run = Statement(db.get(), R"(INSERT OR REPLACE INTO runs (test_id, seed, scenario, started_at, planned_seconds,
    participants, target, has_receiver, strict, warnings, environment, state)
    VALUES (?,?,?,?,?,?,?,?,?,?,?,'running'))");
  insert_sample = Statement(db.get(), R"(INSERT OR REPLACE INTO samples VALUES
    ((SELECT run FROM runs WHERE test_id=?),?,?,?, ?,?,?,?,?,?,?,?,?,?, ?,?,?,?,?,?,?,?,?,?, ?,?,?))");
  insert_spike = Statement(db.get(), R"(INSERT INTO spikes (run, spike_id, json)
    VALUES ((SELECT run FROM runs WHERE test_id=?),?,?) ON CONFLICT (run, spike_id) DO UPDATE SET json=excluded.json)");
  finish_run = Statement(db.get(), "UPDATE runs SET state=?, result=?, duration_seconds=?, report=? WHERE test_id=?");
  delete_run = Statement(db.get(), "DELETE FROM runs WHERE test_id=?");
  if (!insert_run || !insert_sample || !insert_spike || !finish_run || !delete_run) return failed();
  return true;
}

History::History(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
History::~History() = default;

Result<std::unique_ptr<History>> History::open(const std::string &file) {
  auto impl = std::make_unique<Impl>();
  if (const auto ready = impl->prepare(file); !ready) return ready.error();
  return std::unique_ptr<History>(new History(std::move(impl)));
}

void History::begin(const RunFacts &facts, const std::vector<SpikeRecord> &plan) {
  if (!impl_->execute("BEGIN")) return;
  impl_->note(impl_->insert_run.run(facts.test_id, static_cast<std::int64_t>(facts.seed), facts.scenario_json,
                                    facts.started_at, facts.planned_seconds, facts.participants, facts.target,
                                    facts.has_receiver, facts.strict, joined(facts.warnings),
                                    joined(facts.environment)));
  for (const auto &each : plan) spike(facts.test_id, each);
  if (!impl_->execute("COMMIT")) sqlite3_exec(impl_->db.get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void History::second(const std::string &test_id, const Sample &sample) {
  const auto &sent = sample.sent;
  const auto &received = sample.received;
  const auto of = [&](auto member) {
    using Value = std::decay_t<decltype((*received).*member)>;
    return received ? std::optional<Value>((*received).*member) : std::nullopt;
  };
  using In = Sample::Received;
  impl_->note(impl_->insert_sample.run(
      test_id, sample.t, sample.participants, joined(sample.spikes_active), sent.packets, sent.bytes, sent.frames,
      sent.packets_per_second, sent.kbps, sent.lost_percent, sent.delay_ms, sent.queue_ms, sent.jitter_ms,
      sent.mos_score, of(&In::packets), of(&In::lost), of(&In::loss_percent), of(&In::jitter_ms),
      of(&In::mos_score).value_or(std::nullopt), of(&In::frames_complete_percent).value_or(std::nullopt),
      of(&In::freezes), of(&In::kbps), of(&In::fps), of(&In::participants_seen), sample.generator.late_p99_ms,
      sample.generator.send_errors, sample.generator.receiver_kernel_drops));
}

void History::spike(const std::string &test_id, const SpikeRecord &spike) {
  impl_->note(impl_->insert_spike.run(test_id, spike.plan.spike.id, to_json(spike)));
}

void History::finish(const RunResult &run) {
  impl_->note(impl_->finish_run.run(name(run.ended), name(run.verdict.outcome), run.duration_seconds,
                                    results::report_json(run), run.facts.test_id));
}

void History::forget(const std::string &test_id) { impl_->note(impl_->delete_run.run(test_id)); }

std::vector<History::Run> History::runs() const {
  std::vector<Run> runs;
  Statement rows(impl_->db.get(),
                 "SELECT test_id, started_at, state, result, participants, planned_seconds, duration_seconds "
                 "FROM runs ORDER BY run DESC");
  for (int code = rows.run(); code == SQLITE_ROW; code = rows.next())
    runs.push_back({.test_id = rows.text(0),
                    .started_at = rows.text(1),
                    .state = rows.text(2),
                    .result = rows.text(3),
                    .participants = count<std::uint32_t>(rows, 4),
                    .planned_seconds = rows.real(5),
                    .duration_seconds = rows.real(6)});
  return runs;
}

std::vector<Sample> History::Impl::samples(std::int64_t run) const {
  std::vector<Sample> samples;
  Statement rows(db.get(), R"(SELECT t, participants, spikes_active, sent_packets, sent_bytes, sent_frames,
    sent_packets_per_second, sent_kbps, sent_lost_percent, sent_delay_ms, sent_queue_ms, sent_jitter_ms, sent_mos_score,
    received_packets, received_lost, received_loss_percent, received_jitter_ms, received_mos_score,
    received_frames_complete_percent, received_freezes, received_kbps, received_fps, received_participants,
    late_p99_ms, send_errors, receiver_kernel_drops FROM samples WHERE run=? ORDER BY t)");
  for (int code = rows.run(run); code == SQLITE_ROW; code = rows.next()) samples.push_back(sample_of(rows));
  return samples;
}

std::vector<std::string> History::Impl::spikes(std::int64_t run) const {
  std::vector<std::string> spikes;
  Statement rows(db.get(), "SELECT json FROM spikes WHERE run=? ORDER BY number");
  for (int code = rows.run(run); code == SQLITE_ROW; code = rows.next()) spikes.push_back(rows.text(0));
  return spikes;
}

std::optional<std::string> History::report_json(const std::string &test_id) const {
  Statement row(impl_->db.get(),
                R"(SELECT report, run, seed, scenario, started_at, planned_seconds, participants, target,
    has_receiver, strict, warnings, environment, state FROM runs WHERE test_id=?)");
  if (row.run(test_id) != SQLITE_ROW || row.text(12) == "running") return std::nullopt;
  if (!row.null(0)) return row.text(0);
  RunResult run;  // interrupted: what was written until then
  run.facts = {.test_id = test_id,
               .seed = count<std::uint64_t>(row, 2),
               .scenario_json = row.text(3),
               .started_at = row.text(4),
               .planned_seconds = row.real(5),
               .participants = count<std::uint32_t>(row, 6),
               .target = row.text(7),
               .has_receiver = row.integer(8) != 0,
               .strict = row.integer(9) != 0,
               .warnings = split(row.text(10)),
               .environment = split_pairs(row.text(11))};
  run.ended = EndReason::interrupted;
  run.samples = impl_->samples(row.integer(1));
  if (!run.samples.empty()) {
    const auto &last = run.samples.back();
    run.duration_seconds = last.t;
    run.generator = {.late_p99_ms = last.generator.late_p99_ms,
                     .send_errors = last.generator.send_errors,
                     .receiver_kernel_drops = last.generator.receiver_kernel_drops};
  }
  run.verdict = judge(run);
  return results::report_json(run, impl_->spikes(row.integer(1)));
}

std::uint64_t History::failures() const { return impl_->failures; }
const std::string &History::first_failure() const { return impl_->first_failure; }

}  // namespace avc::results
