#include "launcher/session/session_pool.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

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

std::vector<unsigned> first_contexts(unsigned count) {
  std::vector<unsigned> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0u);
  return numbers;
}

SessionPool::SessionPool(PoolLimits limits, SessionObserver &observer)
    : limits_(std::move(limits)), observer_(observer), circuit_(limits_.circuit) {
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

Capacity SessionPool::capacity() const {
  Capacity left = limits_.capacity;
  for (const auto &session : sessions_) {
    if (participant::is_over(session->state())) continue;
    const auto count = static_cast<double>(session->setup().participants.size());
    left.add({session::packets_per_second(session->setup().scenario) * count, session->has_receiver()});
  }
  return left;
}

// Few threads with much to do in each turn cost less than many with little: what leaves together shares messages.
std::vector<unsigned> SessionPool::least_used_contexts(double packets_per_second, unsigned most) const {
  constexpr double kShareOfOne = 0.6;  // of a processor
  std::map<unsigned, double> used;
  for (const auto &session : sessions_) {
    if (participant::is_over(session->state())) continue;
    const auto &setup = session->setup();
    const double each = session::packets_per_second(setup.scenario) / static_cast<double>(setup.contexts.size());
    for (const unsigned context : setup.contexts) used[context] += each * static_cast<double>(setup.participants.size());
  }
  auto contexts = first_contexts(std::max(1u, most));
  std::ranges::stable_sort(contexts, {}, [&](unsigned context) { return used[context]; });
  const double needed = std::ceil(packets_per_second * limits_.capacity.cost().sender / kShareOfOne);
  contexts.resize(static_cast<std::size_t>(std::clamp(needed, 1.0, static_cast<double>(contexts.size()))));
  return contexts;
}

Instant SessionPool::now() const {
  return limits_.now ? limits_.now() : Instant{std::chrono::microseconds(g_get_monotonic_time())};
}

std::optional<Refusal> SessionPool::admit(const std::string &test_id, std::uint32_t count, const Load &of_each) {
  constexpr Nanos kRoomMayCome = std::chrono::seconds(10);
  using Why = Refusal::Why;
  if (find(test_id) != nullptr)
    return Refusal{Why::taken_id, {"test_id", "there is a test \"" + test_id + "\" already"}};
  const auto no_room = [this](std::uint64_t room, const std::string &what) {
    ++rejected_;
    return Refusal{Why::no_room,
                   {"num_participants", "there is room for " + std::to_string(room) + " more participants" + what},
                   kRoomMayCome};
  };
  if (const Nanos wait = circuit_.retry_after(now()); wait > Nanos(0)) {
    ++rejected_;
    return Refusal{Why::late,
                   {"", "the generator does not keep time; nothing new is taken until it has been on time for a while"},
                   wait};
  }
  const std::uint32_t most = limits_.max_participants, there = participants();
  const std::string asked = ", not " + std::to_string(count);
  if (there + std::uint64_t{count} > most)
    return no_room(most - std::min(there, most), asked + " (avchaosd --max-participants " + std::to_string(most) + ")");
  const Capacity left = capacity();
  const double room = left.room(of_each.received);
  if (count * of_each.packets_per_second > room) {
    const double each = std::max(1.0, of_each.packets_per_second);
    const std::string why =
        left.cost().measured ? " (as calibrated)" : " (a guess: avchaos doctor --calibrate measures)";
    return no_room(static_cast<std::uint64_t>(room / each), " of this kind" + asked + why);
  }
  return std::nullopt;
}

TestSession &SessionPool::add(SessionSetup setup) {
  circuit_.taken(now());
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
