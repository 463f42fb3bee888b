#include "launcher/webrtc/ice_server.hpp"

#include <glib.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

namespace avc::webrtc {
namespace {

constexpr std::size_t kMostServers = 16;  // of one endpoint: each is asked before an offer goes out

struct Parts {
  std::string scheme, host, port, transport;
};

std::optional<Parts> parts_of(const std::string &url) {
  Parts parts;
  const auto colon = url.find(':');
  if (colon == std::string::npos) return std::nullopt;
  parts.scheme = url.substr(0, colon);
  std::ranges::transform(parts.scheme, parts.scheme.begin(), [](char c) { return g_ascii_tolower(c); });
  if (parts.scheme != "stun" && parts.scheme != "turn" && parts.scheme != "turns") return std::nullopt;
  const auto query = std::min(url.find('?', colon), url.size());
  const std::string place = url.substr(colon + 1, query - colon - 1);
  const bool brackets = place.starts_with('[');
  const auto host_end = brackets ? place.find(']') : std::min(place.find(':'), place.size());
  if (host_end == std::string::npos) return std::nullopt;
  parts.host = brackets ? place.substr(1, host_end - 1) : place.substr(0, host_end);
  const std::string rest = place.substr(host_end + (brackets ? 1 : 0));
  parts.port = rest.empty() ? (parts.scheme == "turns" ? "5349" : "3478") : rest.substr(1);
  guint64 number = 0;
  const bool port_fine = g_ascii_string_to_unsigned(parts.port.c_str(), 10, 1, 65535, &number, nullptr) != FALSE;
  if (parts.host.empty() || (!rest.empty() && rest.front() != ':') || !port_fine) return std::nullopt;
  const std::string transport = query < url.size() ? url.substr(query + 1) : "";
  if (!transport.empty() && transport != "transport=udp" && transport != "transport=tcp") return std::nullopt;
  parts.transport = transport;
  return parts;
}

std::string escaped(const std::string &text) {
  char *raw = g_uri_escape_string(text.c_str(), nullptr, FALSE);
  const std::string out = raw;
  g_free(raw);
  return out;
}

// What find_usable() waits for; the last answer ends it.
struct Wait {
  std::function<void(UsableServers)> done;
  std::vector<std::string> uris;  // by place; empty: none
  std::vector<std::string> refusals;
  std::size_t open = 0;

  void one_less() {
    if (--open > 0) return;
    std::erase(uris, "");
    done({std::move(uris), std::move(refusals)});
  }
};

}  // namespace

Result<std::string> host_of(const IceServer &server) {
  const auto parts = parts_of(server.url);
  if (!parts) return Error{"", "is no stun:, turn: or turns: URL"};
  if (parts->scheme != "stun" && (server.username.empty() || server.credential.empty()))
    return Error{"", "has no username or no credential"};
  return parts->host;
}

std::string server_uri(const IceServer &server, const std::string &address) {
  const Parts parts = *parts_of(server.url);
  const bool v6 = address.find(':') != std::string::npos;
  const std::string place = (v6 ? "[" + address + "]" : address) + ":" + parts.port;
  if (parts.scheme == "stun") return "stun://" + place;
  const std::string user = escaped(server.username) + ":" + escaped(server.credential) + "@";
  return parts.scheme + "://" + user + place + (parts.transport == "transport=tcp" ? "?transport=tcp" : "");
}

void find_usable(const std::vector<IceServer> &named, const Resolve &resolve, std::function<void(UsableServers)> done) {
  const std::size_t count = std::min(named.size(), kMostServers);
  const auto wait = std::make_shared<Wait>(Wait{std::move(done), std::vector<std::string>(count), {}, count + 1});
  for (std::size_t i = 0; i < count; ++i) {
    const IceServer &server = named[i];
    const auto refuse = [wait, url = server.url](const std::string &why) {
      wait->refusals.push_back(url + ": " + why);
      wait->one_less();
    };
    const auto host = host_of(server);
    if (!host) {
      refuse(host.error().message);
      continue;
    }
    resolve(*host, [wait, i, server, refuse](const Result<std::string> &address) {
      if (!address) return refuse(address.error().message);
      wait->uris[i] = server_uri(server, *address);
      wait->one_less();
    });
  }
  wait->one_less();
}

}  // namespace avc::webrtc
