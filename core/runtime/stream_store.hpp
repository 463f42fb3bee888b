// Writing past the processor's caches, for what is not read again before it would have left them anyway. An ordinary
// write first fetches the line that it changes; with very many of them, all over a large memory, the processor waits
// for that most of the time.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace avc::runtime {

// A cache line, from registers: what was written to memory a moment before in smaller pieces would have to get there
// first. Other threads see it after flush_stores() at the latest.
using Line = std::array<std::uint64_t, 8>;
inline void store_past_caches(void *to, const Line &line) {
#ifdef __x86_64__
  auto *place = static_cast<long long *>(to);
  _mm_stream_si64(place, static_cast<long long>(line[0]));
  _mm_stream_si64(place + 1, static_cast<long long>(line[1]));
  _mm_stream_si64(place + 2, static_cast<long long>(line[2]));
  _mm_stream_si64(place + 3, static_cast<long long>(line[3]));
  _mm_stream_si64(place + 4, static_cast<long long>(line[4]));
  _mm_stream_si64(place + 5, static_cast<long long>(line[5]));
  _mm_stream_si64(place + 6, static_cast<long long>(line[6]));
  _mm_stream_si64(place + 7, static_cast<long long>(line[7]));
#else
  std::memcpy(to, line.data(), sizeof line);
#endif
}

inline void flush_stores() {
#ifdef __x86_64__
  _mm_sfence();
#endif
}

}  // namespace avc::runtime
