#include "core/participant/participant.hpp"

#include <array>

namespace avc::participant {
namespace {

constexpr std::array<std::string_view, 8> kStates{"created", "preparing", "connecting", "running",
                                                  "lost",    "failed",    "left",       "stopped"};
constexpr std::array<std::string_view, 5> kTestStates{"created", "running", "stopping", "stopped", "failed"};

}  // namespace

Identity identity_of(std::uint32_t id) { return {id, id * 1000, id * 1000 + 1}; }

std::string_view name(State state) { return kStates[static_cast<std::size_t>(state)]; }

bool is_over(State state) { return state == State::failed || state == State::stopped; }

bool may_follow(State from, State to) {
  if (is_over(from) || from == to) return false;
  if (is_over(to)) return true;  // it may fail, leave or be stopped from wherever it is
  switch (from) {
    case State::created:
      return to == State::preparing || to == State::connecting || to == State::running;
    case State::preparing:
      return to == State::connecting || to == State::running;
    case State::connecting:
      return to == State::running || to == State::lost || to == State::left;
    case State::running:
      return to == State::connecting || to == State::lost || to == State::left;
    case State::left:
      return to == State::running || to == State::connecting;
    case State::lost:
      return to == State::connecting || to == State::running;
    default:
      return false;
  }
}

std::string_view name(TestState state) { return kTestStates[static_cast<std::size_t>(state)]; }

bool is_over(TestState state) { return state == TestState::stopped || state == TestState::failed; }

bool may_follow(TestState from, TestState to) {
  switch (from) {
    case TestState::created:
      return to == TestState::running || to == TestState::stopped || to == TestState::failed;
    case TestState::running:
      return to == TestState::stopping || to == TestState::failed;
    case TestState::stopping:
      return to == TestState::stopped || to == TestState::failed;
    default:
      return false;
  }
}

}  // namespace avc::participant
