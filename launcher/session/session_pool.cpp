#include "launcher/session/session_pool.hpp"

#include <algorithm>
#include <cmath>

namespace avc::session {
namespace {

constexpr double kPayloadBytes = 1152;
constexpr double kAudioPacketsPerSecond = 50;

}  // namespace

double packets_per_second(const scenario::Scenario &scenario) {
  const double bytes_per_second = scenario.video.bitrate_kbps * 1000.0 / 8;
  const double fps = std::max(1.0, scenario.video.fps);
  return std::ceil(bytes_per_second / fps / kPayloadBytes) * fps + kAudioPacketsPerSecond;
}

SessionPool::SessionPool(PoolLimits limits, SessionObserver &observer) : limits_(limits), observer_(observer) {
  tidy_timer_.set(g_timeout_add_seconds(
      10,
      [](gpointer self) -> gboolean {
        static_cast<SessionPool *>(self)->tidy();
        return G_SOURCE_CONTINUE;
      },
      this));
}

std::uint32_t SessionPool::participants() const {
  std::uint32_t sum = 0;
  for (const auto &session : sessions_) {
    if (!participant::is_over(session->state())) {
      sum += static_cast<std::uint32_t>(session->setup().participants.size());
    }
  }
  return sum;
}

double SessionPool::packets_per_second() const {
  double sum = 0;
  for (const auto &session : sessions_) {
    if (participant::is_over(session->state())) continue;
    sum += session::packets_per_second(session->setup().scenario) *
           static_cast<double>(session->setup().participants.size());
  }
  return sum;
}

Result<bool> SessionPool::admit(const std::string &test_id, std::uint32_t count, double pps) {
  if (find(test_id) != nullptr) return Error{"test_id", "there is a test \"" + test_id + "\" already"};
  for (const auto &session : sessions_) {
    const results::Sample *sample = session->last_sample();
    if (session->state() != participant::TestState::running || sample == nullptr) continue;
    if (sample->generator.late_p99_ms > limits_.late_limit_ms) {
      ++rejected_;
      return Error{"", "the generator is late already (test \"" + session->id() + "\"); nothing new is taken now"};
    }
  }
  const std::uint32_t now = participants();
  if (now + std::uint64_t{count} > limits_.max_participants) {
    ++rejected_;
    return Error{"num_participants",
                 "there is room for " +
                     std::to_string(limits_.max_participants - std::min(now, limits_.max_participants)) +
                     " more participants, not " + std::to_string(count) + " (avchaosd --max-participants " +
                     std::to_string(limits_.max_participants) + ")"};
  }
  const double room = limits_.cores * kShare / kSecondsPerPacket - packets_per_second();
  if (count * pps > room) {
    ++rejected_;
    return Error{"num_participants",
                 "this machine has room for about " +
                     std::to_string(static_cast<std::int64_t>(std::max(0.0, room / std::max(1.0, pps)))) +
                     " more participants of this kind, not " + std::to_string(count)};
  }
  return true;
}

TestSession &SessionPool::add(SessionSetup setup) {
  sessions_.push_back(std::make_unique<TestSession>(std::move(setup), observer_));
  return *sessions_.back();
}

TestSession *SessionPool::find(const std::string &id) {
  for (const auto &session : sessions_) {
    if (session->id() == id) return session.get();
  }
  return nullptr;
}

void SessionPool::forget(const std::string &id) {
  std::erase_if(sessions_, [&](const auto &session) { return session->id() == id; });
}

void SessionPool::stop_all(results::EndReason reason) {
  for (const auto &session : sessions_) {
    if (!participant::is_over(session->state())) (void)session->stop(reason, "");
  }
}

std::vector<TestSession *> SessionPool::all() const {
  std::vector<TestSession *> list;
  for (const auto &session : sessions_) list.push_back(session.get());
  return list;
}

void SessionPool::tidy() {
  const std::int64_t now = g_get_monotonic_time();
  std::erase_if(sessions_, [&](const auto &session) {
    return session->state() == participant::TestState::created &&
           now - session->created_monotonic_us() > limits_.unstarted_seconds * 1'000'000;
  });
  auto ended = static_cast<std::size_t>(std::count_if(
      sessions_.begin(), sessions_.end(), [](const auto &session) { return participant::is_over(session->state()); }));
  std::erase_if(sessions_, [&](const auto &session) {
    if (ended <= limits_.ended_kept || !participant::is_over(session->state())) return false;
    --ended;
    return true;
  });
}

}  // namespace avc::session
