// The texts of WHIP (RFC 9725) that are neither HTTP nor WebRTC: an endpoint's URL made of a template, the ICE servers
// that it names, candidates on their way to it, and its refusals in a line for people. All but the template are what
// strangers wrote.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "launcher/webrtc/ice_server.hpp"

namespace avc::webrtc {

// What the fields of a URL template stand for.
struct WhipNames {
  std::string id, room, test;
};

// {id}, {room} and {test} are replaced, escaped as one path segment. Another name in braces is an error, as is what
// comes out and is no http or https URL.
Result<std::string> whip_url(std::string_view url_template, const WhipNames &names);

// The host that a template leads to, whatever the names are: none of them may stand in it.
Result<std::string> host_of_template(std::string_view url_template);

// Of Link headers, each of which may hold several: those with rel="ice-server" (RFC 9725 section 4.6).
std::vector<IceServer> ice_servers(std::span<const std::string> links);

// Candidates that were found after the offer (RFC 8840), with what the offer says of its first medium: all media share
// that one's transport.
std::string trickle_fragment(const std::string &offer, std::span<const std::string> candidates, bool no_more);

// "403 Forbidden: no such room": the status and, where the body says more, its problem detail or its first line.
std::string refusal_text(unsigned status, const std::string &phrase, const std::string &type, const std::string &body);

}  // namespace avc::webrtc
