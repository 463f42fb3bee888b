// Link traces that we make ourselves, from a written model and a seed: no recording of anybody's network. The files
// in pipelines/traces are their output. Models and figures: docs/model.md.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "core/net/link_trace.hpp"

namespace avc::net {

std::span<const std::string_view> built_in_traces();                     // "lte", "wifi", "tunnel"
std::shared_ptr<const LinkTrace> built_in_trace(std::string_view name);  // none of that name: nothing

// The model behind a name, with another seed or length. `seconds` 1..3600.
std::shared_ptr<const LinkTrace> make_trace(std::string_view name, std::uint64_t seed, std::uint32_t seconds);

}  // namespace avc::net
