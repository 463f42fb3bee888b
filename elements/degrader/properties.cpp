#include "elements/degrader/properties.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include "core/net/delay_table.hpp"
#include "core/text.hpp"
#include "elements/degrader/param_specs.hpp"
#include "elements/degrader/profile_file.hpp"
#include "elements/degrader/trace_file.hpp"
#include "elements/support/errors.hpp"
#include "elements/support/properties.hpp"

namespace avc::degrader {
namespace {

const Property<Plain> kPlain[] = {
    {"seed", "Repeats all chance (0: the seed that upstream's avchaos-participant event names)", &Plain::seed, 0, 0,
     kReady},
    {"context", "Name of the thread that sends what was held (empty: one of its own)", &Plain::context, 0, 0, kReady},
    {"decision-log", "File for one JSON line per packet: what was decided (empty: none)", &Plain::decision_log, 0, 0,
     kReady},
    {"replay-log",
     "Decision log whose packets' fates are repeated, instead of what the link would decide (empty: none)",
     &Plain::replay_log, 0, 0, kReady},
    {"report-latency", "Add the delay to the latency query, for playing locally", &Plain::report_latency},
    {"all-datagrams", "Treat DTLS and STUN like all other packets instead of letting them through",
     &Plain::all_datagrams},
    {"way-back", "From the receiver to the sender: RTCP is feedback, with chance of its own, whatever the caps say",
     &Plain::way_back, 0, 0, kReady},
    {"rtx-payload-type", "Payload type of retransmissions, which have chance of their own (0: there are none)",
     &Plain::rtx_payload_type, 0, 127},
};

struct Text {
  const char *name, *blurb;
};
enum : guint { kLossPattern, kLinkTrace, kDelayTable, kProfile, kProfileLocation };
constexpr Text kTexts[] = {
    {"loss-pattern", "Packets to lose, repeated: 0001 loses every fourth (with loss-model=pattern)"},
    {"link-trace", "Capacity of the line from a file in Mahimahi's format, or a built-in one: lte, wifi, tunnel"},
    {"delay-table", "Distribution for delay-distribution=table: a netem .dist file, or its numbers"},
    {"profile", "Named network condition; gives all properties of the link its values, later ones override them"},
    {"profile-location", "JSON file with profiles of your own, to be named by profile after it"},
};

constexpr guint kFirstSetting = std::size(kPlain) + 1;
guint first_text() { return kFirstSetting + static_cast<guint>(net::settings().size()); }

// The core spells settings with '_', properties are spelled with '-'.
Error as_property(Error error) {
  std::ranges::replace(error.field, '_', '-');
  std::ranges::replace(error.message, '_', '-');
  return error;
}

// netem's users set p and r; those who set a mean burst length with a loss percentage mean the simple Gilbert model.
net::Impairment as_meant(net::Impairment link) {
  if (link.loss_model == net::LossModel::gilbert_elliott && link.ge_p == 0 && link.ge_k == 0)
    link.loss_model = net::LossModel::burst;
  return link;
}

}  // namespace

guint Properties::install(GObjectClass *klass) {
  avc::install(klass, kPlain);
  guint id = kFirstSetting;
  for (const net::Setting &setting : net::settings()) g_object_class_install_property(klass, id++, spec_of(setting));
  constexpr auto flags = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | kPlaying);
  for (const Text &text : kTexts)
    g_object_class_install_property(klass, id++, g_param_spec_string(text.name, text.name, text.blurb, nullptr, flags));
  return id;
}

Result<bool> Properties::change(State &state, const net::Setting &setting, const GValue *value) {
  const double number = number_in(value);
  if (auto fault = net::range_fault(setting, number)) return as_property(*fault);
  setting.set(state.asked, number);
  if (setting.name == "loss_model") state.loss_model_chosen = true;
  // Who gives the length of bursts wants bursts, unless he has chosen another model.
  const bool bursts = setting.name == "burst_length" && !state.loss_model_chosen;
  if (bursts && state.asked.loss_model == net::LossModel::random) state.asked.loss_model = net::LossModel::burst;
  return true;
}

Result<bool> Properties::use_profile(State &state, const std::string &name) {
  if (name.empty()) {
    state.profile.clear();
    return true;
  }
  const auto network = named_network(state.own_profiles, name);
  if (!network) return network.error();
  std::shared_ptr<const net::LinkTrace> trace = network->link.link_trace;
  if (!trace && !network->trace.empty()) {
    const auto found = find_trace(network->trace);  // since its file was read, the trace's may have gone
    if (!found) return Error{"profile", found.error().message};
    trace = *found;
  }
  state.profile = name;
  state.asked = network->link;
  state.asked.link_trace = trace;
  state.trace = network->trace;
  state.table = network->delay_table;
  return true;
}

