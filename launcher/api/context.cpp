#include "launcher/api/context.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "launcher/results/json.hpp"

namespace avc::api {

using session::SpikeEntry;
using session::TestSession;

namespace {

// A spike is told of when the first participant reports its start; the others follow within a packet's time.
std::uint32_t addressed(const TestSession &session, const SpikeEntry &spike) {
  const auto &ids = spike.planned.spike.participants;
  const auto hit = std::count_if(session.participants().begin(), session.participants().end(), [&](const auto &one) {
    return one->state() == participant::State::running &&
           (ids.empty() || std::find(ids.begin(), ids.end(), one->id()) != ids.end());
  });
  return static_cast<std::uint32_t>(hit);
}

}  // namespace

Context::Context(Settings settings, session::PoolLimits limits, std::unique_ptr<results::History> history)
    : settings_(std::move(settings)), history_(std::move(history)), pool_(limits, *this) {}

Context::~Context() {
  for (auto &entry : channels_) entry.second->close();
}

std::shared_ptr<webrtc::HttpExchange> Context::whip_exchange() {
  if (!whip_exchange_) {
    whip_exchange_ = std::make_shared<webrtc::HttpExchange>([this, alive = alive()](const std::string &address) {
      return alive.expired() ? Error{"", "the daemon has ended"} : settings_.targets.admit(address);
    });
  }
  return whip_exchange_;
}

void Context::settle() {
  constexpr unsigned kAtMostMs = 2000;
  subscriptions_.clear();
  if (whip_exchange_) whip_exchange_->settle(kAtMostMs);
}

TestSession &Context::test(const Request &request) {
  if (TestSession *found = pool_.find(request.args.front())) return *found;
  throw ApiError(404, "there is no test \"" + request.args.front() + "\"", "test_id");
}

std::shared_ptr<http::EventChannel> Context::channel(const std::string &test_id) {
  if (const auto known = channels_.find(test_id); known != channels_.end()) return known->second;
  std::erase_if(channels_, [this](const auto &entry) { return pool_.find(entry.first) == nullptr; });  // tidied away
  return channels_[test_id] = std::make_shared<http::EventChannel>();
}

void Context::forget(const std::string &test_id) {
  pool_.forget(test_id);
  if (history_ != nullptr) history_->forget(test_id);
  if (auto found = channels_.find(test_id); found != channels_.end()) {
    found->second->close();
    channels_.erase(found);
  }
}

void Context::state_changed(TestSession &session) {
  json::Writer out;
  out.begin_object().put("test_id", session.id()).put("state", participant::name(session.state()));
  out.put("elapsed_seconds", session.elapsed_seconds());
  out.put("duration_seconds", to_seconds(session.setup().scenario.duration));
  out.put_unless_empty("preparing", session.preparing());
  out.put_unless_empty("reason", session.reason());
  auto text = out.end_object().take();
  text.pop_back();
  const auto stream = channel(session.id());
  stream->publish("state", text, true);
  const bool over = participant::is_over(session.state());
  if (history_ != nullptr && session.state() == participant::TestState::running && session.preparing()) {
    history_->begin(session.result().facts, session.result().spikes);
  }
  if (over && session.started_unix_us() && history_ != nullptr) history_->finish(session.result());
  if (!over) return;
  stream->close();
  idle_memory_.look_later();
}

void Context::spike_changed(TestSession &session, const SpikeEntry &spike, double at_seconds) {
  const bool starts = spike.state == results::SpikeState::active;
  const auto count = starts ? std::max(spike.participants, addressed(session, spike)) : spike.participants;
  json::Writer out;
  out.begin_object().put("spike_id", spike.planned.spike.id).put("type", spike.planned.spike.type);
  out.put("state", results::name(spike.state)).put("participants", count).put("at_seconds", at_seconds);
  auto text = out.put_unless_empty("reason", spike.reason).end_object().take();
  text.pop_back();
  channel(session.id())->publish("spike", text);
  if (history_ == nullptr) return;
  for (const auto &record : session.result().spikes) {
    if (record.plan.spike.id == spike.planned.spike.id) history_->spike(session.id(), record);
  }
}

void Context::sampled(TestSession &session, const results::Sample &sample) {
  pool_.sampled(sample);
  auto text = results::to_json(sample);
  text.pop_back();
  channel(session.id())->publish("sample", text);
  if (history_ != nullptr) history_->second(session.id(), sample);
}

std::vector<Route> routes(Context &context) {
  std::vector<Route> all;
  for (auto part : {process_routes(context), test_routes(context), run_routes(context), spike_routes(context),
                    participant_routes(context), report_routes(context), webrtc_routes(context), whep_routes(context),
                    subscription_routes(context), play_routes()}) {
    for (Route &route : part) all.push_back(std::move(route));
  }
  return all;
}

void refuse(unsigned status, const Error &error) { throw ApiError(status, error.message, error.field); }

void refuse_all(const std::vector<Error> &errors) {
  ApiError refusal(400, errors.front().message, errors.front().field);
  for (const Error &error : errors) refusal.all.emplace_back(error.field, error.message);
  throw refusal;
}

void refuse_session(const Error &error) {
  if (error.field == "state") refuse(409, {"", error.message});
  if (error.field == "spike_id") refuse(404, error);
  if (error.field == "participant_ids") refuse(404, error);
  const bool media = error.field.starts_with("media") || error.field.starts_with("MEDIA_");
  const bool file = media || error.field == "replay_log";
  if (error.field == "type" || file || error.field.starts_with("params.")) refuse(400, error);
  refuse(503, error);  // an element that cannot be made: this machine is not ready
}

void refuse_viewer(const Error &error) {
  if (error.field == "participant_id") refuse(404, error);
  if (error.field == "state") refuse(409, {"", error.message});
  if (error.field == "capacity") refuse(429, {"", error.message});
  if (error.field == "sdp_answer" || error.field == "candidate" || error.field == "sdp") refuse(400, error);
  refuse(503, error);
}

webrtc::Admits admits(const Context &context) {
  return [&targets = context.settings().targets](const std::string &address) { return bool(targets.admit(address)); };
}

webrtc::Resolve resolver(const Context &context) {
  return [&context, alive = context.alive()](const std::string &host,
                                             const std::function<void(Result<std::string>)> &done) {
    session::resolve({host, 0, ""}, [&context, alive, done](const Result<std::string> &address) {
      if (alive.expired()) return;
      done(address ? context.settings().targets.admit(*address) : address);
    });
  };
}

std::uint32_t number_or_refuse(const std::string &text, const char *field, std::uint32_t low, std::uint32_t high) {
  std::uint32_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || fault != std::errc() || end != text.data() + text.size() || number < low || number > high) {
    throw ApiError(400,
                   "\"" + text + "\" is not a whole number from " + std::to_string(low) + " to " + std::to_string(high),
                   field);
  }
  return number;
}

Reply json_reply(json::Writer &out, unsigned status) {
  Reply reply;
  reply.status = status;
  reply.body = out.take();
  return reply;
}

void write_spike(json::Writer &out, const spike::Planned &planned) {
  const auto &[spike, start, end] = planned;
  out.put("spike_id", spike.id).put("type", spike.type).put("start_seconds", to_seconds(start.since_origin));
  if (end != Instant::never()) out.put("end_seconds", to_seconds(end.since_origin));
  if (!spike.participants.empty()) out.put("participant_ids", spike.participants);
  out.begin_object("params");
  for (const auto &[name, value] : spike.params) {
    if (const auto *number = std::get_if<double>(&value)) {
      out.put(name, *number);
    } else {
      out.put(name, std::get<std::string>(value));
    }
  }
  out.end_object();
}

}  // namespace avc::api
