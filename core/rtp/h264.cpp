#include "core/rtp/h264.hpp"

namespace avc::rtp {
namespace {

constexpr std::uint8_t kSlice = 1, kPartitionA = 2, kIdrSlice = 5, kSps = 7, kPps = 8, kDelimiter = 9, kLastSingle = 23,
                       kStapA = 24, kFuA = 28;

void note_nal_type(H264Content &content, std::uint8_t type) {
  content.slice |= type >= 1 && type <= kIdrSlice;
  content.idr |= type == kIdrSlice;
  content.parameter_sets |= type == kSps || type == kPps;
}

// `first` is the byte after the NAL unit's header: a slice's begins with first_mb_in_slice as Exp-Golomb code, in
// which a leading 1 is the number 0.
bool begins_access_unit(std::uint8_t type, Bytes first) {
  if (type == kDelimiter || type == kSps) return true;
  return (type == kSlice || type == kPartitionA) && !first.empty() && (first[0] & 0x80);
}

}  // namespace

H264Content inspect_h264(Bytes payload) {
  H264Content content;
  if (payload.empty()) return content;
  const std::uint8_t type = payload[0] & 0x1f;
  if (type >= 1 && type <= kLastSingle) {
    note_nal_type(content, type);
    content.nal_start = content.nal_end = true;
    content.begins_access_unit = begins_access_unit(type, payload.subspan(1));
  } else if (type == kFuA && payload.size() >= 2) {
    note_nal_type(content, payload[1] & 0x1f);
    content.nal_start = payload[1] & 0x80;
    content.nal_end = payload[1] & 0x40;
    content.begins_access_unit = content.nal_start && begins_access_unit(payload[1] & 0x1f, payload.subspan(2));
  } else if (type == kStapA) {
    std::size_t at = 1;
    while (at + 2 < payload.size()) {
      const std::size_t size = read16(payload, at);
      at += 2;
      if (size == 0 || size > payload.size() - at) break;
      const std::uint8_t unit = payload[at] & 0x1f;
      note_nal_type(content, unit);
      if (at == 3) content.begins_access_unit = begins_access_unit(unit, payload.subspan(4, size - 1));
      content.nal_start = content.nal_end = true;
      at += size;
    }
  }
  return content;
}

}  // namespace avc::rtp
