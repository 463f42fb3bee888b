// All tests of the process by id, and how many of them there may be: what the machine cannot carry is refused before
// anything is built for it. Forgets tests that were never started and, one by one, those that ended long ago.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "launcher/session/test_session.hpp"

namespace avc::session {

struct PoolLimits {
  std::uint32_t max_participants = 2000;  // of all tests that are not over
  double cores = 2;                       // that the sender may fill to kShare
  std::size_t ended_kept = 100;
  std::int64_t unstarted_seconds = 600;
  double late_limit_ms = 100;  // p99 of the generator beyond which nothing new is taken
};

class SessionPool {
 public:
  SessionPool(PoolLimits limits, SessionObserver &observer);

  // The error's field: "test_id" (there is one), "num_participants" (no room), "" (the generator is late).
  Result<bool> admit(const std::string &test_id, std::uint32_t participants, double packets_per_second);
  TestSession &add(SessionSetup setup);
  TestSession *find(const std::string &id);
  void forget(const std::string &id);
  void stop_all(results::EndReason reason);

  std::vector<TestSession *> all() const;  // in order of creation
  std::uint64_t rejected() const { return rejected_; }
  std::uint32_t participants() const;  // of tests that are not over

  // Processor time for one packet, sender and embedded receiver together; docs/security.md says what it rests on.
  static constexpr double kSecondsPerPacket = 6.5e-6;
  static constexpr double kShare = 0.85;

 private:
  void tidy();
  double packets_per_second() const;

  PoolLimits limits_;
  SessionObserver &observer_;
  std::vector<std::unique_ptr<TestSession>> sessions_;
  std::uint64_t rejected_ = 0;
  SourceId tidy_timer_;
};

// RTP packets a second of one participant as it was asked for.
double packets_per_second(const scenario::Scenario &scenario);

}  // namespace avc::session
