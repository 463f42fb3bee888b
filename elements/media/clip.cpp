#include "elements/media/clip.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <utility>

#include "core/rtp/h264.hpp"
#include "elements/media/payload.hpp"

namespace avc::media {
namespace {

constexpr guint64 kMagic = 0x3170696c43435641;  // "AVCCClip1", little-endian

// Fixed-size records inside the packed form; offsets are into its last part.
struct UnitRecord {
  std::int64_t pts, duration;
  std::uint64_t offset;
  std::uint32_t size, first_payload, payloads, keyframe;
};
struct BlockRecord {
  std::uint64_t offset;
  std::uint32_t size, headers;
};
static_assert(sizeof(UnitRecord) == 40 && sizeof(BlockRecord) == 16);

template <class Record>
GVariant *records_variant(const std::vector<Record> &records) {
  return g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, records.data(), records.size() * sizeof(Record), 1);
}

template <class Record>
std::vector<Record> records_of(GVariant *variant) {
  gsize size = 0;
  const void *data = g_variant_get_fixed_array(variant, &size, 1);
  std::vector<Record> records(size / sizeof(Record));
  if (!records.empty()) std::memcpy(records.data(), data, records.size() * sizeof(Record));
  return records;
}

class Block {
 public:
  BlockRecord put(const std::string &bytes, bool headers = false) {
    const auto offset = bytes_.size();
    bytes_ += bytes;
    return {offset, static_cast<std::uint32_t>(bytes.size()), headers};
  }
  const std::string &bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

GVariant *pack_video(const Prepared::Video &video, Block &block) {
  std::vector<UnitRecord> units;
  std::vector<BlockRecord> payloads;
  for (const auto &unit : video.units) {
    const BlockRecord coded = block.put(unit.coded);
    units.push_back({unit.pts.count(), unit.duration.count(), coded.offset, coded.size,
                     static_cast<std::uint32_t>(payloads.size()), static_cast<std::uint32_t>(unit.payloads.size()),
                     unit.keyframe});
    for (const std::string &payload : unit.payloads) {
      const rtp::Bytes bytes(reinterpret_cast<const std::uint8_t *>(payload.data()), payload.size());
      payloads.push_back(block.put(payload, rtp::inspect_h264(bytes).parameter_sets));
    }
  }
  return g_variant_new("(ds@ay@ay)", video.kbps, video.caps.c_str(), records_variant(units), records_variant(payloads));
}

// The part of the packed form that holds the media's bytes, from which each piece is a shared memory.
class Media {
 public:
  explicit Media(GVariant *bytes) {
    const auto held = take(g_variant_get_data_as_bytes(bytes));
    gsize size = 0;
    gconstpointer data = g_bytes_get_data(held.get(), &size);
    bytes_ = {static_cast<const std::uint8_t *>(data), size};
    whole_ = take(gst_memory_new_wrapped(GST_MEMORY_FLAG_READONLY, const_cast<gpointer>(data), size, 0, size,
                                         g_bytes_ref(held.get()),
                                         [](gpointer owner) { g_bytes_unref(static_cast<GBytes *>(owner)); }));
  }
  bool holds(std::uint64_t offset, std::uint32_t size) const {
    return size > 0 && offset <= bytes_.size() && size <= bytes_.size() - offset;
  }
  Ptr<GstMemory> piece(std::uint64_t offset, std::uint32_t size) const {
    return take(gst_memory_share(whole_.get(), static_cast<gssize>(offset), size));
  }
  FramePayload payload(const BlockRecord &record) const {
    return {piece(record.offset, record.size), bytes_.subspan(record.offset, record.size), record.headers != 0};
  }

