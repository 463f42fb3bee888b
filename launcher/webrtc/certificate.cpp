#include "launcher/webrtc/certificate.hpp"

#include <array>
#include <memory>
#include <span>
#include <utility>

#include "elements/support/ptr.hpp"

namespace avc::webrtc {
namespace {

constexpr std::array<std::pair<std::string_view, GChecksumType>, 4> kHashes{{{"sha-1", G_CHECKSUM_SHA1},
                                                                             {"sha-256", G_CHECKSUM_SHA256},
                                                                             {"sha-384", G_CHECKSUM_SHA384},
                                                                             {"sha-512", G_CHECKSUM_SHA512}}};

struct Freed {
  void operator()(gpointer memory) const noexcept { g_free(memory); }
};

// The certificate's own bytes (DER): what stands between PEM's lines.
std::vector<guchar> der_of(std::string_view pem) {
  constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----", kEnd = "-----END CERTIFICATE-----";
  const auto begin = pem.find(kBegin), end = pem.find(kEnd);
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) return {};
  const std::string coded(pem.substr(begin + kBegin.size(), end - begin - kBegin.size()));
  gsize size = 0;
  const std::unique_ptr<guchar, Freed> bytes(g_base64_decode(coded.c_str(), &size));
  return {bytes.get(), bytes.get() + size};
}

// As a description spells it: "4A:AD:…".
std::string hash_of(const std::vector<guchar> &der, GChecksumType type) {
  const std::unique_ptr<gchar, Freed> digits(g_compute_checksum_for_data(type, der.data(), der.size()));
  std::string out;
  for (const gchar *at = digits.get(); *at != '\0'; at += 2) {
    if (!out.empty()) out += ':';
    out += g_ascii_toupper(at[0]);
    out += g_ascii_toupper(at[1]);
  }
  return out;
}

bool is_of(const std::vector<guchar> &der, const std::string &fingerprint) {
  const auto space = fingerprint.find(' ');
  if (space == std::string::npos) return false;
  for (const auto &[name, type] : kHashes) {
    if (g_ascii_strcasecmp(fingerprint.substr(0, space).c_str(), std::string(name).c_str()) != 0) continue;
    return g_ascii_strcasecmp(fingerprint.substr(space + 1).c_str(), hash_of(der, type).c_str()) == 0;
  }
  return false;
}

void add_fingerprints(std::vector<std::string> &out, guint count, auto attribute) {
  for (guint i = 0; i < count; ++i) {
    const GstSDPAttribute &one = *attribute(i);
    if (g_str_equal(one.key, "fingerprint") && one.value != nullptr) out.emplace_back(one.value);
  }
}

// What came in the handshake; empty: nothing was found.
std::string peer_certificate(GstElement *webrtc) {
  GstIterator *each = gst_bin_iterate_all_by_element_factory_name(GST_BIN(webrtc), "dtlsdec");
  std::string pem;
  GValue item = G_VALUE_INIT;
  for (auto step = gst_iterator_next(each, &item); pem.empty(); step = gst_iterator_next(each, &item)) {
    if (step == GST_ITERATOR_RESYNC) gst_iterator_resync(each);
    if (step == GST_ITERATOR_RESYNC) continue;
    if (step != GST_ITERATOR_OK) break;
    gchar *text = nullptr;
    g_object_get(g_value_get_object(&item), "peer-pem", &text, nullptr);
    if (text != nullptr) pem = text;
    g_free(text);
    g_value_reset(&item);
  }
  g_value_unset(&item);
  gst_iterator_free(each);
  return pem;
}

}  // namespace

std::vector<std::string> fingerprints_of(const GstSDPMessage &description) {
  std::vector<std::string> all;
  add_fingerprints(all, gst_sdp_message_attributes_len(&description),
                   [&](guint i) { return gst_sdp_message_get_attribute(&description, i); });
  for (guint m = 0; m < gst_sdp_message_medias_len(&description); ++m) {
    const GstSDPMedia &media = *gst_sdp_message_get_media(&description, m);
    add_fingerprints(all, gst_sdp_media_attributes_len(&media),
                     [&](guint i) { return gst_sdp_media_get_attribute(&media, i); });
  }
  return all;
}

std::optional<std::string> certificate_fault(std::string_view pem, const std::vector<std::string> &fingerprints) {
  const auto der = der_of(pem);
  if (der.empty()) return "the DTLS handshake showed no certificate";
  for (const std::string &one : fingerprints) {
    if (is_of(der, one)) return std::nullopt;
  }
  return "its DTLS certificate is not the one that its description names (a=fingerprint): it is sha-256 " +
         hash_of(der, G_CHECKSUM_SHA256);
}

std::optional<std::string> certificate_fault(GstElement *webrtc) {
  GstWebRTCSessionDescription *remote = nullptr;
  g_object_get(webrtc, "remote-description", &remote, nullptr);
  if (remote == nullptr) return "there is no description to compare the certificate with";
  const auto named = fingerprints_of(*remote->sdp);
  gst_webrtc_session_description_free(remote);
  return certificate_fault(peer_certificate(webrtc), named);
}

}  // namespace avc::webrtc
