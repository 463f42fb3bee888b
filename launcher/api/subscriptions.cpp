// Receive-only participants that belong to no test: a set of subscribers is made by one request, asked about while it
// runs, and deleted in the end. `avchaos receive --whep` and `--webrtc` are its client.
#include <glib.h>

#include "core/json/json.hpp"
#include "launcher/api/context.hpp"
#include "launcher/api/subscriber_json.hpp"
#include "launcher/webrtc/whip_text.hpp"

namespace avc::api {
namespace {

constexpr std::size_t kMostSubscriptions = 32, kLongestUrl = 2048, kLongestToken = 4096;

struct Wanted {
  std::string token;
  std::vector<std::string> whep;
  std::string base_url, test_id;  // of the old exchange
  std::vector<std::uint32_t> participants;
};

void read_rest(json::Object &object, Wanted &wanted) {
  wanted.base_url = object.text("base_url", kLongestUrl).value_or("");
  while (wanted.base_url.ends_with('/')) wanted.base_url.pop_back();
  wanted.test_id = object.text("test_id", 128).value_or("");
  for (const auto &item : object.array("participants", webrtc::Subscribers::kMost)) {
    if (const auto id = item.integer(1, UINT32_MAX)) wanted.participants.push_back(static_cast<std::uint32_t>(*id));
  }
  if (!object.notes().faults.empty()) return;
  if (const auto url = webrtc::whip_url(wanted.base_url, {}); !url) object.fault("base_url", url.error().message);
  if (wanted.test_id.empty()) object.fault("test_id", "is missing or empty");
  if (wanted.participants.empty()) object.fault("participants", "is missing or empty");
}

Wanted read(const Request &request) {
  const auto document = json::Document::parse(request.body);
  if (!document) throw ApiError(400, document.error().message);
  json::Notes notes;
  Wanted wanted;
  if (auto root = document->root(notes).object()) {
    wanted.token = root->text("token", kLongestToken).value_or("");
    for (const auto &item : root->array("whep", webrtc::Subscribers::kMost)) {
      const auto url = item.text(kLongestUrl);
      if (!url) continue;
      if (const auto fine = webrtc::whip_url(*url, {}); !fine) item.fault(fine.error().message);
      wanted.whep.push_back(*url);
    }
    if (auto rest = root->object("webrtc")) {
      read_rest(*rest, wanted);
      if (!wanted.whep.empty()) root->fault("webrtc", "contradicts whep: one of them says what to receive");
    } else if (notes.faults.empty() && wanted.whep.empty()) {
      root->fault("whep", "is missing or empty, and there is no webrtc");
    }
  }
  if (!notes.faults.empty()) refuse_all(notes.faults);
  return wanted;
}

webrtc::SubscriberSettings settings_for(const Context &context, std::uint32_t number, std::string source) {
  webrtc::SubscriberSettings settings;
  settings.source = std::move(source);
  settings.ice = context.settings().ice;
  settings.ice.servers = webrtc::turn_servers(context.settings().turn, number);
  settings.admits = admits(context);
  return settings;
}

std::unique_ptr<webrtc::Subscribers> make(Context &context, const Wanted &wanted) {
  auto all = std::make_unique<webrtc::Subscribers>();
  for (const std::string &url : wanted.whep) {
    all->add(settings_for(context, static_cast<std::uint32_t>(all->size()), url),
             webrtc::whep_signalling({.url = url, .token = wanted.token}, context.whip_exchange()));
  }
  for (const std::uint32_t participant : wanted.participants) {
    webrtc::RestSettings rest{wanted.base_url, wanted.test_id, wanted.token, participant};
    auto settings =
        settings_for(context, participant, wanted.base_url + " " + wanted.test_id + " " + std::to_string(participant));
    settings.participant = participant;
    all->add(std::move(settings), webrtc::rest_signalling(rest, context.whip_exchange()));
  }
  return all;
}

Subscription &found(Context &context, const Request &request) {
  auto &all = context.subscriptions();
  if (const auto it = all.find(request.args.front()); it != all.end()) return it->second;
  throw ApiError(404, "there is no subscription \"" + request.args.front() + "\"", "subscription_id");
}

Reply told(const std::string &id, const Subscription &subscription, unsigned status) {
  json::Writer out;
  out.begin_object().put("subscription_id", id);
  out.put("seconds", static_cast<double>(g_get_monotonic_time() - subscription.began_us) / 1e6);
  out.begin_array("subscribers");
  for (const auto &one : subscription.subscribers->snapshot()) write_subscriber(out, one);
  return json_reply(out.end_array().end_object(), status);
}

Reply subscribe(Context &context, const Request &request) {
  const Wanted wanted = read(request);
  auto &all = context.subscriptions();
  std::size_t subscribers = wanted.whep.size() + wanted.participants.size();
  for (const auto &[id, one] : all) subscribers += one.subscribers->size();
  if (all.size() >= kMostSubscriptions || subscribers > webrtc::Subscribers::kMost) {
    throw ApiError(429, "this daemon has " + std::to_string(kMostSubscriptions) + " subscriptions with " +
                            std::to_string(webrtc::Subscribers::kMost) + " subscribers at most");
  }
  char id[17];
  g_snprintf(id, sizeof id, "%08x%08x", g_random_int(), g_random_int());
  auto &made = all[id] = Subscription{make(context, wanted), g_get_monotonic_time()};
  made.subscribers->begin();
  return told(id, made, 201);
}

Reply look(Context &context, const Request &request) {
  return told(request.args.front(), found(context, request), 200);
}

Reply end(Context &context, const Request &request) {
  Subscription &subscription = found(context, request);
  Reply last = told(request.args.front(), subscription, 200);
  context.subscriptions().erase(request.args.front());
  return last;
}

}  // namespace

std::vector<Route> subscription_routes(Context &c) {
  const auto with = [&c](auto handler) {
    return [&c, handler](const Request &request) { return handler(c, request); };
  };
  std::vector<Route> all;
  all.push_back(
      {.method = "POST",
       .pattern = "/api/v1/subscriptions",
       .summary = "Receive and measure: from WHEP endpoints, or from a test's participants by the old exchange",
       .handle = with(subscribe),
       .body = {{"whep", "array", "URLs; one subscriber each"},
                {"webrtc", "object", "instead: base_url, test_id and participants (ids)"},
                {"token", "string", "bearer token that goes with every request"}},
       .replies = {{201, "they begin"}, {429, "too many"}}});
  all.push_back({.method = "GET",
                 .pattern = "/api/v1/subscriptions/{subscription_id}",
                 .summary = "What each subscriber has received so far, stream by stream",
                 .handle = with(look),
                 .replies = {{404, "no such subscription"}}});
  all.push_back({.method = "DELETE",
                 .pattern = "/api/v1/subscriptions/{subscription_id}",
                 .summary = "All of them leave; the reply has their last figures",
                 .handle = with(end),
                 .replies = {{404, "no such subscription"}}});
  return all;
}

}  // namespace avc::api
