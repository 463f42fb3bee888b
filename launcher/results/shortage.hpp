// Which resource was short when the generator could not keep up: what its machine did in that time, in plain words.
#pragma once

#include <string>

#include "launcher/results/samples.hpp"

namespace avc::results {

// Of a generator that was late. Never empty: where nothing stands out, it says so.
std::string late_because(const GeneratorHealth &generator);
// Of packets that the kernel refused: by far the most frequent reason.
std::string refused_because(const GeneratorHealth &generator);

}  // namespace avc::results
