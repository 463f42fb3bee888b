#include "elements/media/bare.hpp"

#include <gst/base/gsttypefindhelper.h>

#include <algorithm>
#include <span>

#include "elements/support/mapped.hpp"

namespace avc::media {
namespace {

constexpr double kFastest = 240;  // pictures a second; headers that say more do not mean it

// Exp-Golomb codes (H.264 section 9.1) of a slice header, whose first fields are too short for emulation prevention.
class Bits {
 public:
  explicit Bits(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  unsigned ue() {
    unsigned zeros = 0;
    while (zeros < 32 && at_ < bytes_.size() * 8 && next() == 0) ++zeros;
    unsigned value = 1;
    for (; zeros > 0; --zeros) value = value << 1 | next();
    return value - 1;
  }

 private:
  unsigned next() {
    const unsigned bit = at_ / 8 < bytes_.size() ? bytes_[at_ / 8] >> (7 - at_ % 8) & 1U : 0;
    ++at_;
    return bit;
  }

  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
};

bool is_b_slice(std::span<const std::uint8_t> nal) {
  const unsigned type = nal[0] & 0x1f;
  if (type != 1 && type != 2 && type != 5) return false;  // slices, and the first partition of one
  Bits bits(nal.subspan(1));
  bits.ue();  // first_mb_in_slice
  return bits.ue() % 5 == 1;
}

bool has_b_slices(GstBuffer *unit) {
  constexpr std::uint8_t kStartCode[] = {0, 0, 1};
  const MappedBuffer map(unit);
  std::span<const std::uint8_t> rest = map.bytes();
  for (;;) {
    const auto start = std::search(rest.begin(), rest.end(), std::begin(kStartCode), std::end(kStartCode));
    if (rest.end() - start <= 3) return false;
    rest = {start + 3, rest.end()};
    if (is_b_slice(rest)) return true;
  }
}

bool progressive(const GstCaps *caps) {
  if (caps == nullptr) return false;
  const char *mode = gst_structure_get_string(gst_caps_get_structure(caps, 0), "interlace-mode");
  return mode == nullptr || std::string_view(mode) == "progressive";
}

}  // namespace

FrameRate FrameRate::of(const GstStructure *caps) {
  FrameRate rate;
  if (!gst_structure_get_fraction(caps, "framerate", &rate.n, &rate.d) || rate.n < rate.d || rate.n > kFastest * rate.d)
    return {};
  return rate;
}

FrameRate FrameRate::of(double per_second) {
  FrameRate rate;
  if (per_second > 0) gst_util_double_to_fraction(per_second, &rate.n, &rate.d);
  return rate;
}

Nanos FrameRate::time_of(std::uint64_t picture) const {
  return Nanos(gst_util_uint64_scale(picture, GST_SECOND * static_cast<guint64>(d), static_cast<guint64>(n)));
}

bool is_bare_video(const std::string &path) {
  GMappedFile *file = g_mapped_file_new(path.c_str(), FALSE, nullptr);
  if (file == nullptr) return false;
  const auto dot = path.rfind('.');
  const auto caps = take(gst_type_find_helper_for_data_with_extension(
      nullptr, reinterpret_cast<const guint8 *>(g_mapped_file_get_contents(file)), g_mapped_file_get_length(file),
      dot == std::string::npos ? nullptr : path.c_str() + dot + 1, nullptr));
  g_mapped_file_unref(file);
  if (!caps) return false;
  const GstStructure *type = gst_caps_get_structure(caps.get(), 0);
  return gst_structure_has_name(type, "video/x-h264") || gst_structure_has_name(type, "video/x-h265");
}

bool in_order_of_pictures(const Collected &video) {
  return progressive(video.caps.get()) &&
         std::none_of(video.units.begin(), video.units.end(),
                      [](const CodedUnit &unit) { return has_b_slices(unit.data.get()); });
}

void stamp(Collected &video, const FrameRate &rate) {
  for (std::size_t i = 0; i < video.units.size(); ++i) {
    CodedUnit &unit = video.units[i];
    unit.pts = rate.time_of(i);
    unit.duration = rate.time_of(i + 1) - unit.pts;
  }
  video.timed = true;
}

}  // namespace avc::media
