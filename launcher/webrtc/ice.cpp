#include "launcher/webrtc/ice.hpp"

#include <glib.h>

namespace avc::webrtc {
namespace {

constexpr const char *kTurnPort = "3478";

std::string escaped(const std::string &text) {
  char *raw = g_uri_escape_string(text.c_str(), nullptr, FALSE);
  const std::string out = raw;
  g_free(raw);
  return out;
}

}  // namespace

std::vector<std::string> turn_servers(const TurnSettings &turn, std::uint32_t participant) {
  if (turn.host.empty()) return {};
  const auto colon = turn.host.rfind(':');
  const std::string name = turn.host.substr(0, colon);
  const std::string port = colon == std::string::npos ? kTurnPort : turn.host.substr(colon + 1);
  const std::string user = "turn://" + escaped(turn.username) + ":" + escaped(turn.password) + "@";
  std::string host = name;
  if (turn.replicas > 1) host = name + "-" + std::to_string(participant % turn.replicas) + "." + name;
  return {user + host + ":" + port, user + host + ":" + port + "?transport=tcp"};
}

}  // namespace avc::webrtc
