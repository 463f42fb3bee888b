#include "core/runtime/manual_executor.hpp"

#include <algorithm>
#include <utility>

#include "core/runtime/turns.hpp"

namespace avc::runtime {

ManualExecutor::ManualExecutor(Instant start)
    : now_(start.since_origin.count()), turns_(std::make_shared<Turns>(start)) {}

ManualExecutor::~ManualExecutor() { turns_->stop(); }

void ManualExecutor::advance_to(Instant end) {
  for (auto due = next_due(); due && *due <= end; due = next_due()) {
    now_ = std::max(now(), *due).since_origin.count();
    turns_->turn(now());
  }
  now_ = std::max(now(), end).since_origin.count();
}

std::optional<Instant> ManualExecutor::next_due() const { return turns_->next_due(); }
stats::Summary ManualExecutor::lateness() const { return turns_->lateness(); }
bool ManualExecutor::is_current() const { return turns_->is_current(); }
std::unique_ptr<Timer> ManualExecutor::make_timer(std::function<void()> callback, std::string owner) {
  return turns_->make_timer(std::move(callback), std::move(owner));
}
void ManualExecutor::at_turn_end(TurnEnd &hook) { turns_->at_turn_end(hook); }
void ManualExecutor::forget(TurnEnd &hook) { turns_->forget(hook); }
void ManualExecutor::wait_for(TurnEnd &hook) { turns_->wait_for(hook); }
void ManualExecutor::record_lateness(Nanos late, std::uint64_t times) { turns_->record_lateness(late, times); }

}  // namespace avc::runtime
