#include "tools/render/text.hpp"
#include "tests/tools/same.hpp"
#include "tools/common/exit_code.hpp"
#include "tools/common/words.hpp"

using namespace avc::tools;
using namespace avc::tools::render;

START_TEST(durations_are_seconds_or_have_units) {
  const std::vector<std::pair<const char *, double>> good{{"90", 90},      {"90s", 90},  {"25m", 1500}, {"1h", 3600},
                                                          {"1h30m", 5400}, {"1.5m", 90}, {"500ms", 0.5}};
  for (const auto &[text, seconds] : good) {
    const auto parsed = parse_duration(text);
    ck_assert_msg(parsed.has_value(), "%s", text);
    ck_assert_double_eq_tol(*parsed, seconds, 1e-9);
  }
  for (const char *bad : {"", "0", "-5", "5x", "m", "1h30", "nan", "inf", "1e400", "5 s", "1m,"})
    ck_assert_msg(!parse_duration(bad), "%s", bad);
}
END_TEST

START_TEST(a_slip_of_the_finger_is_recognised_and_a_stranger_is_not) {
  const std::vector<std::string> flags{"--participants", "--duration", "--seed"};
  ck_same(did_you_mean("--particpants", flags).value_or(""), "--participants");
  ck_same(did_you_mean("--sed", flags).value_or(""), "--seed");
  ck_same(did_you_mean("rnu", {"run", "plan"}).value_or(""), "run");
  ck_assert(!did_you_mean("--frobnicate-everything", flags));
}
END_TEST

START_TEST(the_first_in_the_list_decides_between_two_exit_codes) {
  const std::vector<Exit> order{Exit::bad_input, Exit::no_start, Exit::nothing_arrived, Exit::generator_overloaded,
                                Exit::signal,    Exit::stopped,  Exit::threshold,       Exit::warnings};
  for (std::size_t i = 0; i < order.size(); ++i) {
    for (std::size_t j = i; j < order.size(); ++j) {
      ck_assert(worse(order[i], order[j]) == order[i]);
      ck_assert(worse(order[j], order[i]) == order[i]);
    }
    ck_assert(worse(order[i], Exit::ok) == order[i]);
    ck_assert(worse(Exit::other, order[i]) == order[i]);
  }
  ck_assert(worse(Exit::ok, Exit::other) == Exit::other);
  ck_assert(worse(Exit::ok, Exit::ok) == Exit::ok);
}
END_TEST

START_TEST(numbers_from_a_server_map_to_known_codes_only) {
  ck_assert(exit_from_number(110) == Exit::generator_overloaded);
  ck_assert(exit_from_number(0) == Exit::ok);
  ck_assert(exit_from_number(42) == Exit::other);
}
END_TEST

START_TEST(width_counts_columns_not_bytes) {
  ck_assert_uint_eq(width_of("abc"), 3);
  ck_assert_uint_eq(width_of("█░"), 2);
  ck_assert_uint_eq(width_of("\x1b[31mrot\x1b[0m"), 3);
  ck_assert_uint_eq(width_of("漢字"), 4);
  ck_assert_uint_eq(width_of("e\xcc\x81"), 1);  // e with a combining accent
  ck_assert_uint_eq(width_of("a\xff"
                             "b"),
                    3);  // broken UTF-8 does not run away
}
END_TEST

START_TEST(cutting_keeps_within_the_width_and_closes_colours) {
  ck_same(cut("abcdef", 6), "abcdef");
  ck_same(cut("abcdef", 4), "abc…");
  ck_same(cut("\x1b[31mabcdef\x1b[0m", 4), "\x1b[31mabc…\x1b[0m");
  ck_same(cut("漢字", 3), "漢…");
}
END_TEST

START_TEST(numbers_read_well) {
  ck_same(grouped(1234567), "1 234 567");
  ck_same(grouped(999), "999");
  ck_same(grouped(-1234), "-1 234");
  ck_same(grouped(-123), "-123");
  ck_same(fixed(-0.001, 2), "0.00");
  ck_same(fixed(NAN, 2), "–");
  ck_same(fixed(std::optional<double>(), 1), "–");
  ck_same(clock(59.6), "01:00");
  ck_same(clock(3723), "1:02:03");
  ck_same(moment(4.5), "00:04.5");
  ck_same(moment(4.96), "00:05");
  ck_same(moment(60), "01:00");
  ck_same(bit_rate(840), "840 kbit/s");
  ck_same(bit_rate(11234), "11.2 Mbit/s");
  ck_same(bytes(1234567), "1.2 MB");
}
END_TEST

START_TEST(columns_line_up_whatever_the_letters_weigh) {
  const std::string got = table({{"name"}, {"n", true}, {"text"}}, {{"ärger", "1", "a"}, {"x", "1 000", ""}}, 0, {});
  ck_same(got,
          "name       n  text\n"
          "─────  ─────  ────\n"
          "ärger      1  a\n"
          "x      1 000\n");
}
END_TEST

START_TEST(a_table_too_wide_folds_its_last_column_below) {
  const std::string got = table({{"id"}, {"measured"}}, {{"a", "loss 0.0 → 9.9 → 0.0 %"}}, 20, {});
  ck_same(got,
          "id\n"
          "──\n"
          "a\n"
          "    measured: loss\n"
          "      0.0 → 9.9 →\n"
          "      0.0 %\n");
}
END_TEST

AVC_TESTS("tools_text", durations_are_seconds_or_have_units, a_slip_of_the_finger_is_recognised_and_a_stranger_is_not,
          the_first_in_the_list_decides_between_two_exit_codes, numbers_from_a_server_map_to_known_codes_only,
          width_counts_columns_not_bytes, cutting_keeps_within_the_width_and_closes_colours, numbers_read_well,
          columns_line_up_whatever_the_letters_weigh, a_table_too_wide_folds_its_last_column_below)
