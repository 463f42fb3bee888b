#include "launcher/rtsp/mounts.hpp"

#include <algorithm>
#include <charconv>

#include "core/spike/schedule.hpp"
#include "elements/support/ptr.hpp"
#include "launcher/rtsp/chain.hpp"

namespace avc::rtsp {
namespace {

Instant now_of(const Test &test) {
  const auto clock = take(gst_system_clock_obtain());
  const auto now = static_cast<GstClockTimeDiff>(gst_clock_get_time(clock.get()));
  return Instant{Nanos(now - static_cast<GstClockTimeDiff>(test.base_time))};
}

// The first are there while running time 0 is still ahead.
bool has_joined(const Test &test, std::uint32_t participant) {
  const auto joins = test.joins.find(participant);
  return joins != test.joins.end() && (joins->second == Nanos(0) || now_of(test) >= Instant{joins->second});
}

}  // namespace

std::optional<Path> parse_path(std::string_view path) {
  if (!path.starts_with('/')) return std::nullopt;
  path.remove_prefix(1);
  const auto slash = path.find('/');
  if (slash == 0 || slash == std::string_view::npos) return std::nullopt;
  Path parsed{std::string(path.substr(0, slash)), 0};
  path.remove_prefix(slash + 1);
  const std::string_view number = path.substr(0, path.find('/'));
  const auto [end, fault] = std::from_chars(number.data(), number.data() + number.size(), parsed.participant);
  if (number.empty() || number.front() == '0' || fault != std::errc() || end != number.data() + number.size())
    return std::nullopt;
  return parsed;
}

void Mounts::publish(const std::string &id, Test test) { (*tests_.lock())[id].test = std::move(test); }

void Mounts::withdraw(const std::string &id) {
  if (tests_.lock()->erase(id) > 0 && withdrawn_) withdrawn_(id);
}

std::vector<std::shared_ptr<Chain>> Mounts::chains_of(Entry &entry) {
  std::erase_if(entry.chains, [](const auto &chain) { return chain.expired(); });
  std::vector<std::shared_ptr<Chain>> chains;
  for (const auto &chain : entry.chains)
    if (auto there = chain.lock()) chains.push_back(std::move(there));
  return chains;
}

// The last to hold a chain ends it: not under the lock.
void Mounts::inject(const std::string &id, const spike::Planned &planned) {
  std::vector<std::shared_ptr<Chain>> chains;
  {
    auto tests = tests_.lock();
    const auto found = tests->find(id);
    if (found == tests->end()) return;
    found->second.test.spikes.push_back(planned);
    chains = chains_of(found->second);
  }
  for (const auto &chain : chains)
    if (spike::addresses(planned.spike, chain->participant())) chain->inject(planned);
}

void Mounts::cancel(const std::string &id, const std::string &spike_id) {
  std::vector<std::shared_ptr<Chain>> chains;
  {
    auto tests = tests_.lock();
    const auto found = tests->find(id);
    if (found == tests->end()) return;
    std::erase_if(found->second.test.spikes, [&](const auto &planned) { return planned.spike.id == spike_id; });
    chains = chains_of(found->second);
  }
  for (const auto &chain : chains) chain->cancel(spike_id);
}

bool Mounts::has(const Path &path) {
  auto tests = tests_.lock();
  const auto found = tests->find(path.test);
  return found != tests->end() && has_joined(found->second.test, path.participant);
}

std::optional<Watched> Mounts::watch(const Path &path) {
  auto tests = tests_.lock();
  const auto found = tests->find(path.test);
  if (found == tests->end() || !has_joined(found->second.test, path.participant)) return std::nullopt;
  const Test &test = found->second.test;
  const std::string number = std::to_string(path.participant);
  const std::string turn = std::to_string(++found->second.made);
  Watched watched{.test = path.test,
                  .participant = path.participant,
                  .seed = test.seed,
                  .base_time = test.base_time,
                  .media = test.media,
                  .network = test.network,
                  .context = "rtsp-" + path.test + "-" + number + "-" + turn};
  // One for each: packets of two chains have the same numbers.
  if (!test.decision_log.empty()) {
    watched.decision_log = test.decision_log.substr(0, test.decision_log.rfind(".jsonl"));
    watched.decision_log += "." + number + ".rtsp-" + turn + ".jsonl";
  }
  return watched;
}

std::vector<spike::Planned> Mounts::add(const Watched &watched, const std::shared_ptr<Chain> &chain) {
  auto tests = tests_.lock();
  const auto found = tests->find(watched.test);
  if (found == tests->end()) return {};
  found->second.chains.push_back(chain);
  const Instant now = now_of(found->second.test);
  std::vector<spike::Planned> to_come;
  for (const spike::Planned &planned : found->second.test.spikes)
    if (planned.end > now && spike::addresses(planned.spike, watched.participant)) to_come.push_back(planned);
  return to_come;
}

}  // namespace avc::rtsp
