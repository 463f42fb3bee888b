// One participant's way through a network: a packet's description goes in with its time, what becomes of it comes
// out. Order, fixed: loss, then rate and queue, then delay and jitter.
//
// A link is a base impairment plus any number of layers (one per spike in force). Composition:
//   loss      each layer decides alone, with chance of its own: together 1-(1-a)(1-b)...
//   rate      the slowest line, with the queue and overhead of the impairment it belongs to
//   delay     the layers' delays add up; each is drawn alone and is never negative
//   order     packets may overtake only if every impairment with jitter allows it (no jitter: the base decides)
// Base and layers may change between any two packets. A change acts on packets admitted after it; verdicts given
// stand. Taking a layer away leaves exactly what the others make.
//
// All times are the packets' own (their places on the media time line): the same packets get the same verdicts
// however late, on whichever thread and in whatever batches they come. Not thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/net/capacity_queue.hpp"
#include "core/net/delay.hpp"
#include "core/net/impairment.hpp"
#include "core/net/loss.hpp"
#include "core/net/packet.hpp"
#include "core/random.hpp"
#include "core/time.hpp"

namespace avc::net {

struct Drop {
  enum class Why { loss, queue_full } why;
};
struct Send {
  Instant at;      // when the packet comes out at the far end
  Nanos queued{};  // how much of that it waited for the line, its own time on the line not counted
};
using Verdict = std::variant<Drop, Send>;

class Link {
 public:
  explicit Link(Rng participant_rng);

  // `at` is the planned moment of the change, for models whose state runs on between packets; none of today's does.
  void set_base(const Impairment &settings, Instant at);
  void put_layer(std::string_view id, const Impairment &settings, Instant at);  // again with the same id: replaced
  bool remove_layer(std::string_view id, Instant at);                           // false: no such layer
  void flush();  // forgets queue and order, as after a seek; base, layers and chance stay

  Verdict admit(const Packet &packet, Instant arrival);

  const Impairment &base() const { return base_.settings; }
  std::size_t layers() const { return layers_.size(); }
  QueueDepth queue(Instant at) const { return queue_.depth(at); }

 private:
  struct Layer {
    Layer(std::string_view name, const Rng &rng) : id(name), loss(rng), delay(rng) {}
    std::string id;
    Impairment settings;
    Loss loss;
    Delay delay;
  };
  // What all layers together do to one packet.
  struct Sum {
    bool lost = false;
    Nanos delay{};
    const Impairment *slowest = nullptr;
    bool jitter = false, jitter_overtakes = true;
  };
  static void add(Layer &layer, const Packet &packet, Sum &sum);
  Sum sum_for(const Packet &packet);

  Rng rng_;
  Layer base_;
  std::vector<Layer> layers_;
  CapacityQueue queue_;
  Instant last_{Nanos::min()};  // the latest moment any packet so far comes out
};

}  // namespace avc::net
