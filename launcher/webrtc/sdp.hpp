// What is read out of a viewer's session description before webrtcbin sees it. webrtcbin answers what it cannot match
// with an inactive medium and says nothing: so the payload type and the profile that a player offers are found here,
// and what no connection could come of is refused with a reason.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#define GST_USE_UNSTABLE_API
#include <gst/webrtc/webrtc.h>

#include "core/participant/participant.hpp"
#include "core/result.hpp"
#include "core/stats/peer_streams.hpp"

namespace avc::webrtc {

struct SdpFree {
  void operator()(GstSDPMessage *message) const noexcept { gst_sdp_message_free(message); }
};
using Sdp = std::unique_ptr<GstSDPMessage, SdpFree>;

// How one medium is to be sent to a viewer.
struct Stream {
  unsigned payload_type = 0;
  std::string profile_level_id;                           // what the stream is to be called; empty: what it is
  unsigned participant_id_ext = 0, transport_cc_ext = 0;  // ids of header extensions; 0: none
  bool repaired = false;  // what the receiver misses (NACK) is sent again, as a stream of its own (RFC 4588)
};
struct Streams {
  std::optional<Stream> video, audio;
};

// As we offer them ourselves.
Streams own_streams();

// Errors have no field: the caller knows by what name the text came.
Result<Sdp> parse_sdp(const std::string &text);

// Of a player's offer: H.264 with packetization-mode 1, a baseline profile before others and in the player's own order,
// and Opus. The level does not count: it says what the player asks for, and ours is what the media has.
Result<Streams> choose_streams(const GstSDPMessage &offer);

// Of the stream that repairs the video in a description of ours; 0: there is none.
unsigned rtx_payload_type(const GstSDPMessage &ours);

// Gives all media of the offer's BUNDLE group the transport of the first. A player may offer each medium a transport of
// its own, in case we do not bundle (RFC 8843 section 7.2.1); webrtcbin takes that for a fault.
void share_transport(GstSDPMessage &offer);

// What a viewer adds later (RFC 8840): the lines of its fragment that matter here.
struct Fragment {
  std::string ufrag;
  std::vector<std::string> candidates;
};
Fragment parse_fragment(const std::string &text);

// A candidate ("candidate:…", with or without "a=" before it) is where we are asked to send to. Those whose address may
// not be sent to are left out; so are names, which only the viewer's own network knows: its checks will show where it
// is.
using Admits = std::function<bool(const std::string &address)>;
std::string candidate_address(std::string_view candidate);  // empty: it is no candidate
std::string with_admitted_candidates(const std::string &sdp, const Admits &admits);

// What packets from this side will be, by its description: of those media that it sends.
stats::PayloadMap payloads_of(const GstSDPMessage &theirs);

// Is this an answer to an offer with so many media?
std::optional<std::string> fault_of_answer(const GstSDPMessage &answer, unsigned media);

}  // namespace avc::webrtc
