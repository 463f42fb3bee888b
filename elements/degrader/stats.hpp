// What chaosdegrader says of itself in its properties `stats` and `counters` (docs/elements/chaosdegrader.md lists
// the fields).
#pragma once

#include "elements/degrader/model.hpp"
#include "elements/degrader/outbox.hpp"
#include "elements/support/counters.hpp"
#include "elements/support/ptr.hpp"

namespace avc::degrader {

// `waiting`: packets whose fate is open.
[[nodiscard]] Ptr<GstStructure> stats_of(const Model &model, Outbox &outbox, std::size_t waiting);
LinkCounters counters_of(const Model &model);

}  // namespace avc::degrader
