#include "launcher/webrtc/whip_client.hpp"

#include <glib.h>

#include <algorithm>

namespace avc::webrtc {
namespace {

constexpr const char *kLeft = "it has left";

// Where `location`, perhaps relative, leads from `base`. Never from https to http: the token goes along.
Result<std::string> resolved(const std::string &base, const std::string &location) {
  if (location.empty()) return Error{"", "names no Location"};
  char *raw = g_uri_resolve_relative(base.c_str(), location.c_str(), G_URI_FLAGS_ENCODED, nullptr);
  const std::string url = raw != nullptr ? raw : "";
  g_free(raw);
  if (!url.starts_with("http://") && !url.starts_with("https://"))
    return Error{"", "names a Location that is no http or https URL"};
  if (base.starts_with("https://") && !url.starts_with("https://"))
    return Error{"", "names a Location without TLS, which it has itself"};
  return url;
}

bool is_fine(const HttpReply &reply) { return reply.status >= 200 && reply.status < 300; }

// Worth another attempt.
bool is_passing(unsigned status) { return status == 429 || status >= 500; }

std::string text_of(const HttpReply &reply) { return refusal_text(reply.status, reply.phrase, reply.type, reply.body); }

}  // namespace

std::shared_ptr<WhipClient> WhipClient::make(WhipSettings settings, std::shared_ptr<HttpExchange> exchange,
                                             Waits waits) {
  return std::shared_ptr<WhipClient>(new WhipClient(std::move(settings), std::move(exchange), std::move(waits)));
}

HttpRequest WhipClient::request(const char *method, const std::string &url) const {
  HttpRequest request{method, url, {}, "", ""};
  if (!settings_.token.empty()) request.headers.emplace_back("Authorization", "Bearer " + settings_.token);
  return request;
}

void WhipClient::ask_servers(Servers done) {
  exchange_->send(request("OPTIONS", settings_.url),
                  [done = std::move(done)](const HttpReply *reply, const HttpFault &) {
                    done(reply != nullptr && is_fine(*reply) ? ice_servers(reply->links) : std::vector<IceServer>());
                  });
}

void WhipClient::publish(std::string offer, Published done) {
  if (state_ != State::fresh) return done(Error{"", kLeft});
  offer_ = std::move(offer);
  published_ = std::move(done);
  state_ = State::asking;
  ask();
}

void WhipClient::ask() { post(settings_.url, 0); }

void WhipClient::post(const std::string &url, unsigned redirects) {
  HttpRequest post = request("POST", url);
  post.type = "application/sdp";
  post.body = offer_;
  posting_ = true;
  exchange_->send(post, [self = shared_from_this(), url, redirects](const HttpReply *reply, const HttpFault &fault) {
    self->posting_ = false;
    self->posted(url, redirects, reply, fault);
  });
}

void WhipClient::posted(const std::string &url, unsigned redirects, const HttpReply *reply, const HttpFault &fault) {
  if (reply != nullptr && reply->status == 201) return created(url, *reply);
  if (state_ == State::leaving) return end(true);
  if (reply == nullptr) return fault.final ? give_up(fault.message) : try_again(fault.message, std::nullopt);
  const std::string text = text_of(*reply);
  if (reply->status == 307 || reply->status == 308) return redirected(url, redirects, *reply);
  if (is_passing(reply->status)) return try_again(text, reply->retry_after_s);
  if (is_fine(*reply)) return give_up(text + ", not 201 Created");
  if (reply->status / 100 == 3) return give_up(text + ", which does not redirect a POST; 307 and 308 do");
  give_up(text);
}

void WhipClient::redirected(const std::string &url, unsigned redirects, const HttpReply &reply) {
  const auto target = resolved(url, reply.location);
  if (!target) return give_up(text_of(reply) + " " + target.error().message);
  if (redirects == kMostRedirects) return give_up("more than " + std::to_string(kMostRedirects) + " redirects");
  post(*target, redirects + 1);
}

void WhipClient::created(const std::string &url, const HttpReply &reply) {
  const auto session = resolved(url, reply.location);
  if (session) session_url_ = *session;
  etag_ = reply.etag;
  attempts_ = 0;
  if (state_ == State::leaving) return session ? remove() : end(Error{"", "201 " + session.error().message});
  if (!session) return give_up("201 " + session.error().message);
  state_ = State::published;
  if (!reply.body.starts_with("v=")) {
    const Published done = std::exchange(published_, nullptr);
    leave([](const Result<bool> &) {});
    return done(Error{"", "201 without a session description in its body"});
  }
  patch_next();
  std::exchange(published_, nullptr)(WhipAnswer{reply.body, ice_servers(reply.links)});
}

void WhipClient::try_again(const std::string &why, std::optional<unsigned> after_s) {
  if (after_s.value_or(0) > settings_.longest_retry_after_s) {
    return give_up(why + " (come back in " + std::to_string(*after_s) + " s, it says; we wait no longer than " +
                   std::to_string(settings_.longest_retry_after_s) + " s)");
  }
  if (!repeat_after(after_s, settings_.most_attempts, &WhipClient::ask))
    return give_up(why + " (after " + std::to_string(attempts_) + " attempts)");
  waits_(why + " (attempt " + std::to_string(attempts_) + " of " + std::to_string(settings_.most_attempts) + ")");
}

// false: there have been enough of them.
bool WhipClient::repeat_after(std::optional<unsigned> after_s, unsigned most_attempts, void (WhipClient::*what)()) {
  if (++attempts_ >= most_attempts) return false;
  repeated_ = what;
  pause_.set(g_timeout_add(
      std::max(settings_.pauses.pause_ms(attempts_), after_s.value_or(0) * 1000),
      [](gpointer data) noexcept -> gboolean {
        const auto self = static_cast<WhipClient *>(data)->shared_from_this();
        self->pause_.ended();
        (self.get()->*(self->repeated_))();
        return G_SOURCE_REMOVE;
      },
      this));
  return true;
}

void WhipClient::give_up(const std::string &why) {
  const Published done = std::exchange(published_, nullptr);
  end(true);
  done(Error{"", why});
}

void WhipClient::trickle(std::string fragment, Done done) {
  if (state_ == State::leaving || state_ == State::over) return done(Error{"", kLeft});
  fragments_.emplace_back(std::move(fragment), std::move(done));
  patch_next();
}

void WhipClient::patch_next() {
  if (state_ != State::published || patching_ || fragments_.empty()) return;
  if (etag_.empty()) {
    const auto unwanted = std::exchange(fragments_, {});
    for (const auto &[fragment, done] : unwanted) done(Error{"", "the endpoint gave no ETag: it takes no candidates"});
    return;
  }
  HttpRequest patch = request("PATCH", session_url_);
  patch.headers.emplace_back("If-Match", etag_);
  patch.type = "application/trickle-ice-sdpfrag";
  patch.body = fragments_.front().first;
  patching_ = true;
  exchange_->send(patch, [self = shared_from_this()](const HttpReply *reply, const HttpFault &fault) {
    self->patched(reply, fault);
  });
}

void WhipClient::patched(const HttpReply *reply, const HttpFault &fault) {
  patching_ = false;
  if (fragments_.empty()) return;  // it left meanwhile
  const Done done = std::move(fragments_.front().second);
  fragments_.pop_front();
  const bool fine = reply != nullptr && is_fine(*reply);
  if (fine && !reply->etag.empty()) etag_ = reply->etag;
  patch_next();
  done(fine ? Result<bool>(true) : Error{"", reply != nullptr ? text_of(*reply) : fault.message});
}

void WhipClient::leave(Done done) {
  if (state_ == State::leaving || state_ == State::over) return done(true);
  const State before = std::exchange(state_, State::leaving);
  left_ = std::move(done);
  kept_ = shared_from_this();
  pause_.reset();
  attempts_ = 0;
  const Published published = std::exchange(published_, nullptr);
  const auto unsent = std::exchange(fragments_, {});
  if (before == State::published) remove();
  if (!posting_ && before != State::published) end(true);
  for (const auto &[fragment, told] : unsent) told(Error{"", kLeft});
  if (published) published(Error{"", kLeft});
}

void WhipClient::remove() {
  exchange_->send(
      request("DELETE", session_url_),
      [self = shared_from_this()](const HttpReply *reply, const HttpFault &fault) { self->removed(reply, fault); });
}

// One that is not there any more is left, too.
void WhipClient::removed(const HttpReply *reply, const HttpFault &fault) {
  if (reply != nullptr && (is_fine(*reply) || reply->status == 404 || reply->status == 410)) return end(true);
  const bool passing = reply != nullptr ? is_passing(reply->status) : !fault.final;
  const unsigned most = std::min(settings_.most_attempts, kMostDeleteAttempts);
  if (passing && repeat_after(std::nullopt, most, &WhipClient::remove)) return;
  end(Error{"", "DELETE: " + (reply != nullptr ? text_of(*reply) : fault.message)});
}

void WhipClient::end(Result<bool> left) {
  const auto self = shared_from_this();
  kept_.reset();
  state_ = State::over;
  session_url_.clear();
  const auto unsent = std::exchange(fragments_, {});
  for (const auto &[fragment, told] : unsent) told(Error{"", kLeft});
  if (const Done done = std::exchange(left_, nullptr)) done(std::move(left));
}

}  // namespace avc::webrtc
