// RTP packets for element tests: made field by field, read back as bytes.
#pragma once

#include "tests/gst_check.hpp"

#include "core/rtp/header.hpp"
#include "elements/support/mapped.hpp"

namespace avc::test {

struct RtpPacket {
  rtp::Fields fields{96, false, false, 0, 0, 0x11223344};
  std::size_t payload_bytes = 100;
  GstClockTime pts = 0;
};

using Octets = std::vector<std::uint8_t>;

inline Octets octets_of(const RtpPacket &packet) {
  Octets bytes(rtp::kFixedHeaderSize + packet.payload_bytes);
  rtp::write_fixed_header(std::span(bytes).first<rtp::kFixedHeaderSize>(), packet.fields);
  for (std::size_t i = 0; i < packet.payload_bytes; i++) {
    bytes[rtp::kFixedHeaderSize + i] = static_cast<std::uint8_t>(i + packet.fields.sequence);
  }
  return bytes;
}

inline Ptr<GstBuffer> buffer_of(const Octets &bytes, GstClockTime pts = 0) {
  auto buffer = take(gst_buffer_new_allocate(nullptr, bytes.size(), nullptr));
  gst_buffer_fill(buffer.get(), 0, bytes.data(), bytes.size());
  GST_BUFFER_PTS(buffer.get()) = pts;
  return buffer;
}

inline Ptr<GstBuffer> packet_of(const RtpPacket &packet) { return buffer_of(octets_of(packet), packet.pts); }

inline Octets bytes_of(GstBuffer *buffer) {
  MappedBuffer view(buffer);
  return {view.bytes().begin(), view.bytes().end()};
}

inline rtp::Header header_of(const Octets &bytes) {
  const auto header = rtp::parse(bytes);
  ck_assert(header.has_value());
  return *header;
}

inline std::string hex(std::span<const std::uint8_t> bytes) {
  std::string text;
  char two[4];
  for (const auto byte : bytes) {
    std::snprintf(two, sizeof two, "%02x", byte);
    text += two;
  }
  return text;
}

inline Octets unhex(std::string_view text) {
  Octets bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

// The harness has the element itself, not a bin round it, so that properties can be read back.
inline Ptr<GstHarness> harness_of(const std::string &launch) {
  GError *error = nullptr;
  auto element = take(GST_ELEMENT(gst_object_ref_sink(gst_parse_launch(launch.c_str(), &error))));
  ck_assert_msg(error == nullptr, "%s: %s", launch.c_str(), error ? error->message : "");
  return take(gst_harness_new_with_element(element.get(), "sink", "src"));
}

inline Octets pull_bytes(const Ptr<GstHarness> &h) {
  const auto buffer = take(gst_harness_pull(h.get()));
  ck_assert(buffer != nullptr);
  return bytes_of(buffer.get());
}

inline std::string text_stat(GstElement *element, const char *field) {
  GstStructure *raw = nullptr;
  g_object_get(element, "stats", &raw, nullptr);
  const auto stats = take(raw);
  const char *text = gst_structure_get_string(stats.get(), field);
  ck_assert_msg(text != nullptr, "stats has no text %s", field);
  return text;
}

inline guint64 stat(GstElement *element, const char *field) {
  GstStructure *raw = nullptr;
  g_object_get(element, "stats", &raw, nullptr);
  const auto stats = take(raw);
  const GValue *value = gst_structure_get_value(stats.get(), field);
  ck_assert_msg(value != nullptr, "stats has no %s", field);
  if (G_VALUE_HOLDS_UINT(value)) return g_value_get_uint(value);
  ck_assert_msg(G_VALUE_HOLDS_UINT64(value), "%s is no whole number", field);
  return g_value_get_uint64(value);
}

}  // namespace avc::test
