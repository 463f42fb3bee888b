#include "launcher/session/target.hpp"

namespace avc::session {
namespace {

// One name being looked up, with a deadline of its own: GResolver has none.
struct Lookup {
  Lookup(Target t, Resolved d) : target(std::move(t)), done(std::move(d)), cancellable(g_cancellable_new()) {
    deadline = g_timeout_add_seconds(
        kResolveSeconds,
        [](gpointer self) -> gboolean {
          auto *lookup = static_cast<Lookup *>(self);
          lookup->deadline = 0;
          g_cancellable_cancel(lookup->cancellable.get());
          return G_SOURCE_REMOVE;
        },
        this);
  }
  ~Lookup() {
    if (deadline != 0) g_source_remove(deadline);
  }
  Lookup(const Lookup &) = delete;
  Lookup &operator=(const Lookup &) = delete;

  Result<std::string> answer(GList *addresses) const {
    if (addresses == nullptr) return Error{target.field, "the name \"" + target.host + "\" cannot be resolved"};
    char *text = g_inet_address_to_string(G_INET_ADDRESS(addresses->data));
    const std::string address = text;
    g_free(text);
    return address;
  }

  Target target;
  Resolved done;
  std::unique_ptr<GCancellable, ObjectUnref> cancellable;
  guint deadline = 0;
};

}  // namespace

Target default_target(const TargetEnvironment &environment) {
  if (!environment.host.empty() && environment.port > 0) return {environment.host, environment.port, "UDP_TARGET_HOST"};
  if (environment.in_kubernetes) return {"udp-relay", 5000, "UDP_TARGET_HOST"};
  if (environment.port > 0) return {"127.0.0.1", environment.port, "UDP_TARGET_PORT"};
  return {"127.0.0.1", 5002};
}

TargetPolicy::TargetPolicy(std::span<const std::string> allowed_ranges) {
  for (const char *range : {"127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1", "fc00::/7"}) {
    always_.emplace_back(g_inet_address_mask_new_from_string(range, nullptr));
  }
  for (const std::string &range : allowed_ranges) {
    if (auto *mask = g_inet_address_mask_new_from_string(range.c_str(), nullptr)) allowed_.emplace_back(mask);
  }
}

bool TargetPolicy::permits(GInetAddress *address) const {
  for (const auto *list : {&always_, &allowed_}) {
    for (const auto &mask : *list) {
      if (g_inet_address_mask_matches(mask.get(), address)) return true;
    }
  }
  return false;
}

Result<std::string> TargetPolicy::admit(const std::string &text) const {
  const std::unique_ptr<GInetAddress, ObjectUnref> address(g_inet_address_new_from_string(text.c_str()));
  if (address == nullptr) return Error{"", "\"" + text + "\" is not an address"};
  if (!permits(address.get())) {
    return Error{"",
                 text + " is neither loopback nor a private address; start avchaosd with --allow-target to send there"};
  }
  return text;
}

void resolve(const Target &target, Resolved done) {
  if (g_hostname_is_ip_address(target.host.c_str())) {
    done(target.host);
    return;
  }
  auto *lookup = new Lookup(target, std::move(done));
  GResolver *resolver = g_resolver_get_default();
  g_resolver_lookup_by_name_with_flags_async(
      resolver, target.host.c_str(), G_RESOLVER_NAME_LOOKUP_FLAGS_DEFAULT, lookup->cancellable.get(),
      [](GObject *source, GAsyncResult *result, gpointer data) {
        const std::unique_ptr<Lookup> self(static_cast<Lookup *>(data));
        GList *addresses = g_resolver_lookup_by_name_with_flags_finish(G_RESOLVER(source), result, nullptr);
        self->done(self->answer(addresses));
        g_resolver_free_addresses(addresses);
      },
      lookup);
  g_object_unref(resolver);
}

}  // namespace avc::session
