// The command line of `avchaos`: sub-commands, flags, help, and the only place that turns failures into exit codes.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "tools/commands.hpp"
#include "tools/common/words.hpp"

namespace avc::tools {
namespace {

struct Everything {
  RunOptions run;
  ReplayOptions replay;
  PlanOptions plan;
  ReceiveOptions receive;
  DoctorOptions doctor;
  std::string base_url;
  bool json = false;
};

void add_overrides(CLI::App &app, Overrides &overrides) {
  app.add_option("--seed", overrides.seed, "Seed of all chance (same seed, same losses)");
  app.add_option("--participants", overrides.participants, "Number of participants");
  app.add_option("--duration", overrides.duration, "Seconds, or a time such as 90s, 25m, 1h");
  app.add_option("--ramp", overrides.ramp, "Participants join one by one: 5/s, or over a time such as 30s");
  app.add_option("--set", overrides.set, "PATH=VALUE: any key of the scenario, such as video.fps=15 (repeatable)")
      ->allow_extra_args(false);
  app.add_option("--tag", overrides.tags, "NAME=VALUE to find the run by (repeatable)")->allow_extra_args(false);
  app.add_option("--note", overrides.note, "A remark kept with the result");
}

void add_report(CLI::App &app, RunOptions &options) {
  app.add_option("--report-dir", options.report_dir,
                 "Where the report goes; none: avchaos-report/TIME, linked as latest");
  app.add_flag("--json", options.json, "The report as JSON on standard output, progress on standard error");
  app.add_flag("--quiet", options.quiet, "Only the verdict and where the report is");
  app.add_flag("--strict", options.strict, "Warnings are exit code 98");
}

void add_run(CLI::App &app, RunOptions &options) {
  CLI::App *run = app.add_subcommand("run", "Run a scenario, show it live, report and judge it");
  run->add_option(
      "scenario,--config", options.scenario,
      "Scenario file (also an old config.json, also as -config FILE), - for standard input; none: the quickstart");
  run->add_option("--base-url", options.base_url, "Use the daemon there; none: the scenario's base_url, or an own one");
  add_overrides(*run, options.overrides);
  add_report(*run, options);
  run->add_flag("--dry-run", options.dry_run, "Show the plan and do not run");
  run->footer(exit_codes_help());
}

void add_replay(CLI::App &app, ReplayOptions &options) {
  CLI::App *replay = app.add_subcommand("replay", "Run a scenario again, every packet with its fate in a decision log");
  replay->add_option("log", options.log, "Decision log, as decisions.jsonl in a report's directory")->required();
  replay->add_option("--scenario", options.run.scenario,
                     "The scenario that the log was recorded with; none: scenario.json beside the log");
  replay->add_option("--base-url", options.run.base_url,
                     "Use the daemon there; the log is then in its state directory or a media directory");
  add_report(*replay, options.run);
  replay->footer(exit_codes_help());
}

void add_receive(CLI::App &app, ReceiveOptions &options) {
  CLI::App *receive = app.add_subcommand("receive", "Receive RTP over UDP, or over WebRTC, and measure every stream");
  receive->add_option("port,--port", options.port, "UDP port, RTCP on the next one (0: any free pair)")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  receive->add_option("--bind", options.bind, "Address to listen on")->capture_default_str();
  receive->add_option("--duration", options.duration, "Seconds, or a time such as 90s, 25m; none: until Ctrl-C");
  receive->add_flag("--json", options.json, "The final figures as JSON on standard output");
  receive->add_flag("--per-participant", options.per_participant, "Figures of every participant, not the first few");
  receive->add_flag("--rtcp", options.send_reports,
                    "Send receiver reports and extended ones back to those who send sender reports");
  receive->add_option("--whep", options.whep, "Instead of UDP: from these WHEP endpoints (URL…)");
  receive->add_option("--webrtc", options.webrtc,
                      "Instead of UDP: BASE_URL TEST [N|all], the first N participants of a test of the daemon there");
  receive->add_option("--token", options.token, "Bearer token for --whep and --webrtc; none: AVCHAOS_TOKEN");
  receive->add_option("--ice-address", options.ice_addresses, "Address of ours for --whep and --webrtc (repeatable)")
      ->allow_extra_args(false);
  receive
      ->add_option("--allow-target", options.allow_targets,
                   "Range outside loopback and private ones that may be asked (CIDR, repeatable)")
      ->allow_extra_args(false);
}

void add_others(CLI::App &app, Everything &all) {
  CLI::App *plan = app.add_subcommand("plan", "Show a scenario's spikes with times, and its load, without running it");
  plan->add_option("scenario", all.plan.scenario, "Scenario file, - for standard input; none: the quickstart");
  plan->add_option("--base-url", all.plan.base_url, "Ask the daemon there; none: the scenario's, or an own one");
  add_overrides(*plan, all.plan.overrides);
  plan->add_flag("--json", all.plan.json, "As JSON");

  CLI::App *doctor = app.add_subcommand("doctor", "Check this machine and say what to change");
  doctor->add_flag("--calibrate", all.doctor.calibrate,
                   "First measure what a packet costs here; the daemon admits tests by it");
  doctor->add_flag("--json", all.doctor.json, "As JSON");
  app.add_subcommand("spikes", "List spike types with parameters, ranges and defaults")
      ->add_flag("--json", all.json, "As JSON");
  CLI::App *profiles = app.add_subcommand("profiles", "List network profiles with their settings and sources");
  profiles->add_option("--base-url", all.base_url, "Those of the daemon there, its own file's too");
  profiles->add_flag("--json", all.json, "As JSON");
  app.add_subcommand("version", "Print the version");
}

std::vector<std::string> names_of(const CLI::App &app) {
  std::vector<std::string> names;
  for (const CLI::Option *option : app.get_options())
    for (const auto &name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

std::vector<std::string> commands_of(const CLI::App &app) {
  std::vector<std::string> names;
  for (const CLI::App *command : app.get_subcommands({})) names.push_back(command->get_name());
  return names;
}

std::string with_guess(const std::string &message, const std::string &word, const std::vector<std::string> &known) {
  const auto guess = did_you_mean(word.substr(0, word.find('=')), known);
  return guess ? message + "; did you mean " + *guess + "?" : message;
}

// The old tool's `-config FILE` has one dash, and no sub-command in front of it.
std::vector<std::string> arguments(int argc, char **argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  for (auto &word : words)
    if (word == "-config" || word.starts_with("-config=")) word.insert(0, "-");
  if (!words.empty() && (words[0] == "--config" || words[0].starts_with("--config=")))
    words.insert(words.begin(), "run");
  return words;
}

// Throws Failure(bad_input); an exit code is returned for --help and --version.
std::optional<int> parse(CLI::App &app, std::vector<std::string> words) {
  const auto commands = commands_of(app);
  if (!words.empty() && !words[0].starts_with('-') &&
      std::find(commands.begin(), commands.end(), words[0]) == commands.end())
    throw Failure(Exit::bad_input, with_guess("unknown command \"" + words[0] + "\"", words[0], commands));
  if (std::find(words.begin(), words.end(), "") != words.end())
    throw Failure(Exit::bad_input, "an argument is empty (a variable that is not set?)");
  try {
    std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
    app.parse(words);
  } catch (const CLI::Success &success) {  // --help
    return app.exit(success);
  } catch (const CLI::ExtrasError &) {
    const auto used = app.get_subcommands();
    const CLI::App &where = used.empty() ? app : *used.front();
    const auto extra = app.remaining(true);
    const std::string word = extra.empty() ? "" : extra.front();
    throw Failure(Exit::bad_input, with_guess("unexpected argument \"" + word + "\"", word, names_of(where)));
  } catch (const CLI::ParseError &error) {
    throw Failure(Exit::bad_input, error.what());
  }
  return std::nullopt;
}

int execute(int argc, char **argv) {
  Everything all;
  CLI::App app("Chaos for audio and video: sends real media, hurts it, measures what is left.", "avchaos");
  app.set_version_flag("--version", std::string("avchaos ") + AVC_VERSION);
  app.footer(exit_codes_help() + "\nAVCHAOS_TOKEN is sent to a daemon that asks for a token.");
  add_run(app, all.run);
  add_replay(app, all.replay);
  add_receive(app, all.receive);
  add_others(app, all);
  if (const auto code = parse(app, arguments(argc, argv))) return *code;
  const auto used = app.get_subcommands();
  const std::string command = used.empty() ? "" : used.front()->get_name();
  if (command == "run") return static_cast<int>(run(all.run));
  if (command == "replay") return static_cast<int>(replay(all.replay));
  if (command == "plan") return static_cast<int>(plan(all.plan));
  if (command == "receive") {
    const bool webrtc = !all.receive.whep.empty() || !all.receive.webrtc.empty();
    return static_cast<int>(webrtc ? subscribe(all.receive) : receive(all.receive));
  }
  if (command == "doctor") return static_cast<int>(doctor(all.doctor));
  if (command == "spikes") return static_cast<int>(spikes(all.json));
  if (command == "profiles") return static_cast<int>(profiles(all.base_url, all.json));
  if (command == "version") return static_cast<int>(version());
  std::fputs(app.help().c_str(), stdout);
  return 0;
}

}  // namespace
}  // namespace avc::tools

int main(int argc, char **argv) try {
  return avc::tools::execute(argc, argv);
} catch (const avc::tools::Failure &failure) {
  std::fprintf(stderr, "avchaos: %s\n", failure.what());
  return static_cast<int>(failure.code);
} catch (const std::exception &error) {
  std::fprintf(stderr, "avchaos: %s\n", error.what());
  return static_cast<int>(avc::tools::Exit::other);
}
