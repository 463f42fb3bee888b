// Templates, Link headers, fragments and refusals of WHIP.
#include "launcher/webrtc/whip_text.hpp"

#include "tests/check.hpp"

using namespace avc::webrtc;

START_TEST(a_template_becomes_a_url) {
  const WhipNames names{.id = "1001", .room = "a b/c", .test = "t"};
  avc_assert_text(*whip_url("http://h:1/whip/{room}/{id}?t={test}", names), "http://h:1/whip/a%20b%2Fc/1001?t=t");
  avc_assert_text(*whip_url("https://h/fixed", names), "https://h/fixed");
  avc_assert_text(whip_url("http://h/{name}", names).error().message,
                  "\"{name}\" is not one of {id}, {room} and {test}");
  for (const char *bad : {"", "/whip/{id}", "ftp://h/{id}", "http:///x", "http://h/{id", "http://h/{", "http://h/{}"})
    ck_assert_msg(!whip_url(bad, names), "%s", bad);
}
END_TEST

START_TEST(the_host_does_not_depend_on_names) {
  avc_assert_text(*host_of_template("http://h.example:1/whip/{room}/{id}"), "h.example");
  avc_assert_text(*host_of_template("https://[::1]:1?{id}"), "::1");
  avc_assert_text(host_of_template("http://{id}.example/").error().message, "names may stand in the path only");
  avc_assert_text(host_of_template("http://{test}@h/").error().message, "names may stand in the path only");
  for (const char *bad : {"", "h", "{id}", "http:/h", "http://h/{x}"}) ck_assert_msg(!host_of_template(bad), "%s", bad);
}
END_TEST

START_TEST(ice_servers_are_read_from_link_headers) {
  const std::vector<std::string> links{
      "<stun:stun.example:3478>; rel=\"ice-server\", <https://h/>; rel=next",
      "<turn:t.example?transport=udp>;REL=\"other ICE-server\" ; username = \"a, \\\"b\\\"; c\"; credential=x;"
      " credential-type=\"password\",<turns:t.example>; rel=ice-server",
      "<https://h/a;b,c>; rel=\"preload\"; nopush"};
  const auto servers = ice_servers(links);
  ck_assert_int_eq(static_cast<int>(servers.size()), 3);
  avc_assert_text(servers[0].url, "stun:stun.example:3478");
  avc_assert_text(servers[0].username, "");
  avc_assert_text(servers[1].url, "turn:t.example?transport=udp");
  avc_assert_text(servers[1].username, "a, \"b\"; c");
  avc_assert_text(servers[1].credential, "x");
  avc_assert_text(servers[2].url, "turns:t.example");
}
END_TEST

START_TEST(broken_link_headers_end_somewhere) {
  for (const char *text : {"", "<", "<a", "<a>", "<a>;", "<a>;rel", "<a>;rel=", "<a>;rel=\"", "<a>;rel=\"\\",
                           "<a>,,<b>", "a;rel=ice-server", "<a>;;rel=ice-server", ";", ","}) {
    const std::vector<std::string> links{text};
    ck_assert_msg(ice_servers(links).empty() || std::string(text) == "<a>;;rel=ice-server", "%s", text);
  }
}
END_TEST

START_TEST(a_fragment_says_to_which_transport_it_belongs) {
  const std::string offer =
      "v=0\r\na=group:BUNDLE video0 audio1\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=ice-ufrag:ab\r\n"
      "a=ice-pwd:cd\r\na=mid:video0\r\nm=audio 0 UDP/TLS/RTP/SAVPF 111\r\na=mid:audio1\r\n";
  const std::vector<std::string> found{"candidate:1 1 UDP 1 127.0.0.1 9 typ host"};
  avc_assert_text(trickle_fragment(offer, found, true),
                  "a=group:BUNDLE video0 audio1\r\na=ice-ufrag:ab\r\na=ice-pwd:cd\r\n"
                  "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:video0\r\n"
                  "a=candidate:1 1 UDP 1 127.0.0.1 9 typ host\r\na=end-of-candidates\r\n");
  avc_assert_text(trickle_fragment("", {}, false), "");
}
END_TEST

START_TEST(a_refusal_is_one_line_for_people) {
  const std::string problem = "application/problem+json";
  avc_assert_text(refusal_text(403, "Forbidden", problem, R"({"title":"No","detail":"not\nyours"})"),
                  "403 Forbidden: not");
  avc_assert_text(refusal_text(403, "Forbidden", "application/json", R"({"error":"x"})"), "403 Forbidden: x");
  for (const char *body : {"", "[", "[]", "{}", R"({"detail":1})"})
    avc_assert_text(refusal_text(403, "Forbidden", problem, body), "403 Forbidden");
  avc_assert_text(refusal_text(418, "", "text/plain", " \r\nshort\x1b[1m and stout\r\nmore"),
                  "418: short[1m and stout");
  const std::string longer = refusal_text(400, "Bad", "text/plain", std::string(9000, 'x'));
  ck_assert(longer.size() < 250 && longer.ends_with("…"));
  const std::string binary = refusal_text(400, "Bad", "", "\xff\xfe");
  ck_assert(binary.find('\xff') == std::string::npos);
}
END_TEST

AVC_TESTS("whip text", a_template_becomes_a_url, the_host_does_not_depend_on_names,
          ice_servers_are_read_from_link_headers, broken_link_headers_end_somewhere,
          a_fragment_says_to_which_transport_it_belongs, a_refusal_is_one_line_for_people)
