// The TURN servers that the environment names.
#include "launcher/webrtc/ice.hpp"

#include "tests/check.hpp"

using namespace avc::webrtc;

START_TEST(without_a_host_there_is_no_server) { ck_assert(turn_servers({}, 1001).empty()); }
END_TEST

START_TEST(a_server_is_reached_over_udp_and_tcp) {
  const auto servers = turn_servers({.host = "turn.example", .username = "me", .password = "a:b@c/d"}, 1001);
  ck_assert_int_eq(static_cast<int>(servers.size()), 2);
  avc_assert_text(servers[0], "turn://me:a%3Ab%40c%2Fd@turn.example:3478");
  avc_assert_text(servers[1], servers[0] + "?transport=tcp");
  avc_assert_text(turn_servers({.host = "turn.example:3479"}, 1001)[0], "turn://webrtc:webrtc123@turn.example:3479");
}
END_TEST

START_TEST(participants_are_spread_over_replicas) {
  const TurnSettings turn{.host = "coturn", .replicas = 3};
  avc_assert_text(turn_servers(turn, 1001)[0], "turn://webrtc:webrtc123@coturn-2.coturn:3478");
  avc_assert_text(turn_servers(turn, 1002)[0], "turn://webrtc:webrtc123@coturn-0.coturn:3478");
}
END_TEST

AVC_TESTS("webrtc ice", without_a_host_there_is_no_server, a_server_is_reached_over_udp_and_tcp,
          participants_are_spread_over_replicas)
