// Anybody who speaks RTSP looks at a participant: rtsp://HOST:PORT/TEST/PARTICIPANT, to be played and nothing else.
//
// gst-rtsp-server on a thread of its own, and a thread for each connection: what a client does, or does not do, holds
// up neither the main context nor another client. A mount is made when somebody asks for a participant that is there,
// and those of a test go, with their clients, when it ends.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/result.hpp"
#include "launcher/rtsp/mounts.hpp"

namespace avc::rtsp {

inline constexpr const char *kUser = "avchaos";  // whose password is the token

struct ServerSettings {
  std::string host;  // "" for all interfaces
  std::uint16_t port = 0;
  std::string token;  // empty: nobody is asked
};

class Server {
 public:
  static constexpr unsigned kMostClients = 100;

  virtual ~Server() = default;                 // ends all clients
  virtual const std::string &url() const = 0;  // rtsp://HOST:PORT
  virtual std::size_t connections() const = 0;
};

// Listens. `mounts` outlives it. An error where this program was built without RTSP.
Result<std::unique_ptr<Server>> start_server(const ServerSettings &settings, Mounts &mounts);

}  // namespace avc::rtsp
