#include "launcher/webrtc/signalling.hpp"

#include <utility>

#include "core/json/json.hpp"
#include "launcher/http/json_writer.hpp"

namespace avc::webrtc {
namespace {

constexpr std::size_t kLongestSdp = 64 * 1024;

class Whep final : public Signalling {
 public:
  Whep(const WhipSettings &settings, std::shared_ptr<HttpExchange> exchange)
      : client_(WhipClient::make(settings, std::move(exchange),
                                 [waits = waits_](const std::string &why) { *waits = why; })) {}

  bool we_offer() const override { return true; }
  void begin(const std::string &offer, Described done) override {
    client_->publish(offer, [done = std::move(done)](const Result<WhipAnswer> &answer) {
      done(answer ? Result<std::string>(answer->sdp) : answer.error());
    });
  }
  void answer(const std::string &, Done done) override { done(true); }
  void leave(Done done) override {
    client_->leave([done = std::move(done)](const Result<bool> &left) { done(left); });
  }
  std::string waits() const override { return *waits_; }

 private:
  const std::shared_ptr<std::string> waits_ = std::make_shared<std::string>();
  const std::shared_ptr<WhipClient> client_;
};

struct Offer {
  std::string sdp, viewer_id;  // no id: the old tool's daemon
};

Result<Offer> read_offer(const std::string &body) {
  const auto document = json::Document::parse(body);
  if (!document) return Error{"", "the reply is no JSON"};
  json::Notes notes;
  Offer offer;
  if (auto root = document->root(notes).object()) {
    if (const auto value = root->get("sdp_offer")) offer.sdp = value->lines(kLongestSdp).value_or("");
    offer.viewer_id = root->text("viewer_id", 64).value_or("");
  }
  if (offer.sdp.empty()) return Error{"", "the reply has no sdp_offer"};
  return offer;
}

class Rest final : public Signalling {
 public:
  Rest(const RestSettings &settings, std::shared_ptr<HttpExchange> exchange)
      : settings_(settings), exchange_(std::move(exchange)) {}

  bool we_offer() const override { return false; }

  void begin(const std::string &, Described done) override {
    exchange_->send(request("GET", "sdp"),
                    [viewer = viewer_, done = std::move(done)](const HttpReply *reply, const HttpFault &fault) {
                      if (const auto refusal = refused(reply, fault)) return done(*refusal);
                      const auto offer = read_offer(reply->body);
                      if (!offer) return done(offer.error());
                      *viewer = offer->viewer_id;
                      done(offer->sdp);
                    });
  }

  void answer(const std::string &sdp, Done done) override {
    HttpRequest post = request("POST", "answer");
    json::Writer out;
    out.begin_object().put("sdp_answer", sdp);
    if (!viewer_->empty()) out.put("viewer_id", *viewer_);
    post.type = "application/json";
    post.body = out.end_object().take();
    exchange_->send(post, [done = std::move(done)](const HttpReply *reply, const HttpFault &fault) {
      const auto refusal = refused(reply, fault);
      done(refusal ? Result<bool>(*refusal) : Result<bool>(true));
    });
  }

  void leave(Done done) override { done(true); }

 private:
  HttpRequest request(const char *method, const char *what) const {
    HttpRequest request{method,
                        settings_.base_url + "/api/v1/test/" + settings_.test_id + "/" + what + "/" +
                            std::to_string(settings_.participant),
                        {},
                        "",
                        ""};
    if (!settings_.token.empty()) request.headers.emplace_back("Authorization", "Bearer " + settings_.token);
    return request;
  }

  static std::optional<Error> refused(const HttpReply *reply, const HttpFault &fault) {
    if (reply == nullptr) return Error{"", fault.message};
    if (reply->status >= 200 && reply->status < 300) return std::nullopt;
    return Error{"", refusal_text(reply->status, reply->phrase, reply->type, reply->body)};
  }

  const RestSettings settings_;
  const std::shared_ptr<HttpExchange> exchange_;
  const std::shared_ptr<std::string> viewer_ = std::make_shared<std::string>();
};

class Own final : public Signalling {
 public:
  explicit Own(Answering answering) : answering_(std::move(answering)) {}
  bool we_offer() const override { return true; }
  void begin(const std::string &offer, Described done) override { answering_(offer, done); }
  void answer(const std::string &, Done done) override { done(true); }
  void leave(Done done) override { done(true); }

 private:
  const Answering answering_;
};

}  // namespace

std::unique_ptr<Signalling> whep_signalling(const WhipSettings &settings, std::shared_ptr<HttpExchange> exchange) {
  return std::make_unique<Whep>(settings, std::move(exchange));
}

std::unique_ptr<Signalling> rest_signalling(const RestSettings &settings, std::shared_ptr<HttpExchange> exchange) {
  return std::make_unique<Rest>(settings, std::move(exchange));
}

std::unique_ptr<Signalling> own_signalling(Answering answering) { return std::make_unique<Own>(std::move(answering)); }

}  // namespace avc::webrtc
