#include "launcher/webrtc/whip_text.hpp"

#include <glib.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/json/json.hpp"

namespace avc::webrtc {
namespace {

constexpr std::size_t kLongestReason = 200;

std::string escaped(const std::string &text) {
  char *raw = g_uri_escape_string(text.c_str(), nullptr, FALSE);
  const std::string out = raw;
  g_free(raw);
  return out;
}

bool is_web_url(const std::string &url) {
  GUri *uri = g_uri_parse(url.c_str(), G_URI_FLAGS_ENCODED, nullptr);
  if (uri == nullptr) return false;
  const std::string_view scheme = g_uri_get_scheme(uri);
  const char *host = g_uri_get_host(uri);
  const bool web = (scheme == "http" || scheme == "https") && host != nullptr && *host != '\0';
  g_uri_unref(uri);
  return web;
}

std::string_view trimmed(std::string_view text) {
  const auto from = text.find_first_not_of(" \t\r\n");
  if (from == std::string_view::npos) return "";
  return text.substr(from, text.find_last_not_of(" \t\r\n") - from + 1);
}

// Reads a header from the left: what it is asked for is taken away.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool skip(char wanted) {
    rest_ = rest_.substr(std::min(rest_.find_first_not_of(" \t"), rest_.size()));
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // Up to one of `ends`, which stays.
  std::string_view until(std::string_view ends) {
    const std::string_view found = rest_.substr(0, rest_.find_first_of(ends));
    rest_.remove_prefix(found.size());
    return trimmed(found);
  }
  // A word, or a text in quotes, in which a backslash takes the next character as it is.
  std::string value() {
    if (!skip('"')) return std::string(until(";,"));
    std::string out;
    while (!rest_.empty() && rest_.front() != '"') {
      if (rest_.front() == '\\' && rest_.size() > 1) rest_.remove_prefix(1);
      out += rest_.front();
      rest_.remove_prefix(1);
    }
    skip('"');
    return out;
  }

 private:
  std::string_view rest_;
};

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return g_ascii_tolower(c); });
  return out;
}

bool names_ice_server(const std::string &relations) {
  return (" " + lower(relations) + " ").find(" ice-server ") != std::string::npos;
}

// The value of the first line of `sdp` that begins so; empty: there is none.
std::string line_value(const std::string &sdp, const std::string &start) {
  const auto at = sdp.find("\n" + start);
  if (at == std::string::npos) return "";
  const auto from = at + 1 + start.size();
  return sdp.substr(from, sdp.find_first_of("\r\n", from) - from);
}

// Of an application/problem+json, or what else a JSON body calls its reason.
std::string json_reason(const std::string &body) {
  auto document = json::Document::parse(body, {.bytes = 64 * 1024, .depth = 16});
  if (!document) return "";
  json::Notes notes;
  auto object = document->root(notes).object();
  if (!object) return "";
  for (const char *key : {"detail", "title", "message", "error", "reason"}) {
    const auto value = object->get(key);
    if (!value || value->kind() != json::Value::Kind::text) continue;
    if (const auto text = value->lines(64 * 1024); text && !text->empty()) return *text;
  }
  return "";
}

// Its first line that is not empty, without control characters, in a bounded length.
std::string first_line(std::string_view text) {
  text = trimmed(text);
  std::string line(trimmed(text.substr(0, text.find_first_of("\r\n"))));
  std::erase_if(line, [](char c) { return g_ascii_iscntrl(c) != FALSE; });
  char *valid = g_utf8_make_valid(line.substr(0, kLongestReason).c_str(), -1);
  line = line.size() > kLongestReason ? std::string(valid) + "…" : valid;
  g_free(valid);
  return line;
}

}  // namespace

Result<std::string> whip_url(std::string_view url_template, const WhipNames &names) {
  const std::array<std::pair<std::string_view, const std::string *>, 3> known{
      {{"id", &names.id}, {"room", &names.room}, {"test", &names.test}}};
  std::string url;
  for (std::string_view rest = url_template; !rest.empty();) {
    const auto open = std::min(rest.find('{'), rest.size());
    url += rest.substr(0, open);
    rest.remove_prefix(open);
    if (rest.empty()) break;
    const std::string_view name = rest.substr(1, std::min(rest.find('}'), rest.size()) - 1);
    const auto *found = std::ranges::find(known, name, &std::pair<std::string_view, const std::string *>::first);
    if (found == known.end() || name.size() + 2 > rest.size())
      return Error{"", "\"{" + std::string(name) + "}\" is not one of {id}, {room} and {test}"};
    url += escaped(*found->second);
    rest.remove_prefix(name.size() + 2);
  }
  if (!is_web_url(url)) return Error{"", "\"" + url + "\" is not an http or https URL"};
  return url;
}

Result<std::string> host_of_template(std::string_view url_template) {
  const auto url = whip_url(url_template, {.id = "0", .room = "0", .test = "0"});
  if (!url) return url.error();
  const auto authority = url_template.find("//") + 2;
  const auto brace = url_template.find('{');
  if (brace < std::min(url_template.find_first_of("/?#", authority), url_template.size()))
    return Error{"", "names may stand in the path only"};
  GUri *uri = g_uri_parse(url->c_str(), G_URI_FLAGS_NONE, nullptr);
  if (uri == nullptr) return Error{"", "\"" + *url + "\" is not an http or https URL"};
  const std::string host = g_uri_get_host(uri);
  g_uri_unref(uri);
  return host;
}

std::vector<IceServer> ice_servers(std::span<const std::string> links) {
  std::vector<IceServer> servers;
  for (const std::string &link : links) {
    Scanner scan(link);
    while (scan.skip('<')) {
      IceServer server{std::string(scan.until(">")), "", ""};
      std::string relations;
      scan.skip('>');
      while (scan.skip(';')) {
        const std::string name = lower(scan.until("=;,"));
        const std::string value = scan.skip('=') ? scan.value() : "";
        if (name == "rel") relations = value;
        if (name == "username") server.username = value;
        if (name == "credential") server.credential = value;
      }
      if (names_ice_server(relations)) servers.push_back(std::move(server));
      scan.skip(',');
    }
  }
  return servers;
}

std::string trickle_fragment(const std::string &offer, std::span<const std::string> candidates, bool no_more) {
  std::string text;
  for (const char *start : {"a=group:BUNDLE ", "a=ice-ufrag:", "a=ice-pwd:", "m=", "a=mid:"}) {
    if (const std::string value = line_value(offer, start); !value.empty()) text += start + value + "\r\n";
  }
  for (const std::string &candidate : candidates) text += "a=" + candidate + "\r\n";
  if (no_more) text += "a=end-of-candidates\r\n";
  return text;
}

std::string refusal_text(unsigned status, const std::string &phrase, const std::string &type, const std::string &body) {
  std::string text = std::to_string(status) + (phrase.empty() ? "" : " " + phrase);
  std::string reason;
  if (type.ends_with("json")) {
    reason = first_line(json_reason(body));
  } else if (!type.ends_with("html") && !type.ends_with("sdp")) {
    reason = first_line(body);
  }
  return reason.empty() ? text : text + ": " + reason;
}

}  // namespace avc::webrtc