Result<bool> Properties::change_text(State &state, guint which, const std::string &text) {
  if (which == kProfile) return use_profile(state, text);
  if (which == kProfileLocation) {
    auto profiles = text.empty() ? Result(json::Conditions()) : read_profiles(text);
    if (!profiles) return Error{kTexts[which].name, profiles.error().message};
    state.own_profiles = *std::move(profiles);
    state.profile_location = text;
    return true;
  }
  if (which == kLossPattern) {
    const auto pattern = text.empty() ? net::LossPattern() : net::LossPattern::parse(text);
    if (!pattern) return Error{kTexts[which].name, pattern.error().message};
    state.asked.loss_pattern = *pattern;
    return true;
  }
  if (which == kDelayTable) {
    const auto table = text.empty() ? Result(std::shared_ptr<const net::DelayTable>()) : find_table(text);
    if (!table) return Error{kTexts[which].name, table.error().message};
    state.asked.delay_table = *table;
    state.table = text;
    return true;
  }
  const auto trace = text.empty() ? Result(std::shared_ptr<const net::LinkTrace>()) : find_trace(text);
  if (!trace) return Error{kTexts[which].name, trace.error().message};
  state.asked.link_trace = *trace;
  state.trace = text;
  return true;
}

namespace {

// Calls act(change) for each setting by which `asked` may differ; true if any call was.
template <class Act>
bool each_change(const net::Impairment &asked, Act act) {
  bool any = act([&](net::Impairment &link) { link.loss_pattern = asked.loss_pattern; });
  any |= act([&](net::Impairment &link) { link.link_trace = asked.link_trace; });
  any |= act([&](net::Impairment &link) { link.delay_table = asked.delay_table; });
  for (const net::Setting &setting : net::settings())
    any |= act([&](net::Impairment &link) { setting.set(link, setting.get(asked)); });
  return any;
}

}  // namespace

// What is asked for comes into force, or all of it that fits what is in force already.
void Properties::commit(State &state) {
  if (net::checked(state.asked)) {
    state.in_force = state.asked;
  } else {
    const auto fits = [&](auto change) {
      net::Impairment trial = state.in_force;
      change(trial);
      if (trial == state.in_force || !net::checked(trial)) return false;
      state.in_force = trial;
      return true;
    };
    while (each_change(state.asked, fits)) continue;
  }
  if (state.asked.link_trace == state.in_force.link_trace) state.trace_in_force = state.trace;
  generation_.fetch_add(1, std::memory_order_release);
}

// Refuses what did not fit, one by one.
void Properties::settle(State &state, std::vector<Error> &faults) {
  if (net::checked(state.asked)) return;
  each_change(state.asked, [&](auto change) {
    net::Impairment trial = state.in_force;
    change(trial);
    if (trial != state.in_force) faults.push_back(as_property(net::checked(trial).error()));
    return true;
  });
  state.asked = state.in_force;
  state.trace = state.trace_in_force;
}

void Properties::set(guint id, const GValue *value) {
  std::optional<Error> fault;
  {
    auto state = state_.lock();
    if (id < kFirstSetting) {
      store(state->plain, kPlain[id - 1], value);
      commit(*state);
      return;
    }
    const bool is_text = id >= first_text();
    const auto &all = net::settings();
    const char *text = is_text ? g_value_get_string(value) : nullptr;
    const auto changed = is_text ? change_text(*state, id - first_text(), text ? text : "")
                                 : change(*state, all[id - kFirstSetting], value);
    if (changed) {
      const std::string name = is_text ? kTexts[id - first_text()].name : property_name(all[id - kFirstSetting].name);
      state->refused.erase(name);
      commit(*state);
    } else {
      const auto [known, fresh] = state->refused.try_emplace(changed.error().field, changed.error());
      if (fresh || known->second.message != changed.error().message) fault = known->second = changed.error();
    }
  }
  if (fault) post_warning(element_, Fault::settings, *fault);
}

void Properties::get(guint id, GValue *value) {
  auto state = state_.lock();
  if (id < kFirstSetting) return fetch(state->plain, kPlain[id - 1], value);
  if (id < first_text()) return put_number(value, net::settings()[id - kFirstSetting].get(state->asked));
  const std::array texts{state->asked.loss_pattern.text(), state->trace, state->table, state->profile,
                         state->profile_location};
  const std::string &text = texts[id - first_text()];
  g_value_set_string(value, text.empty() ? nullptr : text.c_str());
}

void Properties::judge() {
  std::vector<Error> faults;
  {
    auto state = state_.lock();
    if (!state->running) return;
    settle(*state, faults);
    if (!faults.empty()) commit(*state);
  }
  for (const Error &fault : faults) post_warning(element_, Fault::settings, fault);
}

void Properties::start() {
  std::vector<Error> faults;
  {
    auto state = state_.lock();
    for (const auto &[name, fault] : state->refused) faults.push_back(fault);
    state->refused.clear();
    settle(*state, faults);
    state->running = true;
    commit(*state);
  }
  for (const Error &fault : faults) post_warning(element_, Fault::settings, fault);
}

void Properties::stop() { state_.lock()->running = false; }

net::Impairment Properties::link() { return as_meant(state_.lock()->in_force); }

Plain Properties::plain() { return state_.lock()->plain; }

}  // namespace avc::degrader
