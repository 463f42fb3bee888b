#include "launcher/scenario/scenario.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "core/spike/effect.hpp"
#include "core/text.hpp"
#include "launcher/scenario/duration.hpp"
#include "launcher/scenario/readers.hpp"

namespace avc::scenario {
namespace {

constexpr std::int64_t kMostParticipants = 100000;
constexpr std::size_t kMostSpikes = 10000;

// Keys that have a meaning in a later version: never taken in silence.
constexpr std::array<std::string_view, 15> kLater{"stages",         "arrivals",         "rooms",
                                                  "load",           "journeys",         "observe",
                                                  "profiles",       "steady_state",     "source_addresses",
                                                  "warmup_seconds", "cooldown_seconds", "graceful_stop_seconds",
                                                  "setup",          "teardown",         "allow_lost_workers"};

class Parser {
 public:
  Parser(json::Object root, Source source, const json::Conditions &conditions)
      : root_(std::move(root)), source_(source), conditions_(conditions) {}

  Scenario run() {
    labels();
    spikes();
    size();
    parts();
    client();
    later();
    root_.done();
    check_spikes();
    return std::move(scenario_);
  }

 private:
  void later() {
    for (const std::string_view key : kLater) {
      if (root_.get(key)) root_.fault(key, "is not available yet");
    }
  }

  void labels() {
    scenario_.test_id = root_.text("test_id", 128).value_or("");
    const auto allowed = [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == ':' || c == '-';
    };
    if (!std::all_of(scenario_.test_id.begin(), scenario_.test_id.end(), allowed)) {
      root_.fault("test_id", "may hold letters, digits, and . _ : - only");
    }
    scenario_.description = root_.text("description").value_or("");
    scenario_.hypothesis = root_.text("hypothesis").value_or("");
    scenario_.environment = root_.text("environment").value_or("");
    if (const auto tags = root_.get("tags")) read_tags(*tags, scenario_.tags);
    seed();
  }

  // A number, or decimal text for those beyond what JSON numbers carry everywhere.
  void seed() {
    const auto value = root_.get("seed");
    if (!value) return;
    if (value->kind() != json::Value::Kind::text) {
      if (const auto number = value->integer(0, INT64_MAX)) scenario_.seed = static_cast<std::uint64_t>(*number);
      return;
    }
    const auto text = value->text(64);
    if (!text) return;
    std::uint64_t seed = 0;
    for (const char c : *text) {
      const auto digit = static_cast<std::uint64_t>(c - '0');
      if (c < '0' || c > '9' || seed > (UINT64_MAX - digit) / 10) {
        return value->fault("\"" + *text + "\" is not accepted; it must be a whole number, 0 to 18446744073709551615");
      }
      seed = seed * 10 + digit;
    }
    if (!text->empty()) scenario_.seed = seed;
  }

  void spikes() {
    const auto value = root_.get("spikes");
    const bool drawn = value && value->kind() == json::Value::Kind::object;
    if (drawn) {
      if (auto object = value->object()) scenario_.random = read_random(*object, conditions_);
      scenario_.distribution.strategy = spike::Strategy::legacy;
    }
    std::vector<json::Value> events = root_.array("spike_events", kMostSpikes);
    if (value && !drawn) {
      if (!events.empty()) root_.fault("spike_events", "contradicts spikes: both list spike events");
      events = value->array(kMostSpikes);
    }
    scenario_.spikes = read_spike_list(events, conditions_);
    if (auto object = root_.object("spike_distribution")) read_distribution(*object, scenario_.distribution);
    old_defaults_ = drawn || source_ == Source::file;
  }

  void size() {
    scenario_.num_participants = old_defaults_ ? 50 : 5;
    if (const auto count = root_.integer("num_participants", 0, kMostParticipants); count.value_or(0) > 0) {
      scenario_.num_participants = static_cast<std::uint32_t>(*count);
    }
    scenario_.duration = old_defaults_ ? std::chrono::seconds(600) : std::chrono::seconds(0);
    if (const auto duration = read_duration(root_, "duration_seconds"); duration.value_or(Nanos(0)) > Nanos(0)) {
      scenario_.duration = *duration;
    }
    if (auto object = root_.object("ramp")) {
      scenario_.ramp = read_ramp(*object, scenario_.num_participants, scenario_.duration);
    }
  }

  void parts() {
    if (auto object = root_.object("video")) read_video(*object, scenario_.video);
    if (auto object = root_.object("audio")) read_audio(*object, scenario_.audio);
    read_media(root_, scenario_.media);
    if (const auto value = root_.get("renditions")) read_renditions(*value, scenario_.renditions_kbps);
    if (auto object = root_.object("target")) read_target(*object, scenario_.target.emplace());
    if (auto object = root_.object("subscribers"))
      read_subscribers(*object, scenario_.num_participants, scenario_.subscribers);
    if (const auto value = root_.get("network_profile")) {
      if (auto network = json::read_network(*value, conditions_)) scenario_.network = std::move(*network);
    }
    if (auto object = root_.object("thresholds")) read_thresholds(*object, scenario_.thresholds);
    read_outputs(root_, scenario_.outputs);
    scenario_.contexts = static_cast<unsigned>(root_.integer("contexts", 0, 64).value_or(0));
    scenario_.decision_log = root_.boolean("decision_log").value_or(false);
    scenario_.adaptive = root_.boolean("adaptive").value_or(true);
    scenario_.replay_log = root_.text("replay_log").value_or("");
    rtp_port();
    if (root_.boolean("enable_network_degradation").value_or(false)) {
      root_.notes().warn("enable_network_degradation has no effect: spikes need no privilege here and always act");
    }
  }

