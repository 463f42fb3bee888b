// Numbers as people read them: as many decimals as carry meaning, no more.
#pragma once

#include <string>

namespace avc::results {

// At most `decimals` places, trailing zeros removed: 12, 0.5, 3.14. Not-a-number and infinities read "–".
std::string number(double value, int decimals = 2);

// 1234567 -> "1 234 567", with thin non-breaking spaces (UTF-8).
std::string grouped(unsigned long long value);

}  // namespace avc::results
