#include "launcher/session/setter.hpp"

#include <algorithm>

#include "core/net/settings.hpp"

namespace avc::session {

void set_base(Setter &set, const json::Network &network) {
  const net::Impairment perfect, &base = network.link;
  // A model that needs a pattern or a table comes after it, and no shortest time may lie above the longest.
  if (!base.loss_pattern.empty()) set("loss-pattern", base.loss_pattern.text());
  if (!network.delay_table.empty()) set("delay-table", network.delay_table);
  const auto put = [&](const net::Setting &setting) {
    const double value = setting.get(base);
    // The loss model always: a length of bursts alone would choose one.
    if (value == setting.get(perfect) && setting.name != "loss_model") return;
    std::string property(setting.name);
    std::ranges::replace(property, '_', '-');
    if (setting.is_number()) {
      set(property.c_str(), value);
    } else {
      set.by_nick(property.c_str(), std::string(setting.words[static_cast<std::size_t>(value)]).c_str());
    }
  };
  for (const net::Setting &setting : net::settings())
    if (setting.name != "slot_min_ms") put(setting);
  for (const net::Setting &setting : net::settings())
    if (setting.name == "slot_min_ms") put(setting);
  if (!network.trace.empty()) set("link-trace", network.trace);
}

}  // namespace avc::session
