// docs/spikes.md and docs/scenario.md say what the program does: every parameter with its range and default, and
// every key that is read.
#include <fstream>
#include <iterator>

#include "core/spike/effect.hpp"
#include "launcher/scenario/scenario.hpp"
#include "tests/check.hpp"

using namespace avc;

namespace {

std::string page(const char *name) {
  std::ifstream file(std::string(AVC_SOURCE_DIR "/docs/") + name);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

bool holds(const std::string &text, std::string_view part) { return text.find(part) != std::string::npos; }

// The table row of a parameter in the section of its type.
std::string row_of(const std::string &text, std::string_view type, std::string_view param) {
  const auto section = text.find("**`" + std::string(type) + "`**");
  if (section == text.npos) return "";
  const auto end = text.find("\n**`", section + 1);
  const auto row = text.find("| `" + std::string(param) + "` |", section);
  if (row == text.npos || row > end) return "";
  return text.substr(row, text.find('\n', row) - row);
}

}  // namespace

START_TEST(every_parameter_is_described_with_its_range_and_default) {
  const std::string text = page("spikes.md");
  for (const auto &type : spike::types()) {
    ck_assert_msg(holds(text, "**`" + std::string(type.name) + "`**"), "%s", std::string(type.name).c_str());
    for (const auto &param : type.params) {
      const std::string where = std::string(type.name) + "." + std::string(param.name);
      std::string row = row_of(text, type.name, param.name);
      ck_assert_msg(!row.empty(), "no row for %s", where.c_str());
      std::erase(row, '`');
      ck_assert_msg(holds(row, param.range), "%s: range %s", where.c_str(), std::string(param.range).c_str());
      ck_assert_msg(holds(row, param.unit), "%s: unit", where.c_str());
      if (param.name == "port") continue;
      const std::string fallback = param.fallback.empty() ? "required" : std::string(param.fallback);
      ck_assert_msg(holds(row, "| " + fallback), "%s: default %s", where.c_str(), fallback.c_str());
    }
  }
}
END_TEST

// The error for an unknown key lists every key that the parser asks for.
START_TEST(every_key_that_is_read_is_described) {
  const std::string text = page("scenario.md");
  const auto result = scenario::parse(R"({"zzzzzzzzzzzz": 1})", scenario::Source::file);
  std::string keys = std::get<std::vector<Error>>(result).at(0).message;
  keys = keys.substr(keys.find("known: ") + 7) + ", ";
  int found = 0;
  for (std::size_t at = 0, end; (end = keys.find(", ", at)) != keys.npos; at = end + 2, ++found) {
    const std::string key = keys.substr(at, end - at);
    ck_assert_msg(holds(text, "`" + key + "`") || holds(text, "`" + key + "."), "%s is not described", key.c_str());
  }
  ck_assert_int_ge(found, 25);
}
END_TEST

START_TEST(the_example_is_accepted) {
  const std::string text = page("spikes.md");
  const auto begin = text.find("```json\n") + 8;
  const auto result = scenario::parse_spike(text.substr(begin, text.find("```", begin) - begin));
  ck_assert(std::holds_alternative<scenario::SpikeRequest>(result));
}
END_TEST

AVC_TESTS("docs", every_parameter_is_described_with_its_range_and_default, every_key_that_is_read_is_described,
          the_example_is_accepted)
