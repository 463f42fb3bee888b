// Writing past the processor's caches, for what is not read again before it would have left them anyway. An ordinary
// write first fetches the line that it changes; with very many of them, all over a large memory, the processor waits
// for that most of the time.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <type_traits>

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace avc::runtime {

// Of cache lines. Other threads see it after flush_stores() at the latest.
template <class T>
void store_past_caches(T &to, const T &value) {
  static_assert(sizeof(T) % 64 == 0 && std::is_trivially_copyable_v<T>);
#ifdef __x86_64__
  const auto words = std::bit_cast<std::array<std::int64_t, sizeof(T) / 8>>(value);
  auto *place = reinterpret_cast<long long *>(&to);
  for (std::size_t i = 0; i < words.size(); ++i) _mm_stream_si64(place + i, words[i]);
#else
  to = value;
#endif
}

inline void flush_stores() {
#ifdef __x86_64__
  _mm_sfence();
#endif
}

}  // namespace avc::runtime
