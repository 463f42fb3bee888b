// WHEP (draft-ietf-wish-whep): a player posts its offer and gets the answer and a resource, to which it sends
// candidates that it finds later, and which it deletes when it leaves.
#include "launcher/api/context.hpp"

namespace avc::api {
namespace {

using webrtc::Viewer;

constexpr const char *kSdp = "application/sdp", *kFragment = "application/trickle-ice-sdpfrag";

void want_type(const Request &request, const char *type) {
  if (request.content_type != type) throw ApiError(415, std::string("the body has to be ") + type, "Content-Type");
}

std::uint32_t participant_of(const Request &request) {
  return number_or_refuse(request.args[1], "participant_id", 0, UINT32_MAX);
}

const Viewer &viewer_of(Context &context, const Request &request) {
  const webrtc::Viewers *viewers = context.test(request).viewers();
  const Viewer *viewer = viewers != nullptr ? viewers->find(participant_of(request), request.args[2]) : nullptr;
  if (viewer != nullptr) return *viewer;
  throw ApiError(404, "there is no viewer \"" + request.args[2] + "\" of this participant", "viewer_id");
}

Reply answered(const std::string &location, const Viewer &viewer, const Result<std::string> &sdp) {
  if (!sdp) {
    const bool theirs = sdp.error().message.starts_with("sdp: ");
    refuse_viewer(theirs ? Error{"sdp", sdp.error().message.substr(5)} : Error{"webrtc", sdp.error().message});
  }
  Reply reply;
  reply.status = 201;
  reply.type = kSdp;
  reply.body = *sdp;
  reply.headers = {
      {"Location", location + "/" + viewer.id}, {"ETag", "\"" + viewer.id + "\""}, {"Accept-Patch", kFragment}};
  return reply;
}

Reply watch(Context &context, const Request &request) {
  want_type(request, kSdp);
  const std::uint32_t participant = participant_of(request);
  session::TestSession &session = context.test(request);
  const auto viewers = session.viewers_for(participant);
  if (!viewers) refuse_viewer(viewers.error());
  const auto offer = webrtc::parse_sdp(request.body);
  if (!offer) throw ApiError(400, offer.error().message, "sdp");
  const auto streams = webrtc::choose_streams(**offer);
  if (!streams) throw ApiError(400, streams.error().message, "sdp");
  const auto made = (*viewers)->with_streams(participant, *streams);
  if (!made) refuse_viewer(made.error());
  const Viewer viewer = **made;
  const std::string location = "/whep/" + session.id() + "/" + std::to_string(participant);
  Reply reply;
  reply.later = [viewer, location,
                 sdp = webrtc::with_admitted_candidates(request.body, admits(context))](const http::Finish &finish) {
    viewer.peer->answer(sdp, [viewer, location, finish](const Result<std::string> &ours) {
      finish([&] { return answered(location, viewer, ours); });
    });
  };
  return reply;
}

Reply trickle(Context &context, const Request &request) {
  want_type(request, kFragment);
  const Viewer &viewer = viewer_of(context, request);
  const webrtc::Fragment fragment = webrtc::parse_fragment(request.body);
  if (!fragment.ufrag.empty() && !viewer.peer->is_their_ufrag(fragment.ufrag))
    throw ApiError(422, "ICE cannot be restarted here: DELETE this resource and POST a new offer", "ice-ufrag");
  for (const std::string &candidate : fragment.candidates) {
    if (!admits(context)(webrtc::candidate_address(candidate))) continue;
    if (const auto added = viewer.peer->add_candidate(candidate); !added) refuse_viewer(added.error());
  }
  return {.status = 204, .body = "", .type = "text/plain"};
}

Reply leave(Context &context, const Request &request) {
  viewer_of(context, request).peer->close();
  return {.status = 200, .body = "", .type = "text/plain"};
}

}  // namespace

std::vector<Route> whep_routes(Context &c) {
  const auto with = [&c](auto handler) {
    return [&c, handler](const Request &request) { return handler(c, request); };
  };
  std::vector<Route> all;
  all.push_back({.method = "POST",
                 .pattern = "/whep/{test_id}/{participant_id}",
                 .summary = "Watch a participant: a WHEP player's offer (application/sdp)",
                 .handle = with(watch),
                 .replies = {{201, "the answer; Location is the viewer's resource"},
                             {409, "the test does not run"},
                             {415, "not application/sdp"},
                             {429, "too many viewers"}},
                 .answer_type = "application/sdp"});
  all.push_back({.method = "PATCH",
                 .pattern = "/whep/{test_id}/{participant_id}/{viewer_id}",
                 .summary = "Candidates that a WHEP player found later (application/trickle-ice-sdpfrag)",
                 .handle = with(trickle),
                 .replies = {{204, "they are tried"}, {422, "an ICE restart, which is not possible"}}});
  all.push_back({.method = "DELETE",
                 .pattern = "/whep/{test_id}/{participant_id}/{viewer_id}",
                 .summary = "A WHEP player leaves",
                 .handle = with(leave)});
  return all;
}

}  // namespace avc::api
