// The table behind effect.hpp: each type's parameters with what they set. Link types and sender types each have a file;
// only effect.cpp reads them.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "core/spike/effect.hpp"

namespace avc::spike {

// A parameter: a number within [low, high] (a whole one if it must be), one of `words` (then `apply` gets the word's
// index), or a text that `apply_text` takes or refuses.
struct Rule {
  std::string_view name, unit, meaning, fallback;
  double low = 0, high = 0;
  std::span<const std::string_view> words{};
  void (*apply)(Effect &, double) = nullptr;
  bool (*apply_text)(Effect &, const std::string &) = nullptr;
  bool whole = false;
};

struct Type {
  std::string_view name, summary;
  std::span<const Rule> rules;
  void (*always)(Effect &) = nullptr;
  bool link_settings = false;  // takes every setting of a link too (net/settings.hpp), which then need no rule
};

inline constexpr std::array<std::string_view, 2> kBools{"false", "true"};

std::span<const Type> link_types();  // carried out by chaosdegrader
// A built-in trace, or a file for whoever applies the effect to read; only the form of the path is checked here.
bool take_trace(Effect &effect, const std::string &text);
std::span<const Type> sender_types();  // by avchaossrc and participanttagger

}  // namespace avc::spike
