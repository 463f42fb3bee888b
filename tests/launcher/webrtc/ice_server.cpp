// What becomes of the STUN and TURN servers that an endpoint names.
#include "launcher/webrtc/ice_server.hpp"

#include <optional>

#include "tests/check.hpp"

using namespace avc::webrtc;
using avc::Error;
using avc::Result;

START_TEST(a_url_becomes_what_webrtcbin_takes) {
  const struct {
    IceServer server;
    const char *address, *uri;
  } rows[] = {
      {{"stun:s.example", "", ""}, "10.0.0.1", "stun://10.0.0.1:3478"},
      {{"STUN:s.example:99", "", ""}, "10.0.0.1", "stun://10.0.0.1:99"},
      {{"turn:t.example", "me", "it"}, "10.0.0.1", "turn://me:it@10.0.0.1:3478"},
      {{"turn:t.example?transport=udp", "me", "it"}, "10.0.0.1", "turn://me:it@10.0.0.1:3478"},
      {{"turn:t.example:80?transport=tcp", "a:b", "c@d/"}, "::1", "turn://a%3Ab:c%40d%2F@[::1]:80?transport=tcp"},
      {{"turns:[fc00::1]", "me", "it"}, "fc00::1", "turns://me:it@[fc00::1]:5349"},
      {{"turns:[fc00::1]:1", "me", "it"}, "fc00::1", "turns://me:it@[fc00::1]:1"},
  };
  for (const auto &[server, address, uri] : rows) {
    ck_assert_msg(bool(host_of(server)), "%s", server.url.c_str());
    avc_assert_text(server_uri(server, address), uri);
  }
  avc_assert_text(*host_of({"turns:[fc00::1]:1", "me", "it"}), "fc00::1");
  avc_assert_text(*host_of({"stun:s.example:99", "", ""}), "s.example");
}
END_TEST

START_TEST(what_is_no_server_is_refused) {
  for (const char *url : {"", "stun", "http://s.example", "stun:", "stun::1", "stun:s:0", "stun:s:65536", "stun:s:x",
                          "turn:[fc00::1", "turn:[fc00::1]x", "turn:t?transport=sctp"}) {
    ck_assert_msg(!host_of({url, "me", "it"}), "%s", url);
  }
  avc_assert_text(host_of({"turn:t.example", "", "it"}).error().message, "has no username or no credential");
}
END_TEST

START_TEST(those_that_may_not_be_asked_are_left_out_and_named) {
  std::vector<std::pair<std::string, std::function<void(Result<std::string>)>>> asked;
  const Resolve later = [&](const std::string &host, std::function<void(Result<std::string>)> done) {
    asked.emplace_back(host, std::move(done));
  };
  std::optional<UsableServers> found;
  find_usable({{"turn:a", "me", "it"}, {"ftp:b", "", ""}, {"stun:c", "", ""}, {"stun:d", "", ""}}, later,
              [&](UsableServers servers) { found = std::move(servers); });
  ck_assert_uint_eq(asked.size(), 3);
  asked[2].second(std::string("10.0.0.4"));
  asked[1].second(Error{"", "is not allowed"});
  ck_assert(!found);
  asked[0].second(std::string("10.0.0.1"));
  ck_assert(found.has_value());
  ck_assert_uint_eq(found->uris.size(), 2);
  avc_assert_text(found->uris[0], "turn://me:it@10.0.0.1:3478");
  avc_assert_text(found->uris[1], "stun://10.0.0.4:3478");
  ck_assert_uint_eq(found->refusals.size(), 2);
  avc_assert_text(found->refusals[0], "ftp:b: is no stun:, turn: or turns: URL");
  avc_assert_text(found->refusals[1], "stun:c: is not allowed");
}
END_TEST

START_TEST(no_servers_are_an_answer_too) {
  bool called = false;
  find_usable(
      {}, [](const std::string &, const std::function<void(Result<std::string>)> &) { ck_abort(); },
      [&](const UsableServers &servers) { called = servers.uris.empty() && servers.refusals.empty(); });
  ck_assert(called);
}
END_TEST

AVC_TESTS("ice server", a_url_becomes_what_webrtcbin_takes, what_is_no_server_is_refused,
          those_that_may_not_be_asked_are_left_out_and_named, no_servers_are_an_answer_too)
