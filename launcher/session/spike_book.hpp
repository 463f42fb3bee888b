// What became of each spike of a test: planned, active, over; on how many participants. Filled from the plan, from
// injections and from what the participants' schedulers report; knows no GStreamer, so tests call it directly.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/spike/spike.hpp"
#include "launcher/results/samples.hpp"

namespace avc::session {

struct SpikeEntry {
  spike::Planned planned;
  results::SpikeState state = results::SpikeState::planned;
  std::uint32_t participants = 0;  // it acts or acted on
  std::string reason;
  std::set<std::uint32_t> in_force;  // participants it acts on now
};

class SpikeBook {
 public:
  enum class Report { started, ended, refused, cancelled };

  explicit SpikeBook(const std::vector<spike::Planned> &plan = {});

  const std::vector<SpikeEntry> &entries() const { return entries_; }
  const SpikeEntry *find(std::string_view id) const;  // of several, the newest
  std::vector<std::string> active() const;

  // An id that was used before gets a number: the old tool's clients use ids again, and records need their own.
  std::string free_id(const std::string &wanted);
  void add(spike::Planned planned);
  void drop(std::string_view id);  // an injection that reached nobody

  // One participant's word about one spike. Gives the entry when its state changed by it: it is active with the first
  // participant and over with the last.
  const SpikeEntry *take(std::string_view id, std::uint32_t participant, Report report, const std::string &reason);
  // A participant that is gone holds nobody up.
  std::vector<const SpikeEntry *> participant_gone(std::uint32_t participant);
  // The end of the test: what is active ends, what is planned never comes.
  std::vector<const SpikeEntry *> test_over(const std::string &reason);
  const SpikeEntry *cancel_planned(std::string_view id);

 private:
  SpikeEntry *entry(std::string_view id);

  std::vector<SpikeEntry> entries_;
  std::map<std::string, int> suffix_;  // the next to try for an id that was used
};

}  // namespace avc::session
