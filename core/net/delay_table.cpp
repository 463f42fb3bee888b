#include "core/net/delay_table.hpp"

#include <algorithm>
#include <charconv>
#include <string>

namespace avc::net {

Result<std::shared_ptr<const DelayTable>> DelayTable::parse(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\f\v";
  std::vector<std::int16_t> values;
  std::size_t line = 1, at = 0;
  const auto error = [&](const std::string &what) { return Error{"", "line " + std::to_string(line) + ": " + what}; };
  while (at < text.size()) {
    if (text[at] == '\n') ++line;
    if (kSpace.find(text[at]) != text.npos) {
      ++at;
      continue;
    }
    if (text[at] == '#') {
      at = std::min(text.find('\n', at), text.size());
      continue;
    }
    const std::string_view word = text.substr(at, text.find_first_of(" \t\r\n\f\v#", at) - at);
    std::int16_t value = 0;
    const auto read = std::from_chars(word.data(), word.data() + word.size(), value);
    if (read.ec != std::errc() || read.ptr != word.data() + word.size())
      return error("\"" + std::string(word.substr(0, 40)) + "\" is not a whole number from -32768 to 32767");
    if (values.size() == kMostValues) return error("more than " + std::to_string(kMostValues) + " values");
    values.push_back(value);
    at += word.size();
  }
  if (values.empty()) return Error{"", "the table is empty"};
  std::sort(values.begin(), values.end());
  return std::shared_ptr<const DelayTable>(new DelayTable(std::move(values)));
}

double DelayTable::quantile(double u) const {
  const auto place = static_cast<std::size_t>(u * static_cast<double>(values_.size()));
  return values_[std::min(place, values_.size() - 1)] / static_cast<double>(kScale);
}

}  // namespace avc::net