  // The old API's is a text; what does not begin with digits kept the default there, too.
  void rtp_port() {
    const auto value = root_.get("backend_rtp_base_port");
    if (!value) return;
    std::optional<double> port;
    if (value->kind() == json::Value::Kind::text) {
      const auto text = value->text(64).value_or("");
      port = parse_number(text.substr(0, text.find_first_not_of("0123456789")));
      if (!port) {
        if (!text.empty()) root_.notes().warn("backend_rtp_base_port: \"" + text + "\" is not a port; 5000 is used");
        return;
      }
      if (!(*port >= 1 && *port <= 65535))
        return value->fault("\"" + text + "\" is not accepted; it must be 1 to 65535");
    } else {
      const auto number = value->integer(1, 65535);
      if (!number) return;
      port = static_cast<double>(*number);
    }
    scenario_.backend_rtp_base_port = static_cast<std::uint16_t>(*port);
  }

  void client() {
    scenario_.base_url = root_.text("base_url").value_or("");
    if (auto metrics = root_.object("metrics")) {
      const auto interval = read_seconds(*metrics, "display_interval_seconds", 0, 3600);
      if (interval.value_or(0) > 0) scenario_.display_interval_seconds = *interval;
      metrics->done();
    }
  }

  // What needs the whole scenario to be known: whom spikes hit, and what random ones are drawn from.
  void check_spikes() {
    const std::uint32_t first = scenario_.first_participant, last = first + scenario_.num_participants - 1;
    for (const spike::Spike &spike : scenario_.spikes) {
      for (const std::uint32_t id : spike.participants) {
        if (id >= first && id <= last) continue;
        root_.notes().fault("spikes", "spike \"" + spike.id + "\": participant " + std::to_string(id) +
                                          " is not in this test, which has " + std::to_string(first) + " to " +
                                          std::to_string(last));
        break;
      }
    }
    check_connections();
    if (!scenario_.random) return;
    const auto ids = participant_ids(scenario_);
    const spike::Population population{ids, static_cast<double>(scenario_.video.bitrate_kbps)};
    for (const Error &fault : spike::check(*scenario_.random, population)) {
      root_.notes().fault("spikes." + fault.field, fault.message);
    }
    if (!scenario_.spikes.empty()) check_ids();
  }

  void check_connections() {
    if (scenario_.target && scenario_.target->transport == Target::Transport::whip) return;
    for (const spike::Spike &spike : scenario_.spikes) {
      if (!spike::needs_connection(spike.type)) continue;
      root_.notes().fault("spikes",
                          "spike \"" + spike.id + "\": " + spike::refused_without_connection(spike.type).message);
    }
    if (!scenario_.random) return;
    for (const spike::WeightedType &type : scenario_.random->types) {
      if (type.weight > 0 && spike::needs_connection(type.name))
        root_.notes().fault("spikes.types." + type.name, spike::refused_without_connection(type.name).message);
    }
  }

  void check_ids() {
    for (const spike::Spike &spike : scenario_.spikes) {
      if (spike.id.starts_with("chaos_spike_")) {
        root_.notes().fault("spike_events",
                            "spike \"" + spike.id + "\": ids that begin with chaos_spike_ are for drawn spikes");
      }
    }
  }

  json::Object root_;
  Source source_;
  const json::Conditions &conditions_;
  bool old_defaults_ = false;
  Scenario scenario_;
};

// Go read a literal null as an object without keys; old clients may rely on it.
Result<json::Document> read_document(std::string_view text) {
  auto document = json::Document::parse(text);
  if (!document) return document;
  json::Notes notes;
  if (document->root(notes).kind() == json::Value::Kind::null) return json::Document::parse("{}");
  return document;
}

// The text is kept with the results, where a secret has no business. `word` is not empty, and such that JSON needs no
// escapes for it; whoever writes it with some is told not to.
bool blot_out(std::string &text, const std::string &word) {
  const std::string quoted = "\"" + word + "\"", blot = "\"***\"";
  bool found = false;
  for (auto at = text.find(quoted); at != std::string::npos; at = text.find(quoted, at + blot.size())) {
    text.replace(at, quoted.size(), blot);
    found = true;
  }
  return found;
}

}  // namespace

std::variant<Scenario, std::vector<Error>> parse(std::string_view text, Source source,
                                                 const json::Conditions &conditions) {
  auto document = read_document(text);
  if (!document) return std::vector{document.error()};
  json::Notes notes;
  notes.unknown_keys_are_faults = source == Source::file;
  auto root = document->root(notes).object();
  if (!root) return notes.faults;
  Scenario scenario = Parser(std::move(*root), source, conditions).run();
  if (!notes.faults.empty()) return notes.faults;
  scenario.warnings = std::move(notes.warnings);
  scenario.text = document->text();
  for (const auto &[token, field] : {std::pair{scenario.target ? scenario.target->token : "", "target.token"},
                                     {scenario.subscribers.token, "subscribers.token"}}) {
    if (std::string_view(field) == "subscribers.token" && scenario.target && token == scenario.target->token) continue;
    if (!token.empty() && !blot_out(scenario.text, token))
      return std::vector{Error{field, "is to be written without escapes"}};
  }
  return scenario;
}

std::variant<SpikeRequest, std::vector<Error>> parse_spike(std::string_view text, const json::Conditions &conditions) {
  auto document = read_document(text);
  if (!document) return std::vector{document.error()};
  json::Notes notes;
  auto root = document->root(notes).object();
  if (!root) return notes.faults;
  auto spike = read_spike(*root, true, conditions);
  if (!spike || !notes.faults.empty()) return notes.faults;
  return SpikeRequest{std::move(*spike), std::move(notes.warnings)};
}

}  // namespace avc::scenario
