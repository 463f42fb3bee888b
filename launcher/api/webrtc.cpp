// The old tool's exchange for viewers: its offer is fetched, the viewer's answer posted, candidates go both ways. Whom
// a request is about follows from the participant alone, as those clients know it, or from `viewer_id` where it is
// given.
#include "core/json/json.hpp"
#include "launcher/api/context.hpp"

namespace avc::api {
namespace {

using session::TestSession;
using webrtc::Viewer;

constexpr std::size_t kLongestSdp = 64 * 1024;

std::uint32_t participant_of(const Request &request) {
  return number_or_refuse(request.args[1], "participant_id", 0, UINT32_MAX);
}

webrtc::Viewers &viewers_of(Context &context, const Request &request) {
  const auto viewers = context.test(request).viewers_for(participant_of(request));
  if (!viewers) refuse_viewer(viewers.error());
  return **viewers;
}

// With an id that viewer, else the one of the old exchange that came last.
const Viewer &chosen(const webrtc::Viewers &viewers, std::uint32_t participant, const std::string &id) {
  const Viewer *viewer = id.empty() ? viewers.latest(participant) : viewers.find(participant, id);
  if (viewer != nullptr) return *viewer;
  if (!id.empty()) throw ApiError(404, "there is no viewer \"" + id + "\" of this participant", "viewer_id");
  throw ApiError(404, "nobody has fetched an offer of this participant: GET …/sdp/{participant_id} comes first",
                 "participant_id");
}

struct Body {
  std::string viewer_id, text;
};

// The body's one text that matters, under the key given; 400 naming it where it is missing.
Body read_body(const Request &request, const char *key, std::size_t longest) {
  const auto document = json::Document::parse(request.body);
  if (!document) throw ApiError(400, document.error().message);
  json::Notes notes;
  Body body;
  if (auto root = document->root(notes).object()) {
    body.viewer_id = root->text("viewer_id", 64).value_or("");
    if (const auto value = root->get(key)) body.text = value->lines(longest).value_or("");
    if (notes.faults.empty() && body.text.empty()) root->fault(key, "is missing or empty");
  }
  if (!notes.faults.empty()) refuse_all(notes.faults);
  return body;
}

void write_states(json::Writer &out, const Viewer &viewer) {
  out.put("connected", viewer.peer->state() == webrtc::PeerState::connected);
  out.put("connection_state", webrtc::name(viewer.peer->state())).put("ice_state", viewer.peer->ice_state());
}

Reply get_offer(Context &context, const Request &request) {
  const std::uint32_t participant = participant_of(request);
  const auto made = viewers_of(context, request).with_open_offer(participant);
  if (!made) refuse_viewer(made.error());
  const Viewer viewer = **made;
  const std::string state(participant::name(context.test(request).state()));
  Reply reply;
  reply.later = [viewer, participant, state](const http::Finish &finish) {
    viewer.peer->offer([viewer, participant, state, finish](const Result<std::string> &sdp) {
      finish([&] {
        if (!sdp) refuse_viewer({"webrtc", sdp.error().message});
        json::Writer out;
        out.begin_object().put("participant_id", participant).put("sdp_offer", *sdp).put("test_state", state);
        return json_reply(out.put("trickle_ice", true).put("viewer_id", viewer.id).end_object());
      });
    });
  };
  return reply;
}

Reply post_answer(Context &context, const Request &request) {
  const webrtc::Viewers &viewers = viewers_of(context, request);
  const Body body = read_body(request, "sdp_answer", kLongestSdp);
  const Viewer viewer = chosen(viewers, participant_of(request), body.viewer_id);
  Reply reply;
  reply.later = [viewer,
                 sdp = webrtc::with_admitted_candidates(body.text, admits(context))](const http::Finish &finish) {
    viewer.peer->take_answer(sdp, [viewer, finish](const Result<bool> &taken) {
      finish([&] {
        if (!taken) refuse_viewer(taken.error());
        json::Writer out;
        write_states(out.begin_object(), viewer);
        out.put("message", "The answer is set; the connection is being made");
        return json_reply(out.put("viewer_id", viewer.id).end_object());
      });
    });
  };
  return reply;
}

Reply post_candidate(Context &context, const Request &request) {
  const webrtc::Viewers &viewers = viewers_of(context, request);
  const Body body = read_body(request, "candidate", 1024);
  const Viewer &viewer = chosen(viewers, participant_of(request), body.viewer_id);
  const std::string address = webrtc::candidate_address(body.text);
  const bool name = address.ends_with(".local");
  if (!address.empty() && !name) {
    if (const auto admitted = context.settings().targets.admit(address); !admitted)
      refuse(403, {"candidate", admitted.error().message});
  }
  const auto added = name ? Result<bool>(true) : viewer.peer->add_candidate(body.text);
  if (!added) refuse_viewer(added.error());
  json::Writer out;
  out.begin_object().put("added", !name);
  out.put("message",
          name ? "A name is no address here; the viewer's own checks will show where it is" : "The candidate is tried");
  return json_reply(out.put("viewer_id", viewer.id).end_object());
}

Reply get_candidates(Context &context, const Request &request) {
  const webrtc::Viewers &viewers = viewers_of(context, request);
  const Viewer &viewer = chosen(viewers, participant_of(request), request.query_value("viewer_id"));
  json::Writer out;
  out.begin_object().put("participant_id", viewer.participant).put("viewer_id", viewer.id);
  out.begin_array("candidates");
  for (const webrtc::Candidate &one : viewer.peer->candidates())
    out.begin_object().put("candidate", one.text).put("sdpMLineIndex", one.media).end_object();
  out.end_array().put("complete", viewer.peer->gathered());
  write_states(out, viewer);
  return json_reply(out.end_object());
}

}  // namespace

std::vector<Route> webrtc_routes(Context &c) {
  const auto with = [&c](auto handler) {
    return [&c, handler](const Request &request) { return handler(c, request); };
  };
  const std::vector<std::pair<unsigned, std::string_view>> faults{
      {404, "no such test, participant or viewer"}, {409, "the test does not run, or the viewer is past this"}};
  const std::vector<http::Field> answer{{"sdp_answer", "string", "the viewer's answer"},
                                        {"viewer_id", "string", "whose; the one that came last when missing"}};
  std::vector<Route> all;
  all.push_back({.method = "GET",
                 .pattern = "/api/v1/test/{test_id}/sdp/{participant_id}",
                 .summary = "A participant's WebRTC offer, the same until somebody answers it",
                 .handle = with(get_offer),
                 .replies = faults});
  for (const std::string_view pattern :
       {"/api/v1/test/{test_id}/answer/{participant_id}", "/api/v1/test/{test_id}/sdp/{participant_id}"}) {
    all.push_back({.method = "POST",
                   .pattern = pattern,
                   .summary = "The viewer's answer",
                   .handle = with(post_answer),
                   .body = answer,
                   .replies = faults});
  }
  all.push_back({.method = "POST",
                 .pattern = "/api/v1/test/{test_id}/ice/{participant_id}",
                 .summary = "A viewer's ICE candidate",
                 .handle = with(post_candidate),
                 .body = {{"candidate", "string", "candidate:…"},
                          {"viewer_id", "string", "whose; the one that came last when missing"}},
                 .replies = faults});
  all.push_back({.method = "GET",
                 .pattern = "/api/v1/test/{test_id}/ice/{participant_id}",
                 .summary = "Our ICE candidates for a viewer, and how its connection is",
                 .handle = with(get_candidates),
                 .replies = faults,
                 .query = {{"viewer_id", "string", "whose; the one that came last when missing"}}});
  return all;
}

}  // namespace avc::api
