// Starting and stopping tests.
#include <glib.h>

#include "launcher/api/context.hpp"

namespace avc::api {
namespace {

using session::TestSession;

// How long the reply to start waits for media that is still being prepared: clients give up after 10 s.
constexpr guint kStartReplyMs = 3000;

// A reply that is given once, by whichever comes first: the test's start or the end of patience.
struct StartReply {
  StartReply(Context &c, std::string id, http::Finish f) : context(c), test_id(std::move(id)), finish(std::move(f)) {}
  ~StartReply() {
    if (timer != 0) g_source_remove(timer);
  }
  StartReply(const StartReply &) = delete;
  StartReply &operator=(const StartReply &) = delete;

  void give(const std::function<Reply()> &outcome) {
    if (timer != 0) g_source_remove(std::exchange(timer, 0));
    if (auto once = std::exchange(finish, nullptr)) once(outcome);
  }
  Reply started(const std::string &message) const {
    json::Writer out;
    out.begin_object().put("started", true);
    if (const TestSession *session = context.pool().find(test_id); session != nullptr && session->started_unix_us()) {
      out.put("start_time_unix_ms", *session->started_unix_us() / 1000);
    }
    return json_reply(out.put("status_message", message).end_object());
  }

  Context &context;
  std::string test_id;
  http::Finish finish;
  guint timer = 0;
};

Reply start(Context &context, const Request &request) {
  TestSession &session = context.test(request);
  Reply reply;
  reply.later = [&context, &session](const http::Finish &finish) {
    auto answer = std::make_shared<StartReply>(context, session.id(), finish);
    const std::string count = std::to_string(session.setup().participants.size());
    answer->timer = g_timeout_add_full(
        G_PRIORITY_DEFAULT, kStartReplyMs,
        [](gpointer data) -> gboolean {
          auto &self = **static_cast<std::shared_ptr<StartReply> *>(data);
          self.timer = 0;
          self.give([&self] { return self.started("Preparing media; participants start when it is ready"); });
          return G_SOURCE_REMOVE;
        },
        new std::shared_ptr<StartReply>(answer),
        [](gpointer data) { delete static_cast<std::shared_ptr<StartReply> *>(data); });
    session.start([answer, count](Result<bool> outcome) {
      answer->give([&] {
        if (!outcome) refuse_session(outcome.error());
        return answer->started("Started " + count + " participants");
      });
    });
  };
  return reply;
}

// Stopping what has stopped is no fault: the old tool's clients stop a test whose time may just be over.
Reply stop(Context &context, const Request &request) {
  TestSession &session = context.test(request);
  if (!participant::is_over(session.state())) {
    if (auto stopped = session.stop(results::EndReason::stopped, ""); !stopped) {
      refuse_session(stopped.error());
    }
  }
  json::Writer out;
  out.begin_object().put("stopped", true).begin_object("final_metrics");
  write_metrics(out, session);
  return json_reply(out.end_object().end_object());
}

Reply stop_all(Context &context, const Request &) {
  json::Writer out;
  out.begin_object().begin_array("stopped");
  for (TestSession *session : context.pool().all()) {
    if (participant::is_over(session->state())) continue;
    (void)session->stop(results::EndReason::stopped, "");
    out.value(session->id());
  }
  return json_reply(out.end_array().end_object());
}

Reply events(Context &context, const Request &request) {
  Reply reply;
  reply.events = context.channel(context.test(request).id());
  return reply;
}

}  // namespace

std::vector<Route> run_routes(Context &c) {
  const auto with = [&c](auto handler) {
    return [&c, handler](const Request &request) { return handler(c, request); };
  };
  std::vector<Route> all;
  all.push_back({.method = "POST",
                 .pattern = "/api/v1/test/{test_id}/start",
                 .summary = "Start: answered when the participants send, or after 3 s of preparing media",
                 .handle = with(start),
                 .replies = {{409, "it was started before"}}});
  all.push_back({.method = "POST",
                 .pattern = "/api/v1/test/{test_id}/stop",
                 .summary = "Stop, with the final metrics",
                 .handle = with(stop)});
  all.push_back(
      {.method = "POST", .pattern = "/api/v1/stop", .summary = "Stop every test, now", .handle = with(stop_all)});
  all.push_back({.method = "GET",
                 .pattern = "/api/v1/test/{test_id}/events",
                 .summary = "Server-sent events: state, spike, one sample a second; Last-Event-ID resumes",
                 .handle = with(events),
                 .replies = {{204, "the test is over and everything was sent"}},
                 .answer_type = "text/event-stream"});
  return all;
}

}  // namespace avc::api
