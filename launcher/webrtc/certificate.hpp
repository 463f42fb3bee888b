// Is whoever answers our DTLS handshake the one whose description we were given? RFC 8122: the description names its
// certificate by a hash (a=fingerprint), and RFC 8827 forbids to send anything to another. webrtcbin 1.22 does not
// compare them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#define GST_USE_UNSTABLE_API
#include <gst/webrtc/webrtc.h>

namespace avc::webrtc {

// All that a description names, as "sha-256 4A:…"; one medium's are good for all, since they share a transport.
std::vector<std::string> fingerprints_of(const GstSDPMessage &description);

// What is wrong with this certificate (PEM); nothing where one of the fingerprints is its own. Known are the hashes of
// RFC 8122 but MD2 and MD5, which it forbids, and SHA-224.
std::optional<std::string> certificate_fault(std::string_view pem, const std::vector<std::string> &fingerprints);

// Of a connected webrtcbin, against its remote description.
std::optional<std::string> certificate_fault(GstElement *webrtc);

}  // namespace avc::webrtc
