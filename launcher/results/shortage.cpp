#include "launcher/results/shortage.hpp"

#include <algorithm>

#include "launcher/results/text.hpp"

namespace avc::results {
namespace {

// Of the time in question. A machine that lends a twentieth of its processors shows it as lateness of milliseconds.
constexpr double kMuchStolen = 0.05, kMuchThrottled = 0.05, kMuchWaited = 0.10;
constexpr double kFull = 0.90;  // a processor or a thread that has nothing left

std::string percent(double share) { return number(share * 100, 0) + " %"; }

std::string of_processors(double seconds, const MachineUse &use) {
  return percent(seconds / (use.seconds * use.processors)) + " of " + std::to_string(use.processors) +
         (use.processors == 1 ? " processor" : " processors");
}

}  // namespace

MachineUse &MachineUse::operator+=(const MachineUse &next) {
  seconds += next.seconds;
  processors = next.processors;
  own_cpu_seconds += next.own_cpu_seconds;
  machine_cpu_seconds += next.machine_cpu_seconds;
  steal_seconds += next.steal_seconds;
  throttled_seconds += next.throttled_seconds;
  waited_seconds += next.waited_seconds;
  busiest_seconds += next.busiest_seconds;
  busiest = next.busiest;
  involuntary_switches += next.involuntary_switches;
  return *this;
}

// In the order of who is to blame: what is taken from the machine as a whole comes before what it does with the rest.
std::string late_because(const GeneratorHealth &generator) {
  const MachineUse &use = generator.late_use.seconds > 0 ? generator.late_use : generator.use;
  if (use.seconds <= 0) return "what was short is not known: it ran for less than a second";
  const double all = use.seconds * use.processors;
  if (use.steal_seconds > kMuchStolen * all)
    return "short of processor time: the hypervisor gave " + of_processors(use.steal_seconds, use) +
           " to others (steal)";
  if (use.throttled_seconds > kMuchThrottled * use.seconds)
    return "short of processor time: the container's CPU limit was used up for " + number(use.throttled_seconds, 1) +
           " of " + number(use.seconds, 1) + " s";
  if (use.own_cpu_seconds > kFull * all)
    return "short of processor time: this program itself used " + of_processors(use.own_cpu_seconds, use) +
           "; it takes fewer participants or more processors";
  const double others = std::max(0.0, use.machine_cpu_seconds - use.own_cpu_seconds);
  if (use.waited_seconds > kMuchWaited * use.seconds && use.machine_cpu_seconds > kFull * all)
    return "short of processor time: other programs used " + of_processors(others, use) + ", this one " +
           of_processors(use.own_cpu_seconds, use);
  if (use.busiest_seconds > kFull * use.seconds)
    return "one sending thread (" + use.busiest +
           ") had no time left while processors were idle: more \"contexts\" help";
  if (use.waited_seconds > kMuchWaited * use.seconds)
    return "a sending thread was ready but had to wait for a processor for " + number(use.waited_seconds, 1) + " of " +
           number(use.seconds, 1) + " s";
  return "no resource stands out: processors " + of_processors(use.machine_cpu_seconds, use) +
         " in use, nothing stolen";
}

std::string refused_because(const GeneratorHealth &generator) {
  const auto &errors = generator.errors_by_name;
  const auto most =
      std::max_element(errors.begin(), errors.end(), [](const auto &a, const auto &b) { return a.second < b.second; });
  if (most == errors.end()) return "the kernel refused them";
  if (most->first == "ENOBUFS" || most->first == "EAGAIN" || most->first == "EWOULDBLOCK")
    return "the socket's send buffer or the interface's queue was full: " + most->first;
  if (most->first == "ENOMEM") return "the kernel had no memory: ENOMEM";
  return "the kernel refused them: " + most->first;
}

}  // namespace avc::results
