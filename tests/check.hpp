// Check, for tests of core and launcher code (element tests include gst_check.hpp instead):
//
//   START_TEST(total_loss_forwards_nothing) { ck_assert(...); } END_TEST
//   AVC_TESTS("loss", total_loss_forwards_nothing, ...)
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <check.h>

namespace avc::test {

inline int run(const char *name, std::initializer_list<const TTest *> tests) {
  Suite *suite = suite_create(name);
  TCase *cases = tcase_create(name);
  suite_add_tcase(suite, cases);
  for (const TTest *test : tests) tcase_add_test(cases, test);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  const int failed = srunner_ntests_failed(runner);
  const int ran = srunner_ntests_run(runner);
  srunner_free(runner);
  return failed == 0 && ran == static_cast<int>(tests.size()) ? 0 : 1;
}

}  // namespace avc::test

// Two texts, either of them perhaps a temporary (which ck_assert_str_eq would look at after its end).
#define avc_assert_text(got, wanted)                                                                    \
  do {                                                                                                  \
    const std::string avc_got(got), avc_wanted(wanted);                                                 \
    ck_assert_msg(avc_got == avc_wanted, "got \"%s\", not \"%s\"", avc_got.c_str(), avc_wanted.c_str()); \
  } while (0)

#define AVC_TESTS(name, ...) \
  int main() { return avc::test::run(name, {__VA_ARGS__}); }
