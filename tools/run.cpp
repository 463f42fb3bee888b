// `avchaos run`: carries a scenario to a daemon, shows what happens, brings the result home. Everything that decides
// (plan, samples, thresholds, verdict) is the daemon's; here are the waiting, the stopping and the files.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <system_error>

#include <glib.h>

#include "tools/commands.hpp"
#include "tools/common/json.hpp"
#include "tools/common/signals.hpp"
#include "tools/common/sse.hpp"
#include "tools/render/live.hpp"
#include "tools/render/report.hpp"
#include "tools/render/terminal.hpp"
#include "tools/scenario.hpp"

namespace avc::tools {
namespace fs = std::filesystem;
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kSilence(3);      // without an event for so long, the state is asked for
constexpr int kLostAfter = 5;       // unanswered questions in a row
constexpr seconds kStopWithin(20);  // from our stop to the end of the test
constexpr seconds kReportWithin(20);
constexpr const char *kDecisions = "decisions.jsonl";

// A turn of the main context at least every 100 ms.
class Ticks {
 public:
  Ticks()
      : source_(g_timeout_add(
            100, [](gpointer) noexcept -> gboolean { return G_SOURCE_CONTINUE; }, nullptr)) {}
  ~Ticks() { g_source_remove(source_); }
  Ticks(const Ticks &) = delete;
  Ticks &operator=(const Ticks &) = delete;
  void wait() { g_main_context_iteration(nullptr, TRUE); }
  void wait_for(milliseconds span) {
    for (const auto until = Clock::now() + span; Clock::now() < until;) wait();
  }

 private:
  guint source_;
};

// The test on the server: followed until it is over, stopped if we are told to.
class Follower {
 public:
  Follower(Server &server, const Created &test, render::Terminal &terminal, bool quiet, double display_seconds,
           const StopSignals &signals)
      : server_(server),
        test_(test),
        terminal_(terminal),
        quiet_(quiet),
        plain_every_(display_seconds),
        signals_(signals) {}

  void follow() {
    EventStream events(server_.url() + test_path(test_, "/events"), server_.http().token(),
                       [this](const ServerEvent &event) { take(event); });
    heard_ = Clock::now();
    server_.http().expect("POST", test_path(test_, "/start"), "{}", Exit::no_start);
    while (!live_.over()) {
      ticks_.wait();
      if (const auto why = server_.death()) throw Failure(Exit::other, *why);
      if (signals_.asked() && !stop_by_) stop();
      if (stop_by_ && Clock::now() > *stop_by_)
        throw Failure(Exit::signal, server_.url() + ": the test did not stop within 20 s");
      if (Clock::now() - heard_ > kSilence) ask_state();
      show(live_.over());
    }
    terminal_.end_block();
  }

  bool stopped_by_us() const { return stop_by_.has_value(); }
  Ticks &ticks() { return ticks_; }

 private:
  void take(const ServerEvent &event) {
    const auto parsed = parse_json(event.data);
    if (!parsed) return;
    heard_ = Clock::now();
    const Json json(parsed->get());
    if (event.type == "state") {
      const std::string before = live_.state;
      live_.take_state(json);
      const std::string reason = json["reason"].text_or("");
      if (live_.state != before && live_.state != "stopping" && !reason.empty()) say(live_.state + ": " + reason);
    } else if (event.type == "sample") {
      live_.take_sample(json);
    } else if (event.type == "spike") {
      if (const std::string news = live_.take_spike(json); !news.empty())
        say(render::moment(json["at_seconds"].number_or(live_.elapsed)) + "  " + news);
    }
  }

  void ask_state() {
    heard_ = Clock::now();
    const auto reply = server_.http().request("GET", test_path(test_, ""), {}, seconds(5));
    if (reply && reply->ok()) {
      unanswered_ = 0;
      if (const auto parsed = parse_json(reply->body)) live_.take_state(Json(parsed->get()));
      return;
    }
    if (reply && reply->status == 404) throw Failure(Exit::other, "the daemon forgot test " + test_.test_id);
    if (++unanswered_ >= kLostAfter)
      throw Failure(Exit::other, "lost the daemon at " + (reply ? problem_line(*reply) : reply.error().text()));
  }

