#include "core/net/profiles.hpp"

#include <algorithm>
#include <array>

#include "core/net/trace_models.hpp"

namespace avc::net {
namespace {

// A line with delay and jitter; what the sources do not give is as in an Impairment's defaults.
void line(Impairment &s, double kbps, double delay_ms, double jitter_ms = 0) {
  s.bandwidth_kbps = kbps;
  s.delay_ms = delay_ms;
  s.jitter_ms = jitter_ms;
}

void random_loss(Impairment &s, double percent) { s.loss_percent = percent; }

// str0m-netem's way to write a Gilbert-Elliott model: mean packets in either state, all lost in the bad one.
void bursts(Impairment &s, double good, double bad) {
  s.loss_model = LossModel::gilbert_elliott;
  s.ge_p = 100 / good;
  s.ge_r = 100 / bad;
}

constexpr std::string_view kLoadero = "Loadero wiki, network conditions (2025)";
constexpr std::string_view kComcast = "tylertreat/comcast README, profile table";
constexpr std::string_view kStr0m = "str0m-netem 0.2, NetemConfig and GilbertElliot presets";
constexpr std::string_view kPageTest = "WebPageTest connectivity.ini: rate down, half the round trip";

constexpr Profile kProfiles[] = {
    {"wifi", "good Wi-Fi: about 1 % loss in short bursts", kStr0m,
     [](Impairment &s) {
       line(s, 100'000, 5, 2);
       s.delay_distribution = DelayDistribution::uniform;
       bursts(s, 200, 2);
       s.queue_bytes = 200'000;
     }},
    {"wifi-lossy", "Wi-Fi with a weak signal: about 5 % loss in short bursts", kStr0m,
     [](Impairment &s) {
       line(s, 50'000, 15, 10);
       s.delay_distribution = DelayDistribution::uniform;
       bursts(s, 40, 2);
       s.queue_bytes = 100'000;
     }},
    {"wifi-congested", "Wi-Fi shared with a download: batches, a deep queue, little room",
     "delay and jitter: str0m-netem 0.2 wifi_congested; trace and queue: ours",
     [](Impairment &s) {
       s.delay_ms = 10;
       s.jitter_ms = 20;
       s.delay_distribution = DelayDistribution::uniform;
       s.link_trace = built_in_trace("wifi");
       s.queue_ms = 400;
     }},
    {"lte", "LTE, standing still", kPageTest, [](Impairment &s) { line(s, 12'000, 35); }},
    {"lte-moving", "LTE in a moving car: fading, handovers, about 2 % loss in short bursts",
     "delay: WebPageTest LTE; loss: str0m-netem GilbertElliot::cellular; trace: ours",
     [](Impairment &s) {
       s.delay_ms = 35;
       bursts(s, 100, 2);
       s.link_trace = built_in_trace("lte");
       s.queue_ms = 500;
     }},
    {"tunnel", "LTE in a train: eight seconds without network every half minute", "trace: ours; delay as lte-moving",
     [](Impairment &s) {
       s.delay_ms = 35;
       s.link_trace = built_in_trace("tunnel");
       s.queue_ms = 500;
     }},
    {"4g", "4G as testers publish it", kLoadero,
     [](Impairment &s) {
       line(s, 100'000, 45, 5);
       random_loss(s, 0.2);
     }},
    {"hspa", "3.5G", kLoadero,
     [](Impairment &s) {
       line(s, 20'000, 150, 10);
       random_loss(s, 0.5);
     }},
    {"3g", "3G", kLoadero,
     [](Impairment &s) {
       line(s, 1200, 250, 50);
       random_loss(s, 0.5);
     }},
    {"3g-good", "3G with HSDPA", kComcast,
     [](Impairment &s) {
       line(s, 750, 250);
       random_loss(s, 1.5);
     }},
    {"edge", "EDGE", kLoadero,
     [](Impairment &s) {
       line(s, 200, 650, 100);
       random_loss(s, 1);
     }},
    {"gprs", "GPRS", kLoadero,
     [](Impairment &s) {
       line(s, 80, 650, 100);
       random_loss(s, 1);
     }},
    {"satellite", "satellite telephone", kLoadero, [](Impairment &s) { line(s, 1000, 600); }},
    {"satellite-lossy", "satellite in bad weather: about 3 % loss in bursts",
     "rate and delay: Loadero wiki; loss: str0m-netem GilbertElliot::satellite",
     [](Impairment &s) {
       line(s, 1000, 600);
       bursts(s, 100, 3);
     }},
    {"cable", "cable", kPageTest, [](Impairment &s) { line(s, 5000, 14); }},
    {"dsl", "DSL on a good line", kComcast,
     [](Impairment &s) {
       line(s, 8000, 40);
       random_loss(s, 0.5);
     }},
    {"dsl-poor", "DSL on a bad line", kComcast,
     [](Impairment &s) {
       line(s, 2000, 70);
       random_loss(s, 2);
     }},
    {"dial-up", "a modem", kComcast,
     [](Impairment &s) {
       line(s, 40, 185);
       random_loss(s, 2);
     }},
    {"congested", "a path whose queues overflow: about 10 % loss in short bursts",
     "loss: str0m-netem GilbertElliot::congested", [](Impairment &s) { bursts(s, 20, 2); }},
    {"high-latency", "far away", kLoadero,
     [](Impairment &s) {
       s.delay_ms = 500;
       s.jitter_ms = 50;
     }},
    {"high-jitter", "delay that changes all the time", kLoadero,
     [](Impairment &s) {
       s.delay_ms = 200;
       s.jitter_ms = 100;
     }},
};

constexpr auto kNames = [] {
  std::array<std::string_view, std::size(kProfiles)> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kProfiles[i].name;
  return names;
}();

}  // namespace

std::span<const Profile> profiles() { return kProfiles; }

std::span<const std::string_view> profile_names() { return kNames; }

std::optional<Impairment> profile(std::string_view name) {
  for (const Profile &profile : kProfiles) {
    if (profile.name != name) continue;
    Impairment impairment;
    profile.fill(impairment);
    return impairment;
  }
  return std::nullopt;
}

}  // namespace avc::net
