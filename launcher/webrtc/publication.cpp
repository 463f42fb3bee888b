#include "launcher/webrtc/publication.hpp"

#include <glib.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace avc::webrtc {
namespace {

bool has_candidates(const std::string &sdp) { return sdp.find("\na=candidate:") != std::string::npos; }

}  // namespace

std::shared_ptr<Publication> Publication::make(Settings settings, const WhipTarget &target, Viewers &viewers,
                                               const PublicationEvents &events) {
  return std::shared_ptr<Publication>(new Publication(std::move(settings), target, viewers, events));
}

// `what` for as long as this round lasts.
template <class Said>
auto Publication::heard(void (Publication::*what)(const Said &)) {
  return [whom = weak_from_this(), round = round_, what](const Said &said) {
    const auto self = whom.lock();
    if (self && !self->over_ && self->round_ == round) (self.get()->*what)(said);
  };
}

void Publication::begin() {
  const BackOff pauses{.chance = settings_.chance.split(round_)};
  client_ = WhipClient::make({.url = settings_.url, .token = target_.token, .pauses = pauses}, target_.exchange,
                             heard(&Publication::wait_for));
  client_->ask_servers(heard(&Publication::servers_named));
}

void Publication::servers_named(const std::vector<IceServer> &servers) {
  named_before_ = !servers.empty();
  find_usable(named_before_ ? servers : late_servers_, target_.resolve, heard(&Publication::gather));
}

void Publication::gather(const UsableServers &servers) {
  for (const std::string &refusal : servers.refusals) log("an ICE server of the endpoint is left out: " + refusal);
  const auto viewer = viewers_.to_publish(settings_.participant, servers.uris, numbers_);
  if (!viewer) return fail(viewer.error().text());
  peer_ = (*viewer)->peer;
  peer_->tell_candidates(heard(&Publication::found));
  peer_->offer(heard(&Publication::offered));
}

void Publication::offered(const Result<std::string> &sdp) {
  if (!sdp) return;  // the peer is over, which follow() is told
  if (!has_candidates(*sdp) && peer_->gathered())
    return fail("there is no candidate of ours: no address that it may use, and no server's");
  offer_ = *sdp;
  client_->publish(offer_, heard(&Publication::answered));
}

void Publication::found(const std::string &candidate) {
  const std::array<std::string, 1> one{candidate};
  const auto all = std::span<const std::string>(one).first(candidate.empty() ? 0 : 1);
  client_->trickle(trickle_fragment(offer_, all, candidate.empty()), heard(&Publication::candidate_taken));
}

// The connection may come about without it.
void Publication::candidate_taken(const Result<bool> &taken) {
  if (taken || std::exchange(refused_candidate_, true)) return;
  log("a candidate that came after the offer is not taken: " + taken.error().message);
}

void Publication::answered(const Result<WhipAnswer> &answer) {
  if (!answer) return fail(answer.error().message);
  wait_for("");
  late_servers_ = answer->ice_servers;
  const std::string sdp = with_admitted_candidates(answer->sdp, target_.admits);
  peer_->take_answer(sdp, heard(&Publication::answer_taken));
  if (over_ || has_candidates(sdp)) return;  // an endpoint has no other way to tell them (RFC 9725 section 4.4.1)
  fail(std::string("the answer has no candidate") + (has_candidates(answer->sdp) ? " that may be sent to" : ""));
}

void Publication::answer_taken(const Result<bool> &taken) {
  if (!taken) fail("the answer: " + taken.error().message);
}

void Publication::wait_for(const std::string &why) {
  if (why == waits_) return;
  waits_ = why;
  events_.waits(settings_.participant, why);
}

void Publication::follow() {
  if (over_ || !peer_) return;
  if (connected() && connected_us_ == 0) {
    connected_us_ = g_get_monotonic_time();
    was_connected_ = true;
    wait_for("");
    if (!cause_.empty()) {
      const double ms = static_cast<double>(connected_us_ - replaced_us_) / 1000;
      events_.replaced(settings_.participant, std::exchange(cause_, ""), ms);
    }
  }
  if (!is_over(peer_->state())) return;
  if (peer_->state() == PeerState::closed) return lost("the endpoint has closed the connection");
  lost(peer_->reason() + (waits_.empty() ? "" : ": " + waits_));
}

void Publication::lost(const std::string &why) {
  const bool servers_came_late = !named_before_ && !late_servers_.empty();
  if (!was_connected_ && (!servers_came_late || std::exchange(used_late_servers_, true))) return fail(why);
  const bool stayed =
      connected_us_ != 0 && g_get_monotonic_time() - connected_us_ >= std::int64_t{kStaysSeconds} * 1'000'000;
  in_vain_ = stayed ? 0 : in_vain_ + 1;
  if (in_vain_ > kMostInVain) return fail(why + " (after " + std::to_string(kMostInVain) + " rounds in vain)");
  end_round();
  wait_for(why + "; publishes again");
  const BackOff pauses{.chance = settings_.chance.split("rounds").split(round_)};
  pause_.set(g_timeout_add(
      pauses.pause_ms(std::max(in_vain_, 1u)),
      [](gpointer data) noexcept -> gboolean {
        const auto self = static_cast<Publication *>(data)->shared_from_this();
        self->pause_.ended();
        self->begin();
        return G_SOURCE_REMOVE;
      },
      this));
}

bool Publication::replace(const std::string &cause) {
  if (over_ || !connected()) return false;
  cause_ = cause;
  replaced_us_ = g_get_monotonic_time();
  end_round([whom = weak_from_this(), round = round_ + 1] {
    const auto self = whom.lock();
    if (self && !self->over_ && self->round_ == round) self->begin();
  });
  wait_for("spike \"" + cause + "\" replaces its connection");
  return true;
}

// The session is deleted whatever has become of the connection: the endpoint may not know of it yet.
void Publication::end_round(std::function<void()> left) {
  ++round_;
  connected_us_ = 0;
  if (const auto peer = std::exchange(peer_, nullptr)) {
    peer->close();
    numbers_ = peer->numbers();
  }
  if (const auto client = std::exchange(client_, nullptr)) {
    client->leave([name = settings_.name, participant = settings_.participant,
                   left = std::move(left)](const Result<bool> &gone) {
      if (!gone) {
        g_log("avcd-whip", G_LOG_LEVEL_MESSAGE, "%s: participant %u has left, but its session may be there still: %s",
              name.c_str(), participant, gone.error().message.c_str());
      }
      if (left) left();
    });
  }
}

void Publication::leave() {
  over_ = true;
  pause_.reset();
  end_round();
}

void Publication::fail(const std::string &why) {
  const auto self = shared_from_this();
  leave();
  events_.failed(settings_.participant, why);
}

void Publication::log(const std::string &text) const {
  g_log("avcd-whip", G_LOG_LEVEL_MESSAGE, "%s: participant %u: %s", settings_.name.c_str(), settings_.participant,
        text.c_str());
}

}  // namespace avc::webrtc
