#include "elements/udpsink/target.hpp"

#include <netdb.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>

namespace avc::udpsink {
namespace {

std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (fault != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::optional<runtime::Address> look_up(const std::string &host) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_DGRAM;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return std::nullopt;
  std::optional<runtime::Address> address;
  for (addrinfo *each = found; each && !address; each = each->ai_next) {
    if (each->ai_family == AF_INET || each->ai_family == AF_INET6) address.emplace(each->ai_addr, each->ai_addrlen);
  }
  freeaddrinfo(found);
  return address;
}

std::optional<runtime::Address> number_of(const std::string &host) {
  return runtime::Address::parse(host.empty() || host == "localhost" ? "127.0.0.1" : host, 0);
}

using Find = std::function<std::optional<runtime::Address>(const std::string &)>;

Result<Target> target_of(const std::vector<Client> &clients, const Find &find) {
  Target target;
  for (const Client &client : clients) {
    const auto address = find(client.host);
    if (!address) return Error{"host", "there is no address for '" + client.host + "'"};
    target.ends.push_back({address->with_port(client.port), address->with_port(client.rtcp_port)});
    if (target.family() != address->family())
      return Error{"clients", "'" + client.host + "' is of another address family than the ones before it"};
  }
  return target;
}

}  // namespace

bool Target::has(const runtime::Address &address) const {
  return std::ranges::any_of(ends, [&](const Ends &end) { return end.rtp == address; });
}

Result<std::vector<Client>> parse_clients(const std::string &text, std::uint16_t rtcp_port) {
  std::vector<Client> clients;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    const std::string_view one = trimmed(std::string_view(text).substr(at, comma - at));
    at = comma + 1;
    const std::size_t colon = one.rfind(':');
    const auto port = colon == one.npos ? std::nullopt : port_of(one.substr(colon + 1));
    std::string_view host = one.substr(0, colon == one.npos ? 0 : colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (!port || host.empty()) return Error{"clients", "'" + std::string(one) + "' is not host:port"};
    clients.push_back({std::string(host), *port, rtcp_port ? rtcp_port : static_cast<std::uint16_t>(*port + 1)});
  }
  return clients;
}

Result<Target> numbers_of(const std::vector<Client> &clients, bool &has_names) {
  has_names = std::ranges::any_of(clients, [](const Client &client) { return !number_of(client.host); });
  return target_of(clients, number_of);
}

Result<Target> resolve(const std::vector<Client> &clients) {
  return target_of(clients, [](const std::string &host) {
    const auto number = number_of(host);
    return number ? number : look_up(host);
  });
}

}  // namespace avc::udpsink
