#include "launcher/daemon.hpp"

#include <glib.h>

#include <algorithm>
#include <filesystem>
#include <iomanip>
#include <sstream>
#include <thread>

#include "launcher/calibration.hpp"
#include "launcher/plugin.hpp"
#include "launcher/results/environment.hpp"
#include "launcher/session/trace_file.hpp"

namespace avc::launcher {
namespace {

constexpr unsigned kMostContexts = 4;

unsigned processors() { return std::max(1u, std::thread::hardware_concurrency()); }

// Named from the working directory; what a test names is looked for in the media directories.
std::string absolute(const std::string &path) { return path.empty() ? path : std::filesystem::absolute(path).string(); }

std::vector<std::string> with(std::vector<std::string> list, const std::string &one) {
  list.push_back(one);
  return list;
}

// All faults in one line: each names its profile and setting.
Result<json::Conditions> read_conditions(const std::string &path, const session::MediaDirectories &media) {
  if (path.empty()) return json::Conditions();
  const auto text = read_text_file(path);
  if (!text) return Error{"--profiles", text.error().message};
  auto parsed = json::Conditions::parse(*text, session::remembering(media));
  if (const auto *faults = std::get_if<1>(&parsed)) {
    std::string line;
    for (const Error &fault : *faults) line += (line.empty() ? "" : "; ") + fault.text();
    return Error{"--profiles", path + ": " + line};
  }
  return std::get<0>(parsed).with({});  // handlers bring eyes of their own
}

// Viewers come the way that requests do.
std::vector<std::string> ice_addresses(const Config &config) {
  if (!config.ice_addresses.empty()) return config.ice_addresses;
  if (config.listen_host == "localhost") return {"127.0.0.1"};
  if (is_loopback_host(config.listen_host)) return {config.listen_host};
  return {};
}

api::Settings settings_of(const Config &config) {
  api::Settings settings{
      .partition = {config.partition, config.partitions},
      .targets = session::TargetPolicy(config.allow_targets),
      .target_environment = {config.udp_target_host, config.udp_target_port, config.in_kubernetes},
      .ice = {.addresses = ice_addresses(config), .relay_only = config.ice_relay_only},
      .turn = {config.turn_host, config.turn_username, config.turn_password, config.turn_replicas},
      .media = session::MediaDirectories(config.media_dirs,
                                         {config.media_path, config.media_video_path, config.media_audio_path}),
      .logs = session::MediaDirectories(with(config.media_dirs, config.state_dir)),
      .own_media = {absolute(config.media_path), absolute(config.media_video_path), absolute(config.media_audio_path)},
      .state_dir = config.state_dir,
      .contexts = config.contexts > 0 ? config.contexts : std::min(kMostContexts, processors()),
      .process_start_unix = static_cast<double>(g_get_real_time()) / 1e6,
  };
  return settings;
}

Calibration calibration_of(const Config &config) {
  std::string machine;
  for (const auto &[name, value] : results::environment())
    if (name == results::kProcessor) machine = value;
  std::vector<std::string> paths{config.calibration};
  if (config.calibration.empty())
    paths = {config.state_dir + "/calibration.json", config.own_state_dir + "/calibration.json"};
  return find_calibration(paths, machine, read_text_file);
}

// Never a fault: without a calibration there is a guess.
api::Check check_of(const Calibration &calibration, const session::Capacity &capacity) {
  const double each = session::packets_per_second(scenario::Scenario());
  const auto count = [&](bool received) { return std::to_string(static_cast<int>(capacity.room(received) / each)); };
  std::ostringstream cost;
  cost << std::setprecision(3) << calibration.cost.sender * 1e6 << " µs a packet, " << calibration.cost.receiver * 1e6
       << " µs to receive it: about " << count(false) << " participants of 2.5 Mbit/s, " << count(true)
       << " where this daemon receives them too";
  if (!calibration.path.empty()) return {"capacity", true, cost.str(), ""};
  const std::string why = calibration.warning.empty() ? "not calibrated" : calibration.warning;
  return {"capacity", true, why + "; a guess: " + cost.str(), "avchaos doctor --calibrate measures it"};
}

}  // namespace

Daemon::Daemon(const Config &config) : config_(config) {}

Daemon::~Daemon() {
  server_.reset();  // before what its handlers call
  router_.reset();
  rtsp_.reset();
  context_.reset();
}

Result<std::string> Daemon::start() {
  std::error_code fault;
  std::filesystem::create_directories(config_.state_dir, fault);
  if (fault) return Error{"--state-dir", config_.state_dir + ": " + fault.message()};
  auto lock = StateLock::take(config_.state_dir);
  if (!lock) return lock.error();
  lock_ = std::move(*lock);
  auto history = results::History::open(config_.state_dir + "/runs.sqlite");
  if (!history) return Error{"--state-dir", history.error().message};

  auto settings = settings_of(config_);
  auto conditions = read_conditions(config_.profiles, settings.media);
  if (!conditions) return conditions.error();
  settings.conditions = std::move(*conditions);
  if (config_.rtsp) settings.mounts = &mounts_;
  const Calibration calibration = calibration_of(config_);
  session::PoolLimits limits;
  limits.max_participants = config_.max_participants;
  limits.capacity = session::Capacity(calibration.cost, processors(), settings.contexts);
  settings.readiness = [state_dir = config_.state_dir, check = check_of(calibration, limits.capacity)] {
    auto checks = check_readiness(state_dir);
    checks.push_back(check);
    return checks;
  };
  context_ = std::make_unique<api::Context>(std::move(settings), limits, std::move(*history));
  router_ = std::make_unique<http::Router>(http::Gate{config_.token, config_.metrics_token});
  router_->add(api::routes(*context_));
  server_ = std::make_unique<http::Server>(*router_);
  auto url = server_->listen(config_.listen_host, config_.listen_port);
  if (!url) return Error{"--listen", url.error().message};
  if (config_.rtsp) {
    auto rtsp = rtsp::start_server({config_.rtsp->host, config_.rtsp->port, config_.token}, mounts_);
    if (!rtsp) return Error{"--rtsp", rtsp.error().message};
    rtsp_ = std::move(*rtsp);
  }
  return url;
}

void Daemon::stop(results::EndReason reason) {
  if (context_ != nullptr) context_->pool().stop_all(reason);
  if (server_ != nullptr) server_->close();
  if (context_ != nullptr) context_->settle();
}

}  // namespace avc::launcher
