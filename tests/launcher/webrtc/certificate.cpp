// Whose certificate is it? A certificate of openssl's, and its hashes as openssl prints them.
#include "launcher/webrtc/certificate.hpp"

#include "launcher/webrtc/sdp.hpp"
#include "tests/check.hpp"

using namespace avc::webrtc;

namespace {

const char *kPem =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBdjCCARugAwIBAgIUSZhSgLCa6Gu5lKuQ4qwSXnj+QrUwCgYIKoZIzj0EAwIw\n"
    "DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjIwNDA2MjBaGA8yMTI2MTAyOTA0MDYy\n"
    "MFowDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABFPZ\n"
    "sR8h/6bAj8V1GHIRFzmiPISuLibQpjwnTh1Lm1bFTiNTk0u2lcTBum2Z0FUZzBby\n"
    "XOULUP7nblZeOia2QZyjUzBRMB0GA1UdDgQWBBRq3Jp1OkIcLGpROqJLGslZeDtj\n"
    "fTAfBgNVHSMEGDAWgBRq3Jp1OkIcLGpROqJLGslZeDtjfTAPBgNVHRMBAf8EBTAD\n"
    "AQH/MAoGCCqGSM49BAMCA0kAMEYCIQDP51JBLOCvUnuCCLp6LwdCDDNCP3wWOe+p\n"
    "TAFQsV571wIhAJxKRPm6pLghLLW684R/NVKsbJkQXuSeNzQ4ByJyhAbx\n"
    "-----END CERTIFICATE-----\n";

const std::string kSha1 = "A7:E9:FA:2E:59:E2:EB:AE:53:28:0C:06:F3:C5:E4:31:D3:D3:70:17";
const std::string kSha256 =
    "F9:C6:90:05:15:9E:10:1A:C4:43:88:E4:F2:E6:42:60:AE:5E:28:58:C4:60:07:F9:D7:3B:66:68:50:F5:C0:CC";
const std::string kSha384 =
    "42:F7:E5:5B:66:9C:24:A6:12:89:C5:55:41:A5:40:83:66:99:E5:39:53:4C:38:DD:C4:A3:61:D3:B7:FF:23:FC:37:DC:52:A0:91:54:"
    "F0:62:B2:72:2A:6A:7E:C4:D9:94";

}  // namespace

START_TEST(one_of_the_hashes_named_has_to_be_its_own) {
  std::string wrong = kSha256, lower = kSha256;
  wrong[0] = 'E';
  for (char &c : lower) c = static_cast<char>(g_ascii_tolower(c));
  const struct {
    std::vector<std::string> fingerprints;
    bool good;
  } rows[] = {{{"sha-256 " + kSha256}, true},
              {{"SHA-256 " + lower}, true},
              {{"sha-1 " + kSha1}, true},
              {{"sha-384 " + kSha384}, true},
              {{"sha-256 " + wrong, "sha-256 " + kSha256}, true},
              {{"sha-256 " + wrong}, false},
              {{"sha-1 " + kSha256}, false},
              {{"sha-256 " + kSha256.substr(0, 59)}, false},
              {{"md5 " + kSha256}, false},
              {{kSha256}, false},
              {{""}, false},
              {{}, false}};
  for (const auto &row : rows) {
    const auto fault = certificate_fault(kPem, row.fingerprints);
    ck_assert_msg(!fault == row.good, "%s", row.fingerprints.empty() ? "(none)" : row.fingerprints[0].c_str());
    if (fault) ck_assert(fault->find("sha-256 " + kSha256) != std::string::npos);
  }
}
END_TEST

START_TEST(without_a_certificate_there_is_a_fault) {
  for (const char *none :
       {"", "hello", "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE----------BEGIN CERTIFICATE-----",
        "-----BEGIN CERTIFICATE----------END CERTIFICATE-----"})
    ck_assert(certificate_fault(none, {"sha-256 " + kSha256}).has_value());
}
END_TEST

START_TEST(fingerprints_stand_in_the_session_or_in_its_media) {
  const auto sdp = parse_sdp(
      "v=0\r\ns=-\r\na=fingerprint:sha-1 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n"
      "a=fingerprint:sha-256 2\r\nm=video 9 UDP/TLS/RTP/SAVPF 1\r\na=fingerprint:sha-256 3\r\n");
  ck_assert(fingerprints_of(**sdp) == (std::vector<std::string>{"sha-1 1", "sha-256 2", "sha-256 3"}));
}
END_TEST

AVC_TESTS("webrtc certificate", one_of_the_hashes_named_has_to_be_its_own, without_a_certificate_there_is_a_fault,
          fingerprints_stand_in_the_session_or_in_its_media)
