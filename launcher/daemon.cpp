#include "launcher/daemon.hpp"

#include <glib.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "launcher/plugin.hpp"

namespace avc::launcher {
namespace {

constexpr unsigned kMostContexts = 4;

unsigned processors() { return std::max(1u, std::thread::hardware_concurrency()); }

// Named from the working directory; what a test names is looked for in the media directories.
std::string absolute(const std::string &path) { return path.empty() ? path : std::filesystem::absolute(path).string(); }

api::Settings settings_of(const Config &config) {
  api::Settings settings{
      .partition = {config.partition, config.partitions},
      .targets = session::TargetPolicy(config.allow_targets),
      .target_environment = {config.udp_target_host, config.udp_target_port, config.in_kubernetes},
      .media = session::MediaDirectories(config.media_dirs,
                                         {config.media_path, config.media_video_path, config.media_audio_path}),
      .own_media = {absolute(config.media_path), absolute(config.media_video_path), absolute(config.media_audio_path)},
      .state_dir = config.state_dir,
      .contexts = config.contexts > 0 ? config.contexts : std::min(kMostContexts, processors()),
      .readiness = [state_dir = config.state_dir] { return check_readiness(state_dir); },
      .process_start_unix = static_cast<double>(g_get_real_time()) / 1e6,
  };
  return settings;
}

}  // namespace

Daemon::Daemon(const Config &config) : config_(config) {}

Daemon::~Daemon() {
  server_.reset();  // before what its handlers call
  router_.reset();
  context_.reset();
}

Result<std::string> Daemon::start() {
  std::error_code fault;
  std::filesystem::create_directories(config_.state_dir, fault);
  if (fault) return Error{"--state-dir", config_.state_dir + ": " + fault.message()};
  auto history = results::History::open(config_.state_dir + "/runs.sqlite");
  if (!history) return Error{"--state-dir", history.error().message};

  session::PoolLimits limits;
  limits.max_participants = config_.max_participants;
  limits.cores = processors();
  context_ = std::make_unique<api::Context>(settings_of(config_), limits, std::move(*history));
  router_ = std::make_unique<http::Router>(http::Gate{config_.token, config_.metrics_token});
  router_->add(api::routes(*context_));
  server_ = std::make_unique<http::Server>(*router_);
  auto url = server_->listen(config_.listen_host, config_.listen_port);
  if (!url) return Error{"--listen", url.error().message};
  return url;
}

void Daemon::stop(results::EndReason reason) {
  if (context_ != nullptr) context_->pool().stop_all(reason);
  if (server_ != nullptr) server_->close();
}

}  // namespace avc::launcher
