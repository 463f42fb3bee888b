// An executor whose time moves when a test says so, and whose thread is whoever moves it.
#pragma once

#include <atomic>
#include <memory>
#include <optional>

#include "core/runtime/executor.hpp"
#include "core/stats/histogram.hpp"

namespace avc::runtime {

class Turns;

class ManualExecutor final : public Executor {
 public:
  explicit ManualExecutor(Instant start = {});
  ~ManualExecutor() override;

  // Serves every deadline on the way at its own time, then stays at the end. One thread at a time.
  void advance_to(Instant end);
  void advance(Nanos span) { advance_to(now() + span); }
  std::optional<Instant> next_due() const;
  stats::Summary lateness() const;

  Instant now() const override { return {Nanos(now_.load())}; }
  bool is_current() const override;
  std::unique_ptr<Timer> make_timer(std::function<void()> callback, std::string owner = {}) override;
  void at_turn_end(TurnEnd &hook) override;
  void forget(TurnEnd &hook) override;
  void wait_for(TurnEnd &hook) override;
  using Executor::record_lateness;
  void record_lateness(Nanos late, std::uint64_t times) override;

 private:
  std::atomic<Nanos::rep> now_;
  std::shared_ptr<Turns> turns_;
};

}  // namespace avc::runtime
