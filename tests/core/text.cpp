#include "core/text.hpp"

#include "tests/check.hpp"

using namespace avc;

START_TEST(hyphens_and_percentages_are_one_setting) {
  ck_assert(same_setting("loss-percent", "loss_percentage"));
  ck_assert(same_setting("loss_percent", "loss-percentage"));
  ck_assert(!same_setting("loss_percent", "drop_percent"));
  ck_assert(setting_name("percentage") == "percentage");
}
END_TEST

START_TEST(a_typing_error_finds_its_word) {
  const std::string_view known[] = {"loss_percentage", "pattern", "burst_length"};
  ck_assert(nearest("pattren", known) == "pattern");
  ck_assert(nearest("loss", known) == "loss_percentage");
  ck_assert(nearest("burst-lenght", known) == "burst_length");
  ck_assert(nearest("bandwidth", known) == std::nullopt);
  ck_assert(nearest("", known) == std::nullopt);
  ck_assert(nearest(std::string(100000, 'p'), known) == std::nullopt);
  ck_assert(unknown_text("key", "pattren", known) == "unknown key \"pattren\"; did you mean \"pattern\"?");
  ck_assert(unknown_text("key", "zzz", known) == "unknown key \"zzz\"; known: loss_percentage, pattern, burst_length");
  ck_assert(unknown_text("key", "zzz", {}) == "unknown key \"zzz\"; it takes none");
}
END_TEST

START_TEST(numbers_are_decimal_text_and_nothing_else) {
  ck_assert(parse_number("10") == 10);
  ck_assert(parse_number("-0.5") == -0.5);
  ck_assert(parse_number("+1e3") == 1000);
  ck_assert(parse_number("1e-999") == 0);
  ck_assert(std::isinf(*parse_number("1e999")) && *parse_number("1e999") > 0);
  ck_assert(*parse_number("-1e999") < 0);
  ck_assert(std::isnan(*parse_number("nan")));
  for (const char *bad : {"", " 1", "1 ", "0x10", "1,5", "ten", "10%", "+-1", "+", "-", "1e", "--1"}) {
    ck_assert_msg(!parse_number(bad), "accepted \"%s\"", bad);
  }
}
END_TEST

START_TEST(number_text_reads_back_the_same) {
  ck_assert(number_text(10) == "10");
  ck_assert(number_text(1000000) == "1000000");
  ck_assert(number_text(0.1) == "0.1");
  for (const double value : {0.1, 1.0 / 3, 1e300, -2.5e-7, 12345678901234.0}) {
    ck_assert(parse_number(number_text(value)) == value);
  }
}
END_TEST

START_TEST(deep_nesting_is_seen_before_a_parser_recurses) {
  ck_assert(nests_deeper("[[[1]]]", 2));
  ck_assert(!nests_deeper("[[[1]]]", 3));
  ck_assert(!nests_deeper("[[1],[2],{\"a\":{}}]", 3));
  ck_assert(!nests_deeper(R"(["[[[[", "\"[[[["])", 1));
  ck_assert(!nests_deeper("]]]][", 1));
  ck_assert(nests_deeper(std::string(1000000, '{'), 32));
}
END_TEST

AVC_TESTS("text", hyphens_and_percentages_are_one_setting, a_typing_error_finds_its_word,
          numbers_are_decimal_text_and_nothing_else, number_text_reads_back_the_same,
          deep_nesting_is_seen_before_a_parser_recurses)
