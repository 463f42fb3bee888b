// What chaosdegrader says of itself in its property `stats` (docs/elements/chaosdegrader.md lists the fields).
#pragma once

#include "elements/degrader/model.hpp"
#include "elements/degrader/outbox.hpp"
#include "elements/support/ptr.hpp"

namespace avc::degrader {

// `waiting`: packets whose fate is open.
[[nodiscard]] Ptr<GstStructure> stats_of(const Model &model, Outbox &outbox, std::size_t waiting);

}  // namespace avc::degrader
