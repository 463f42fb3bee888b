// What the daemon is told: flags over environment over configuration file over defaults. Every fault is found before
// anything starts, and all of them are said at once.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/result.hpp"

namespace avc::launcher {

struct Endpoint {
  std::string host;  // "" for all interfaces
  std::uint16_t port = 0;
};

struct Config {
  std::string listen_host = "127.0.0.1";  // "" for all interfaces
  std::uint16_t listen_port = 8080;
  std::optional<Endpoint> rtsp;         // none: nobody watches over RTSP
  std::string state_dir;                // default: $XDG_STATE_HOME/gst-avchaos
  std::vector<std::string> media_dirs;  // beside the directories of the media files below
  std::string calibration;              // file of `avchaos doctor --calibrate`; empty: looked for
  std::string own_state_dir;            // the default of state_dir, where that file is looked for too
  std::string profiles;                 // file of the user's network profiles; empty: none
  std::string token;                    // of the API; empty: nobody is asked
  std::string metrics_token;
  std::vector<std::string> allow_targets;  // CIDR, beyond loopback and private ranges
  std::uint32_t max_participants = 2000;   // of all tests together
  std::uint32_t contexts = 0;              // sending threads; 0: one per processor, at most 4
  bool allow_anonymous = false;            // beyond loopback without a token

  // Environment of the old tool.
  std::uint32_t partition = 0, partitions = 1;
  // Played where a scenario names no media: one file for both kinds, or else one for each.
  std::string media_path, media_video_path, media_audio_path;
  std::string udp_target_host;
  std::uint16_t udp_target_port = 0;
  bool in_kubernetes = false;

  // Viewers over WebRTC.
  std::vector<std::string> ice_addresses;  // of ours; empty: that of listen_host, or all of the machine's
  bool ice_relay_only = false;
  std::string turn_host, turn_username = "webrtc", turn_password = "webrtc123";
  std::uint32_t turn_replicas = 1;

  bool show_help = false, show_version = false;
  std::vector<std::string> warnings;
};

using Environment = std::function<std::optional<std::string>(const char *name)>;
using ReadFile = std::function<Result<std::string>(const std::string &path)>;

// `arguments` without the program's name.
std::variant<Config, std::vector<Error>> load_config(std::span<const std::string> arguments,
                                                     const Environment &environment, const ReadFile &read_file);

std::string usage();

bool is_loopback_host(std::string_view host);  // by its spelling; names other than localhost are not

Result<std::string> read_text_file(const std::string &path);

}  // namespace avc::launcher
