#include "core/spike/plan.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/text.hpp"

namespace avc::spike {
namespace {

constexpr std::array<std::string_view, 5> kStrategies{"even", "random", "front_loaded", "back_loaded", "legacy"};
constexpr Nanos kEndlessLength = std::chrono::seconds(300);
constexpr Nanos kLastMoment = std::chrono::seconds(1);  // the shortest stretch worth keeping for the last spike

struct Slot {
  Spike spike;
  Nanos start;
  Nanos earliest;
};

std::string seconds_text(Nanos span) { return number_text(std::round(to_seconds(span) * 1000) / 1000) + " s"; }

Nanos endless_length(const std::vector<Spike> &spikes) {
  Nanos length = kEndlessLength;
  for (const Spike &spike : spikes) length = std::max(length, spike.offset + spike.duration.value_or(Nanos(1)));
  return length;
}

// The stretch a strategy fills and the distance between its spikes, never so wide that they leave the test.
struct Layout {
  Nanos begin, interval;
};

Layout layout_of(const Distribution &distribution, Nanos length, std::int64_t count) {
  const bool front = distribution.strategy == Strategy::front_loaded;
  const bool back = distribution.strategy == Strategy::back_loaded;
  const Nanos begin = back ? length * 6 / 10 : Nanos(0);
  const Nanos window = front || back ? length * 4 / 10 : length;
  const Nanos wanted = std::max(window / (count + 1), distribution.min_spacing);
  return {begin, std::min(wanted, (length - begin) / (count + 1))};
}

void place(std::vector<Slot> &slots, const Distribution &distribution, Nanos length, const Rng &rng) {
  const auto layout = layout_of(distribution, length, static_cast<std::int64_t>(slots.size()));
  for (std::size_t i = 0; i < slots.size(); ++i) {
    auto chance = rng.at(i);
    Nanos start;
    if (distribution.strategy == Strategy::random) {
      start = Nanos(static_cast<Nanos::rep>(chance.uniform() * static_cast<double>(length.count())));
    } else {
      const double quarter = static_cast<double>(layout.interval.count()) / 4;
      const double shift = chance.uniform(-1, 1) * quarter * distribution.jitter_percent / 100;
      start = layout.begin + layout.interval * static_cast<std::int64_t>(i + 1) + Nanos(static_cast<Nanos::rep>(shift));
    }
    slots[i].start = std::max(start, slots[i].earliest);
  }
}

// The largest spacing, up to `wanted`, with which sorted slots can all start by `limit`, none before its earliest.
Nanos fitting_spacing(const std::vector<Slot> &slots, Nanos wanted, Nanos limit) {
  for (std::size_t i = 0; i + 1 < slots.size(); ++i) {
    wanted = std::min(wanted, (limit - slots[i].earliest) / static_cast<std::int64_t>(slots.size() - 1 - i));
  }
  return wanted;
}

void space(std::vector<Slot> &slots, Nanos spacing, Nanos limit) {
  for (std::size_t i = 1; i < slots.size(); ++i) {
    slots[i].start = std::max(slots[i].start, slots[i - 1].start + spacing);
  }
  for (std::size_t i = slots.size(); i-- > 0; limit -= spacing) slots[i].start = std::min(slots[i].start, limit);
}

void sort_by_start(std::vector<Slot> &slots) {
  std::stable_sort(slots.begin(), slots.end(), [](const Slot &a, const Slot &b) { return a.start < b.start; });
}

// Strategies other than legacy: place, sort, keep apart.
void distribute(Plan &plan, std::vector<Slot> &slots, const Distribution &distribution, const Rng &rng) {
  if (slots.empty()) return;
  const auto count = static_cast<std::int64_t>(slots.size());
  place(slots, distribution, plan.length, rng);
  sort_by_start(slots);

  Nanos limit = plan.length - std::min(kLastMoment, plan.length / (count + 1)) - Nanos(1);
  for (const Slot &slot : slots) limit = std::max(limit, slot.earliest);
  Nanos spacing = distribution.min_spacing;
  if (distribution.strategy != Strategy::random && count > 1) {
    spacing = std::min(spacing, layout_of(distribution, plan.length, count).interval);
  }
  spacing = fitting_spacing(slots, spacing, limit);
  if (spacing < distribution.min_spacing) {
    plan.warnings.push_back(std::to_string(count) + " spikes at least " + seconds_text(distribution.min_spacing) +
                            " apart do not fit into the test's " + seconds_text(plan.length) +
                            "; the spacing was reduced to " + seconds_text(spacing));
  }
  space(slots, spacing, limit);
}

Instant end_of(const Slot &slot, Nanos length, bool endless) {
  if (!slot.spike.duration || slot.spike.duration->count() <= 0) return Instant::never();
  const Nanos room = length - slot.start;
  return Instant{slot.start + (endless ? *slot.spike.duration : std::min(*slot.spike.duration, room))};
}

}  // namespace

std::string_view name(Strategy strategy) { return kStrategies[static_cast<std::size_t>(strategy)]; }

Result<Strategy> strategy_from(std::string_view name) {
  const auto found = std::find(kStrategies.begin(), kStrategies.end(), name);
  if (found == kStrategies.end()) return Error{"strategy", unknown_text("strategy", name, kStrategies)};
  return static_cast<Strategy>(found - kStrategies.begin());
}

Plan make_plan(std::vector<Spike> spikes, const Distribution &distribution, Nanos length, const Rng &rng) {
  const bool endless = length.count() <= 0;
  const bool legacy = distribution.strategy == Strategy::legacy;
  Plan plan;
  plan.length = endless ? endless_length(spikes) : length;

  std::vector<Slot> slots;
  for (Spike &spike : spikes) {
    const Nanos earliest = legacy || distribution.respect_min_offset ? std::max(spike.offset, Nanos(0)) : Nanos(0);
    if (earliest >= plan.length) {
      plan.warnings.push_back("spike \"" + spike.id + "\" is left out: its offset of " + seconds_text(earliest) +
                              " is not within the test's " + seconds_text(plan.length));
      continue;
    }
    slots.push_back({std::move(spike), earliest, earliest});
  }
  if (!legacy) distribute(plan, slots, distribution, rng);
  sort_by_start(slots);
  for (Slot &slot : slots) {
    const Instant end = end_of(slot, plan.length, endless);
    plan.spikes.push_back({std::move(slot.spike), Instant{slot.start}, end});
  }
  return plan;
}

}  // namespace avc::spike
