// Decision logs as strangers write them: refused with the line at fault, or packets whose fates lie at or past their
// arrival.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/net/replay.hpp"

using namespace avc;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char *>(data), size};
  const auto recording = net::Recording::parse(text);
  if (!recording) {
    if (!recording.error().message.starts_with("line ")) std::abort();
    return 0;
  }
  const auto first = net::parse_recorded(text.substr(0, text.find('\n')));
  if (!first) return 0;  // an empty line
  net::Replay replay(*recording);
  const auto verdict = replay.verdict(first->track, first->n, first->sequence, Instant());
  if (!verdict) std::abort();
  if (const auto *send = std::get_if<net::Send>(&*verdict); send && send->at < Instant()) std::abort();
  return 0;
}
