// Comparing texts that do not outlive the expression they stand in (Check's own macro keeps only a pointer).
#pragma once

#include <string>

#include "tests/check.hpp"

namespace avc::test {

inline void same(const std::string &got, const std::string &wanted, int line) {
  ck_assert_msg(got == wanted, "line %d: got\n%s\nwanted\n%s", line, got.c_str(), wanted.c_str());
}

}  // namespace avc::test

#define ck_same(got, wanted) avc::test::same((got), (wanted), __LINE__)
