#include "core/rtp/ssrc_table.hpp"

#include <unordered_map>

#include "core/random.hpp"
#include "tests/check.hpp"

using namespace avc;

START_TEST(it_tells_what_a_map_tells) {
  const Rng rng(7);
  std::uint64_t draws = 0;
  const auto draw = [&](std::uint64_t below) { return static_cast<std::uint32_t>(rng.at(draws++).below(below)); };
  rtp::SsrcTable table(99);
  std::unordered_map<std::uint32_t, std::uint32_t> map;
  for (int i = 0; i < 200'000; ++i) {
    // Few values, so that most steps find something; some of them the strangest SSRCs there are.
    const std::uint32_t ssrc = draw(4) ? 1000 * draw(3000) : 0xffffffff - draw(3000);
    if (draw(3)) {
      table.put(ssrc, static_cast<std::uint32_t>(i));
      map[ssrc] = static_cast<std::uint32_t>(i);
    } else {
      table.erase(ssrc);
      map.erase(ssrc);
    }
    ck_assert_uint_eq(table.size(), map.size());
    const std::uint32_t asked = 1000 * draw(3000);
    const auto wanted = map.find(asked);
    const auto got = table.find(asked);
    ck_assert(got.has_value() == (wanted != map.end()));
    if (got) ck_assert_uint_eq(*got, wanted->second);
  }
  for (const auto &[ssrc, number] : map) ck_assert_uint_eq(table.find(ssrc).value(), number);
}
END_TEST

START_TEST(an_empty_table_finds_nothing) {
  rtp::SsrcTable table(1);
  ck_assert(!table.find(0));
  table.erase(0);
  ck_assert_uint_eq(table.size(), 0);
}
END_TEST

AVC_TESTS("ssrc table", it_tells_what_a_map_tells, an_empty_table_finds_nothing)
