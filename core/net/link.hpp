// One participant's way through a network: a packet's description goes in with its time, what becomes of it comes
// out. Order, fixed: frame drop, loss, duplicate, corrupt, rate and queue, delay with jitter and reordering.
//
// A link is a base impairment plus any number of layers (one per spike in force). Composition:
//   loss      each layer decides alone, with chance of its own: together 1-(1-a)(1-b)...; frame drop and duplicates
//             likewise (a packet has one duplicate at most)
//   corrupt   each decides alone; one bit changes, that of the first that says so
//   rate      the slowest line (a trace by its mean), with queue and overhead of the impairment it belongs to; the
//             longest slots; limit_packets the lowest
//   delay     the layers' delays add up; each is drawn alone and is never negative. A packet chosen for reordering
//             is spared its layer's delay
//   order     packets may overtake only if every impairment with jitter allows it (no jitter: the base decides);
//             those chosen for reordering always may
//   apply_to  an impairment does not exist for packets it does not apply to. While there is one that is not for all,
//             order is kept within each stream instead of over all
// Base and layers may change between any two packets. A change acts on packets admitted after it; verdicts given
// stand. Taking a layer away leaves exactly what the others make.
//
// All times are the packets' own (their places on the media time line): the same packets get the same verdicts
// however late, on whichever thread and in whatever batches they come. Not thread-safe.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/net/capacity_queue.hpp"
#include "core/net/held.hpp"
#include "core/net/impairment.hpp"
#include "core/net/layer.hpp"
#include "core/net/packet.hpp"
#include "core/net/ring.hpp"
#include "core/random.hpp"
#include "core/time.hpp"

namespace avc::net {

struct Drop {
  enum class Why : std::uint8_t {
    loss,
    queue_full,
    queue_managed,  // by drop head or CoDel, when it had waited already, or by PIE or PI2
    frame,          // its whole video frame
  } why = Why::loss;
};
struct Copy {
  Instant at;
  std::optional<std::uint32_t> corrupt_bit;
  bool ce = false;
};
struct Send {
  Instant at;      // when the packet comes out at the far end
  Nanos queued{};  // how much of that it waited for the line, its own time on the line not counted
  std::optional<std::uint32_t> corrupt_bit{};  // to be changed: byte bit / 8, mask 1 << bit % 8
  std::optional<Copy> duplicate{};             // comes out as well
  bool sent_ahead = false;                     // chosen for reordering
  bool ce = false;                             // marked "congestion experienced", RFC 3168
};
// The queue decides later. With `duplicated` there are two fates of this ticket.
struct Wait {
  std::uint64_t ticket;
  bool duplicated = false;
};
using Verdict = std::variant<Drop, Send, Wait>;

// What became of a packet (or of its duplicate) that was told to wait.
struct Fate {
  std::uint64_t ticket = 0;
  bool duplicate = false;  // the second of two
  std::variant<Drop, Send> verdict;
};

class Link {
 public:
  explicit Link(Rng participant_rng);

  // `at` is the planned moment of the change, where a trace that runs once begins.
  void set_base(const Impairment &settings, Instant at);
  void put_layer(std::string_view id, const Impairment &settings, Instant at);  // again with the same id: replaced
  bool remove_layer(std::string_view id, Instant at);                           // false: no such layer
  void flush();  // forgets queue, those that wait and order, as after a seek; base, layers and chance stay

  Verdict admit(const Packet &packet, Instant arrival);

  // Has every packet its fate at once, which is loss or a delay and nothing else? Then pass() is admit() with less to
  // look at: when the packet comes out, or never.
  bool passes() const { return simple_ && !marks_ && queue_.untouched(); }
  Instant pass(const Packet &packet, Instant arrival);

  // Fates of those that wait, in their order; ask until there is none. Only drop head and CoDel make packets wait.
  std::optional<Fate> fate();                // after each admit(): what the packets so far decide
  std::optional<Fate> fate(Instant now);     // by the clock: also what had left the line by now if nothing else came
  std::optional<Fate> last_fate();           // at the end: of all that wait, as if nothing else came
  std::optional<Instant> next_fate() const;  // when fate(now) has something to say

  const Impairment &base() const { return base_.settings; }
  std::size_t layers() const { return layers_.size(); }
  QueueDepth queue(Instant at) const { return queue_.depth(at); }

 private:
  // What all layers together make of one packet before it comes to the queue, and after.
  struct Treatment {
    std::optional<Drop::Why> dropped;
    bool duplicated = false, sent_ahead = false;
    std::optional<std::uint32_t> corrupt_bit, copy_corrupt_bit;
    Nanos delay{}, copy_delay{};
    Layer *line = nullptr, *slots = nullptr;
    bool jitter = false, jitter_overtakes = true;
    std::uint32_t limit = 0;
    bool ce = false;
  };
  struct Waiting {
    std::uint64_t ticket = 0;
    bool duplicate = false;
    Stream stream = Stream::other;
    Instant arrival;
    Nanos delay{};
    std::optional<std::uint32_t> corrupt_bit;
    bool may_overtake = false, sent_ahead = false, ce = false;
  };

  void changed();
  static void add(Layer &layer, const Packet &packet, Treatment &treatment);
  static void mangle(Layer &layer, const Packet &packet, Treatment &treatment);
  Verdict lose_or_delay(const Packet &packet, Instant arrival);
  Treatment treat(const Packet &packet, Instant arrival);
  Verdict through_queue(const Packet &packet, const Treatment &treatment, Instant arrival);
  static Claim claim(const Packet &packet, const Treatment &treatment, bool copy);
  Verdict go_past(const Packet &packet, const Treatment &treatment, Instant arrival);
  void pass(Send &send, const Packet &packet, const Treatment &treatment, Instant arrival,
            const Line::Passage &passage);
  void add_copy(Send &send, const Packet &packet, const Treatment &treatment, const Line::Passage &passage);
  Wait wait(const Packet &packet, const Treatment &treatment, Instant arrival);
  bool may_overtake(const Treatment &treatment) const;
  Instant in_order(Instant at, Stream stream, bool free);
  Fate told(const CapacityQueue::Fate &fate);

  Rng rng_;
  Layer base_;
  std::vector<Layer> layers_;
  bool quiet_ = true;          // nothing acts
  bool simple_ = false;        // only the base acts, and no more than by loss and delay, on every packet
  bool marks_ = false;         // the base says "congestion experienced" in place of losing
  bool separate_ = false;      // streams keep order each for itself
  bool limited_ = false;       // there is a limit_packets: what is on its way is counted
  bool partial_line_ = false;  // there is a line that is not for all packets: others go past it
  CapacityQueue queue_;
  Ring<Waiting> waiting_;  // as in the queue
  Held held_;
  Ring<Fate> ready_;  // told, not fetched yet
  std::uint64_t next_ticket_ = 0;
  // The latest moment any packet so far comes out, by stream and over all.
  std::array<Instant, kStreamCount> last_of_;
  Instant last_{Nanos::min()};
};

}  // namespace avc::net
