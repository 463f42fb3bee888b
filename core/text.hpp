// Words and numbers as people type them: how a setting's name is compared, what an unknown one may have meant, and
// decimal numbers that read the same in every locale.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace avc {

// loss-percent, loss_percent and loss_percentage are one setting: "loss_percent".
std::string setting_name(std::string_view name);
bool same_setting(std::string_view a, std::string_view b);

// The known word that `word` most likely stands for, if one is close; spelled as in `known`.
std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> known);

// `unknown KIND "word"; did you mean "x"?`, or the list of what is known when nothing is close.
std::string unknown_text(std::string_view kind, std::string_view word, std::span<const std::string_view> known);

// Decimal text, all of it; "1e999" and "inf" are infinite and "nan" is not a number, for the caller's range to refuse.
std::optional<double> parse_number(std::string_view text);
std::string number_text(double value);  // the shortest text that reads back the same

// Do brackets nest deeper than `levels`? For JSON on its way to json-glib, whose parser recurses without a bound.
bool nests_deeper(std::string_view json, unsigned levels);

}  // namespace avc
