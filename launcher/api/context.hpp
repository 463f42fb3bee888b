// What the handlers share: the pool, what was configured, the event channel of each test. Handlers turn requests into
// calls on the pool and its answers into replies; they know neither libsoup nor GStreamer. Main context only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/participant/partition.hpp"
#include "launcher/http/events.hpp"
#include "launcher/http/json_writer.hpp"
#include "launcher/http/route.hpp"
#include "launcher/results/history.hpp"
#include "launcher/session/idle_memory.hpp"
#include "launcher/session/media_path.hpp"
#include "launcher/session/session_pool.hpp"
#include "launcher/session/target.hpp"
#include "launcher/webrtc/subscribers.hpp"

namespace avc::api {

namespace http = launcher::http;

using http::ApiError;
using http::Reply;
using http::Request;
using http::Route;

struct Check {
  std::string name;
  bool ok = true;
  std::string detail, advice;
};

struct Settings {
  participant::Partition partition;
  session::TargetPolicy targets;
  session::TargetEnvironment target_environment;
  webrtc::IceSettings ice;
  webrtc::TurnSettings turn;
  rtsp::Mounts *mounts = nullptr;  // none: nobody watches over RTSP
  session::MediaDirectories media;
  session::MediaDirectories logs;  // decision logs that may be repeated
  json::Conditions conditions;     // with the user's profiles; traces are looked for in `media`
  scenario::Media own_media;       // played where a test names none; absolute paths
  std::string state_dir;
  unsigned contexts = 1;
  std::function<std::vector<Check>()> readiness;
  double process_start_unix = 0;
  std::string base_url;
};

// Subscribers that belong to no test.
struct Subscription {
  std::unique_ptr<webrtc::Subscribers> subscribers;
  std::int64_t began_us = 0;  // monotonic
};

class Context final : public session::SessionObserver {
 public:
  Context(Settings settings, session::PoolLimits limits, std::unique_ptr<results::History> history);
  ~Context() override;

  session::SessionPool &pool() { return pool_; }
  const Settings &settings() const { return settings_; }
  results::History *history() { return history_.get(); }
  // Gone when the context is: for what calls back later.
  std::weak_ptr<const bool> alive() const { return alive_; }

  // Shared by all who publish; made for the first of them.
  std::shared_ptr<webrtc::HttpExchange> whip_exchange();
  std::map<std::string, Subscription, std::less<>> &subscriptions() { return subscriptions_; }  // by id
  void settle();  // subscribers leave; sessions at endpoints are deleted, or two seconds have passed

  session::TestSession &test(const Request &request);  // by the first argument; throws 404
  std::shared_ptr<http::EventChannel> channel(const std::string &test_id);
  void forget(const std::string &test_id);

  void state_changed(session::TestSession &session) override;
  void spike_changed(session::TestSession &session, const session::SpikeEntry &spike, double at_seconds) override;
  void sampled(session::TestSession &session, const results::Sample &sample) override;

 private:
  Settings settings_;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
  std::unique_ptr<results::History> history_;
  std::map<std::string, std::shared_ptr<http::EventChannel>> channels_;
  std::shared_ptr<webrtc::HttpExchange> whip_exchange_;  // none: nobody has published
  std::map<std::string, Subscription, std::less<>> subscriptions_;
  session::IdleMemory idle_memory_{[this] { return pool_.participants() == 0; }};
  session::SessionPool pool_;  // last: its tests end before what they report to
};

// The route table, all of it.
std::vector<Route> routes(Context &context);

std::vector<Route> test_routes(Context &context);
std::vector<Route> run_routes(Context &context);
std::vector<Route> spike_routes(Context &context);
std::vector<Route> participant_routes(Context &context);
std::vector<Route> report_routes(Context &context);
std::vector<Route> process_routes(Context &context);
std::vector<Route> webrtc_routes(Context &context);
std::vector<Route> whep_routes(Context &context);
std::vector<Route> subscription_routes(Context &context);
std::vector<Route> play_routes();

// Whether a viewer's candidate of this address may be tried.
webrtc::Admits admits(const Context &context);
// The address of a host that the daemon may send to.
webrtc::Resolve resolver(const Context &context);

// An Error of the layers below as a refusal; its field chooses the status where that is not always the same.
[[noreturn]] void refuse(unsigned status, const Error &error);
[[noreturn]] void refuse_all(const std::vector<Error> &errors);  // 400, naming the first and listing all
[[noreturn]] void refuse_session(const Error &error);            // what TestSession answers

[[noreturn]] void refuse_viewer(const Error &error);  // what viewers, and a peer, answer

// A number out of a path or a query; 400 naming the field where it is none.
std::uint32_t number_or_refuse(const std::string &text, const char *field, std::uint32_t low, std::uint32_t high);

Reply json_reply(json::Writer &out, unsigned status = 200);

// MetricsResponse of the contract, as a member or the whole of a reply.
void write_metrics(json::Writer &out, session::TestSession &session);
void write_spike(json::Writer &out, const spike::Planned &planned);

}  // namespace avc::api
