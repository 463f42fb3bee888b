// What chaosdegrader says of itself in its property `stats` (docs/elements/chaosdegrader.md lists the fields).
#pragma once

#include "elements/degrader/model.hpp"
#include "elements/degrader/outbox.hpp"

namespace avc::degrader {

[[nodiscard]] Ptr<GstStructure> stats_of(const Model &model, Outbox &outbox);

}  // namespace avc::degrader
