// All tests of the process by id, and how many of them there may be: what the machine cannot carry is refused before
// anything is built for it. Forgets tests that were never started and, one by one, those that ended long ago.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "launcher/session/capacity.hpp"
#include "launcher/session/circuit.hpp"
#include "launcher/session/test_session.hpp"

namespace avc::session {

struct PoolLimits {
  std::uint32_t max_participants = 2000;  // of all tests that are not over
  Capacity capacity;                      // of the machine, with nothing running
  std::size_t ended_kept = 100;
  std::int64_t unstarted_seconds = 600;
  Circuit::Limits circuit;
  std::function<Instant()> now;  // the steady clock if there is none
};

// Why a test was not taken.
struct Refusal {
  enum class Why { taken_id, no_room, late } why;
  Error error;           // its field: "test_id", "num_participants", or "" when late
  Nanos retry_after{0};  // 0: that would not help
};

class SessionPool {
 public:
  SessionPool(PoolLimits limits, SessionObserver &observer);

  // Nothing: it may be made.
  std::optional<Refusal> admit(const std::string &test_id, std::uint32_t participants, const Load &of_each);
  TestSession &add(SessionSetup setup);  // in a half-open circuit it is the one on trial
  TestSession *find(const std::string &id);
  void forget(const std::string &id);
  void stop_all(results::EndReason reason);

  std::vector<TestSession *> all() const;  // in order of creation
  std::uint64_t rejected() const { return rejected_; }
  std::uint32_t participants() const;  // of tests that are not over
  Capacity capacity() const;           // with what they take
  // Of `most` contexts so many as so many packets a second need, those with the least to do so far.
  std::vector<unsigned> least_used_contexts(double packets_per_second, unsigned most) const;

  // A test's sample has come.
  void sampled(const results::Sample &sample) { circuit_.second(sample.generator.second_late_p99_ms, now()); }
  Circuit::State circuit() const { return circuit_.state(now()); }

 private:
  void tidy();
  Instant now() const;

  PoolLimits limits_;
  SessionObserver &observer_;
  std::vector<std::unique_ptr<TestSession>> sessions_;
  Circuit circuit_;
  std::uint64_t rejected_ = 0;
  SourceId tidy_timer_;
};

std::vector<unsigned> first_contexts(unsigned count);

// RTP packets a second of one participant as it was asked for.
double packets_per_second(const scenario::Scenario &scenario);

}  // namespace avc::session
