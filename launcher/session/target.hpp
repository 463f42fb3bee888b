// Where a test's packets go: the choice between the scenario, the environment and the defaults, and the rule that this
// load generator aims at nobody who has not been allowed. Names are resolved once, so that what was checked is what is
// sent to.
#pragma once

#include <gio/gio.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/result.hpp"

namespace avc::session {

struct ObjectUnref {
  void operator()(gpointer object) const noexcept { g_object_unref(object); }
};

struct Target {
  std::string host;  // as given
  std::uint16_t port = 0;
  std::string field = "target.host";  // what to name when it is refused
  bool embedded = false;              // the daemon's own receiver; host and port are not used
};

// The old tool's environment (contract, section 7).
struct TargetEnvironment {
  std::string host;
  std::uint16_t port = 0;
  bool in_kubernetes = false;
};

// For a test that names no target: HOST and PORT together, in a cluster udp-relay:5000, PORT alone, 127.0.0.1:5002.
Target default_target(const TargetEnvironment &environment);

// Loopback and private addresses, and what was allowed beside them. Link-local addresses (where clouds keep their
// metadata service), multicast and the unspecified address are refused unless a listed range says otherwise.
class TargetPolicy {
 public:
  explicit TargetPolicy(std::span<const std::string> allowed_ranges = {});

  Result<std::string> admit(const std::string &address) const;  // the address again; the error has no field

 private:
  bool permits(GInetAddress *address) const;

  std::vector<std::unique_ptr<GInetAddressMask, ObjectUnref>> always_, allowed_;
};

// Calls back with an address, at once for one that is written as numbers, else when the resolver has answered (at
// most kResolveSeconds later) on the main context. The error has the target's field. Whether the policy admits the
// address is the caller's next question.
using Resolved = std::function<void(Result<std::string>)>;
void resolve(const Target &target, Resolved done);
inline constexpr unsigned kResolveSeconds = 5;

}  // namespace avc::session
