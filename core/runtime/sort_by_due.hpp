// Sorts many things by their times: spread over so many buckets of equal width that hardly two lie in one, then put
// right by insertion. Where times are spread evenly, as they are within a day of a calendar, that is a few steps for
// each where comparing takes the logarithm of their number. Those of equal times keep their order.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace avc::runtime {

// Of things with a `due`. `room` is for the work, and best kept for the next time. Where times are not spread (many in
// one bucket), this is std::stable_sort.
template <class T>
void sort_by_due(std::span<T> all, std::vector<T> &room) {
  constexpr std::size_t kMostBuckets = 1024, kMostInBucket = 32;
  if (all.size() < 2) return;
  const auto at = [](const T &each) { return each.due.since_origin.count(); };
  auto first = at(all[0]), last = first;
  for (const T &each : all) {
    first = std::min(first, at(each));
    last = std::max(last, at(each));
  }
  const std::size_t buckets = std::min(std::bit_ceil(all.size()), kMostBuckets);
  const auto width = std::bit_width(static_cast<std::uint64_t>(last - first)), wanted = std::bit_width(buckets) - 1;
  const auto shift = width - std::min(width, wanted);
  const auto bucket_of = [&](const T &each) { return static_cast<std::uint64_t>(at(each) - first) >> shift; };

  std::array<std::uint32_t, kMostBuckets + 1> ends;
  std::fill_n(ends.begin(), buckets + 1, 0);
  for (const T &each : all) ++ends[bucket_of(each) + 1];
  if (*std::max_element(ends.begin(), ends.begin() + static_cast<std::ptrdiff_t>(buckets) + 1) > kMostInBucket) {
    std::ranges::stable_sort(all, {}, &T::due);
    return;
  }
  for (std::size_t i = 1; i <= buckets; ++i) ends[i] += ends[i - 1];
  room.assign(all.begin(), all.end());
  for (const T &each : room) all[ends[bucket_of(each)]++] = each;

  for (std::size_t i = 1; i < all.size(); ++i) {
    const T each = all[i];
    std::size_t to = i;
    for (; to > 0 && at(each) < at(all[to - 1]); --to) all[to] = all[to - 1];
    all[to] = each;
  }
}

}  // namespace avc::runtime