  void stop() {
    stop_by_ = Clock::now() + kStopWithin;
    say("stopping the test (Ctrl-C again: leave at once)");
    const auto reply = server_.http().request("POST", test_path(test_, "/stop"), "{}", seconds(15));
    if (!reply)
      say("stop: " + reply.error().text());
    else if (!reply->ok() && reply->status != 409)
      say("stop: " + problem_line(*reply));
  }

  void say(const std::string &text) {
    if (!quiet_) terminal_.line(render::wrapped(text, terminal_.columns(), 7));
  }

  void show(bool last) {
    if (quiet_) return;
    const auto now = Clock::now();
    if (terminal_.is_tty()) {
      terminal_.block(render::live_block(live_, terminal_.columns(), terminal_.paint()), now, last);
    } else if (last || now - plain_ >= plain_every_) {
      plain_ = now;
      terminal_.line(render::live_line(live_));
    }
  }

  Server &server_;
  const Created &test_;
  render::Terminal &terminal_;
  const bool quiet_;
  const std::chrono::duration<double> plain_every_;
  const StopSignals &signals_;
  Ticks ticks_;
  render::Live live_;
  Clock::time_point heard_{}, plain_ = Clock::now();
  std::optional<Clock::time_point> stop_by_;
  int unanswered_ = 0;
};

std::string local_time() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  localtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y%m%d-%H%M%S", &parts);
  return text;
}

// The directory for the report, made before the test starts, so that a run is not lost to a full or foreign disk.
class ReportDirectory {
 public:
  explicit ReportDirectory(const std::string &asked) : named_(!asked.empty()) {
    path_ = named_ ? fs::path(asked) : fs::path("avchaos-report") / local_time();
    std::error_code fault;
    for (int n = 2; !named_ && fs::exists(path_, fault); ++n)
      path_ = fs::path("avchaos-report") / (local_time() + "-" + std::to_string(n));
    try {
      make_directory(path_);
    } catch (const Failure &failure) {
      throw Failure(Exit::no_start, failure.what());
    }
  }
  ~ReportDirectory() {
    std::error_code ignored;
    if (!written_ && !named_) fs::remove(path_, ignored);  // only if empty
  }
  ReportDirectory(const ReportDirectory &) = delete;
  ReportDirectory &operator=(const ReportDirectory &) = delete;

  void write(const char *name, std::string_view content) {
    write_file(path_ / name, content);
    written_ = true;
  }
  // A file that goes with its own directory; false if there is none.
  bool keep(const char *name, const fs::path &from) {
    std::error_code fault;
    if (!fs::is_regular_file(from, fault)) return false;
    fs::rename(from, path_ / name, fault);
    if (fault) fs::copy_file(from, path_ / name, fs::copy_options::overwrite_existing, fault);  // another file system
    if (fault) throw Failure(Exit::other, (path_ / name).string() + ": " + fault.message());
    written_ = true;
    return true;
  }
  void finish() {
    if (!named_) point_link(path_.parent_path() / "latest", path_.filename());
  }
  const fs::path &path() const { return path_; }

 private:
  bool named_, written_ = false;
  fs::path path_;
};

// report.json is there a moment after the test is over; 409 until then.
std::string fetch_report(Server &server, const Created &test, Ticks &ticks) {
  for (const auto until = Clock::now() + kReportWithin;;) {
    const auto reply = server.http().request("GET", test_path(test, "/report.json"));
    if (!reply) throw Failure(Exit::other, reply.error().text());
    if (reply->ok()) return reply->body;
    if (reply->status != 409 || Clock::now() > until)
      throw Failure(Exit::other, server.url() + test_path(test, "/report.json") + ": " + problem_line(*reply));
    ticks.wait_for(milliseconds(200));
  }
}

