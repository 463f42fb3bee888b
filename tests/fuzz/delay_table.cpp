// Tables of jitter as strangers write them: refused with a message, or one whose quantiles never fall.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/net/delay_table.hpp"

using namespace avc;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const auto table = net::DelayTable::parse({reinterpret_cast<const char *>(data), size});
  if (!table) {
    if (table.error().message.empty()) std::abort();
    return 0;
  }
  double before = -4;
  for (int i = 0; i <= 64; ++i) {
    const double value = (*table)->quantile(i / 64.0);
    if (value < before || value >= 4) std::abort();
    before = value;
  }
  return 0;
}
