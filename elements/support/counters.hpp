// What a program that watches thousands of elements reads of each of them every second: those figures of `stats` that
// go on all the time, without what takes time to work out or to name. An element's property `counters` has them as the
// bytes of one of these structs: for programs built together with the elements. All others read `stats`.
#pragma once

#include <gst/gst.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <type_traits>

#include "elements/support/ptr.hpp"

namespace avc {

struct SourceCounters {
  enum class State : std::uint64_t { idle, preparing, running, left, failed } state = State::idle;
  std::uint64_t frames_sent = 0, frames_dropped = 0, audio_frames_sent = 0;
  double bitrate_kbps = 0;
  std::uint64_t key_unit_jumps = 0;
};

struct SchedulerCounters {
  std::uint64_t active = 0;
};

struct LinkCounters {
  struct Stream {
    std::uint64_t in = 0, bytes_in = 0, lost = 0, frame_dropped = 0, queue_dropped = 0, duplicated = 0, corrupted = 0;
  };
  Stream video, audio, rtx;
  std::uint64_t rtcp_in = 0, rtcp_lost = 0, feedback_in = 0, feedback_lost = 0, other_in = 0, reordered = 0,
                delay_count = 0;
  double delay_sum_ms = 0, delay_max_ms = 0, queue_ms = 0, queue_peak_ms = 0;
};

struct SinkCounters {
  // One of the list `remote`, as there.
  struct Remote {
    std::uint32_t ssrc = 0;  // 0: nothing was heard of it
    std::uint32_t jitter = 0;
    std::int64_t packets_lost = 0;
    double fraction_lost = 0, round_trip_ms = 0;
    std::uint64_t reports = 0, nacks = 0, key_unit_requests = 0, extended_reports = 0, duplicates = 0;
  };
  std::uint64_t packets_sent = 0, bytes_sent = 0, errors = 0;
  std::array<Remote, 4> remotes;  // of the streams that were the first to send
};

inline void install_counters(GObjectClass *klass, guint id) {
  g_object_class_install_property(
      klass, id,
      g_param_spec_boxed("counters", "counters", "Figures of stats as bytes, for programs built with the elements",
                         G_TYPE_BYTES, static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
}

template <class C>
void put_counters(GValue *value, const C &counters) {
  static_assert(std::is_trivially_copyable_v<C>);
  g_value_take_boxed(value, g_bytes_new(&counters, sizeof counters));
}

// Nothing if the element's are others: it was built of another version of this file.
template <class C>
std::optional<C> find_counters(GstElement *element) {
  static_assert(std::is_trivially_copyable_v<C>);
  if (g_object_class_find_property(G_OBJECT_GET_CLASS(element), "counters") == nullptr) return std::nullopt;
  GBytes *bytes = nullptr;
  g_object_get(element, "counters", &bytes, nullptr);
  const auto owned = take(bytes);
  if (!bytes || g_bytes_get_size(bytes) != sizeof(C)) return std::nullopt;
  C counters;
  std::memcpy(&counters, g_bytes_get_data(bytes, nullptr), sizeof counters);
  return counters;
}

// For those that find_counters() has found.
template <class C>
C counters_of(GstElement *element) {
  return find_counters<C>(element).value_or(C{});
}

}  // namespace avc
