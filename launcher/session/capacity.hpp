// How many packets a second this machine carries, from what one costs: measured by `avchaos doctor --calibrate`, or a
// careful guess. A test needs its senders' threads, and its embedded receiver one thread more where it has one.
#pragma once

#include <algorithm>

namespace avc::session {

struct PacketCost {
  // Seconds of processor time. The guess: every packet a system call's work of its own, on a slow virtual machine.
  double sender = 4.5e-6, receiver = 2e-6;
  bool measured = false;
};

struct Load {
  double packets_per_second = 0;
  bool received = false;  // by a receiver of this process
};

class Capacity {
 public:
  // Beyond this share of a processor packets begin to be late.
  static constexpr double kShare = 0.85;

  Capacity() = default;
  Capacity(const PacketCost &cost, unsigned processors, unsigned contexts)
      : cost_(cost), processors_(processors), senders_(std::min(processors, contexts)) {}

  void add(const Load &load) {
    senders_used_ += load.packets_per_second * cost_.sender;
    used_ += load.packets_per_second * of(load.received);
  }
  // Packets a second that one more test may send.
  double room(bool received) const {
    double most =
        std::min((kShare * processors_ - used_) / of(received), (kShare * senders_ - senders_used_) / cost_.sender);
    if (received) most = std::min(most, kShare / cost_.receiver);
    return std::max(0.0, most);
  }
  const PacketCost &cost() const { return cost_; }

 private:
  double of(bool received) const { return cost_.sender + (received ? cost_.receiver : 0); }

  PacketCost cost_;
  double processors_ = 2, senders_ = 2;
  double used_ = 0, senders_used_ = 0;  // processors
};

}  // namespace avc::session