 private:
  std::span<const std::uint8_t> bytes_;
  Ptr<GstMemory> whole_;
};

bool open_rendition(GVariant *variant, const Media &media, Clip &clip, Nanos length) {
  Rendition rendition;
  const char *caps = nullptr;
  GVariant *unit_bytes = nullptr, *payload_bytes = nullptr;
  g_variant_get(variant, "(d&s@ay@ay)", &rendition.kbps, &caps, &unit_bytes, &payload_bytes);
  const auto units = records_of<UnitRecord>(unit_bytes);
  const auto payloads = records_of<BlockRecord>(payload_bytes);
  g_variant_unref(unit_bytes);
  g_variant_unref(payload_bytes);
  rendition.caps = take(gst_caps_from_string(caps));
  if (!rendition.caps || units.empty()) return false;

  for (const BlockRecord &record : payloads) {
    if (!media.holds(record.offset, record.size) || record.size > kMaxPayload) return false;
    rendition.payloads.push_back(media.payload(record));
  }
  ClipTiming timing{length, {}, {}};
  std::uint64_t bytes = 0;
  for (const UnitRecord &record : units) {
    const bool ascends = timing.video.empty() ? record.pts >= 0 : Nanos(record.pts) > timing.video.back();
    if (!ascends || record.pts >= length.count() || !media.holds(record.offset, record.size) || record.payloads == 0 ||
        std::uint64_t{record.first_payload} + record.payloads > payloads.size())
      return false;
    AccessUnit unit{media.piece(record.offset, record.size),
                    record.first_payload,
                    record.payloads,
                    Nanos(record.duration),
                    record.keyframe != 0,
                    false};
    for (std::uint32_t i = 0; i < record.payloads; ++i) unit.headers |= payloads[record.first_payload + i].headers != 0;
    if (unit.keyframe) timing.keyframes.push_back(static_cast<std::uint32_t>(timing.video.size()));
    timing.video.push_back(Nanos(record.pts));
    rendition.units.push_back(std::move(unit));
    bytes += record.size;
  }
  rendition.average_kbps = static_cast<double>(bytes) * 8 / 1000 / to_seconds(length);
  if (rendition.kbps <= 0) rendition.kbps = rendition.average_kbps;
  const bool aligned =
      clip.renditions.empty() || (timing.video == clip.timing.video && timing.keyframes == clip.timing.keyframes);
  if (!aligned || timing.keyframes.empty()) return false;
  clip.timing = std::move(timing);
  clip.kbps.push_back(rendition.kbps);
  clip.renditions.push_back(std::move(rendition));
  return true;
}

// profile_idc, constraint flags and level_idc follow the NAL header of a sequence parameter set.
std::string find_profile_level_id(const AccessUnit &unit) {
  GstMapInfo map;
  if (!gst_memory_map(unit.coded.get(), &map, GST_MAP_READ)) return {};
  std::string found;
  for (gsize i = 0; i + 7 <= map.size && found.empty(); ++i) {
    const guint8 *p = map.data + i;
    if (p[0] != 0 || p[1] != 0 || p[2] != 1 || (p[3] & 31u) != 7) continue;
    char text[7];
    std::snprintf(text, sizeof text, "%02x%02x%02x", p[4], p[5], p[6]);
    found = text;
  }
  gst_memory_unmap(unit.coded.get(), &map);
  return found;
}

std::size_t bytes_of(const std::vector<FramePayload> &payloads) {
  std::size_t bytes = 0;
  for (const FramePayload &payload : payloads) bytes += payload.bytes.size();
  return bytes;
}

void sum_up(Clip &clip) {
  constexpr std::size_t kHeader = 12;
  const double seconds = to_seconds(clip.timing.length);
  const auto kbps = [seconds](std::size_t bytes) { return static_cast<double>(bytes) * 8 / 1000 / seconds; };
  const std::size_t audio = bytes_of(clip.audio);
  for (const Rendition &rendition : clip.renditions) {
    const std::size_t packets = rendition.payloads.size() + clip.audio.size();
    clip.rtp_kbps.push_back(kbps(bytes_of(rendition.payloads) + audio + packets * kHeader));
  }
  const auto &best = clip.renditions.front().payloads;
  clip.packets_per_second = static_cast<double>(best.size() + clip.audio.size()) / seconds;
  clip.payload_kbps = kbps(bytes_of(best) + audio);
}

bool open_audio(GVariant *variant, const char *caps, const Media &media, Clip &clip) {
  clip.audio_caps = take(gst_caps_from_string(caps));
  if (!clip.audio_caps) return false;
  for (const BlockRecord &record : records_of<BlockRecord>(variant)) {
    if (!media.holds(record.offset, record.size) || record.size > kMaxPayload) return false;
    clip.audio.push_back(media.payload(record));
  }
  if (clip.audio.size() != clip.timing.audio_frames()) return false;
  gint channels = 2;
  gst_structure_get_int(gst_caps_get_structure(clip.audio_caps.get(), 0), "channels", &channels);
  const std::string silence = opus_silence(static_cast<unsigned>(channels));
  auto *bytes = static_cast<std::uint8_t *>(g_memdup2(silence.data(), silence.size()));
  clip.silence.memory =
      take(gst_memory_new_wrapped(GST_MEMORY_FLAG_READONLY, bytes, silence.size(), 0, silence.size(), bytes, g_free));
  clip.silence.bytes = {bytes, silence.size()};
  return true;
}

}  // namespace

std::string opus_silence(unsigned channels) { return channels == 1 ? "\xf8\xff\xfe" : "\xfc\xff\xfe"; }

Ptr<GBytes> pack(const Prepared &prepared) {
  Block block;
  GVariantBuilder renditions;
  g_variant_builder_init(&renditions, G_VARIANT_TYPE("a(dsayay)"));
  for (const auto &video : prepared.renditions) g_variant_builder_add_value(&renditions, pack_video(video, block));
  std::vector<BlockRecord> audio;
  for (const std::string &packet : prepared.audio) audio.push_back(block.put(packet));
  const auto form = take(g_variant_ref_sink(
      g_variant_new("(txa(dsayay)s@ay@ay)", kMagic, static_cast<gint64>(prepared.length.count()), &renditions,
                    prepared.audio_caps.c_str(), records_variant(audio),
                    g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, block.bytes().data(), block.bytes().size(), 1))));
  return take(g_variant_get_data_as_bytes(form.get()));
}

Result<std::shared_ptr<const Clip>> open_clip(GBytes *packed) {
  const Error damaged{"", "a prepared clip is damaged"};
  const auto form =
      take(g_variant_ref_sink(g_variant_new_from_bytes(G_VARIANT_TYPE("(txa(dsayay)sayay)"), packed, FALSE)));
  guint64 magic = 0;
  gint64 length = 0;
  GVariant *raw[3] = {};
  const char *audio_caps = nullptr;
  g_variant_get(form.get(), "(tx@a(dsayay)&s@ay@ay)", &magic, &length, &raw[0], &audio_caps, &raw[1], &raw[2]);
  const auto renditions = take(raw[0]), audio = take(raw[1]), bytes = take(raw[2]);
  if (magic != kMagic || length <= 0) return damaged;

  const Media media(bytes.get());
  auto clip = std::make_shared<Clip>();
  for (gsize i = 0; i < g_variant_n_children(renditions.get()); ++i) {
    const auto rendition = take(g_variant_get_child_value(renditions.get(), i));
    if (!open_rendition(rendition.get(), media, *clip, Nanos(length))) return damaged;
  }
  if (clip->renditions.empty() || !open_audio(audio.get(), audio_caps, media, *clip)) return damaged;
  sum_up(*clip);
  clip->profile_level_id = find_profile_level_id(clip->renditions[0].units[clip->timing.keyframes[0]]);
  return std::shared_ptr<const Clip>(std::move(clip));
}

}  // namespace avc::media