// The scenario as it was run, with the seed it got: running it again injects the same chaos.
std::string repeatable(Json report) {
  const auto scenario = parse_json(report["scenario"].json());
  if (!scenario) throw Failure(Exit::other, "report.json: its scenario cannot be read: " + scenario.error().message);
  if (const auto fault = set_path(scenario->get(), "seed", report["seed_text"].text_or("")))
    throw Failure(Exit::other, "report.json: its scenario: " + fault->text());
  return to_text(scenario->get(), true) + "\n";
}

// A daemon that is not ours keeps its log.
bool keep_decisions(const Server &server, const Created &test, ReportDirectory &directory) {
  const auto state = server.state_directory();
  return state && directory.keep(kDecisions, *state / (test.test_id + "." + kDecisions));
}

Exit exit_of_verdict(Json report, bool strict, bool signalled) {
  const Json verdict = report["verdict"];
  Exit code = exit_from_number(static_cast<int>(verdict["exit_code"].number_or(1)));
  if (verdict["result"].text_or("") == "warned") code = strict ? Exit::warnings : Exit::ok;
  return signalled ? worse(code, Exit::signal) : code;
}

void introduce(render::Terminal &terminal, const Server &server, const ScenarioText &scenario, Json plan) {
  terminal.line(scenario.name + ": " + render::counted(plan["participants"].number_or(0), "participant") +
                render::joining(plan) + ", " + render::clock(plan["duration_seconds"].number_or(0)) + ", " +
                render::counted(static_cast<double>(plan["spikes"].size()), "spike") + ", seed " +
                plan["seed"].scalar());
  terminal.line("daemon: " + server.url() + (server.is_own() ? " (ours, ends with this run)" : ""));
}

}  // namespace

Exit run(const RunOptions &options) {
  if (options.dry_run) return plan({options.scenario, options.base_url, options.overrides, options.json});
  const StopSignals signals;
  const ScenarioText scenario = load_scenario(options.scenario, options.overrides);
  render::Terminal terminal(options.json ? stderr : stdout);
  std::string note;
  Server server = server_for(scenario, options.base_url, note);
  if (!note.empty()) terminal.line(note);
  if (signals.asked()) return Exit::signal;
  const Created test = create_test(server, scenario);
  const auto planned = parse_json(fetch_plan(server, test));
  if (!options.quiet) {
    introduce(terminal, server, scenario, Json(planned ? planned->get() : nullptr));
    for (const auto &warning : test.warnings)
      terminal.line(terminal.paint()(render::Colour::yellow, "warning: ") + warning);
  }
  ReportDirectory directory(options.report_dir);
  Follower follower(server, test, terminal, options.quiet, scenario.display_seconds, signals);
  follower.follow();

  const std::string text = fetch_report(server, test, follower.ticks());
  const auto report = parse_json(text);
  if (!report) throw Failure(Exit::other, server.url() + ": report.json cannot be read: " + report.error().message);
  directory.write("report.json", text);
  directory.write("report.html", server.http().expect("GET", test_path(test, "/report.html")).body);
  directory.write("samples.csv", server.http().expect("GET", test_path(test, "/report.csv")).body);
  const Json json(report->get());
  if (json["scenario"].is_object()) directory.write("scenario.json", repeatable(json));
  const bool decisions = keep_decisions(server, test, directory);
  directory.finish();

  if (!options.quiet) terminal.text(render::report_text(json, terminal.columns(), terminal.paint()));
  if (options.quiet && !options.json) terminal.text(render::verdict_line(json, terminal.columns(), terminal.paint()));
  terminal.line("report: " + (directory.path() / "report.html").string());
  if (!options.quiet && json["scenario"].is_object())
    terminal.line("repeat: avchaos run " + (directory.path() / "scenario.json").string());
  if (!options.quiet && decisions) terminal.line("replay: avchaos replay " + (directory.path() / kDecisions).string());
  if (options.json) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fputc('\n', stdout);
  }
  return exit_of_verdict(json, options.strict, follower.stopped_by_us());
}

}  // namespace avc::tools
