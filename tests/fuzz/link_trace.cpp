// Link traces as strangers write them: refused with the line at fault, or a trace whose opportunities never go back.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/net/link_trace.hpp"

using namespace avc;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const auto trace = net::LinkTrace::parse({reinterpret_cast<const char *>(data), size});
  if (!trace) {
    if (trace.error().message.empty()) std::abort();
    return 0;
  }
  const Instant from{Nanos(12'345'678'901)};
  auto place = (*trace)->first_from(from);
  if ((*trace)->time(place) < from) std::abort();
  for (int i = 0; i < 100; ++i) {
    const auto next = (*trace)->next(place);
    if ((*trace)->time(next) < (*trace)->time(place)) std::abort();
    place = next;
  }
  return 0;
}
