// Packets that the link told to wait for their fate, and whatever has to stay behind them.
//
// Fates are told in the order in which packets came, so this is a plain queue. Its front is always a packet whose fate
// is open. A serialized event that comes while packets wait takes its place among them; packets that come after such
// an event stay behind it even if their own fate is known.
//
// Not thread-safe but for packets().
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <optional>
#include <vector>

#include "core/net/ring.hpp"
#include "elements/degrader/model.hpp"
#include "elements/support/ptr.hpp"

namespace avc::degrader {

class Waiting {
 public:
  struct Entry {
    Ptr<GstMiniObject> what;  // a buffer or an event
    Order order;              // of a buffer that is decided
    bool open = false;
    bool is_buffer() const { return GST_IS_BUFFER(what.get()); }
  };

  bool empty() const { return entries_.empty(); }
  bool holds_event() const { return events_ > 0; }
  std::size_t packets() const { return packets_; }  // any thread

  void add_open(Ptr<GstBuffer> buffer);
  void add_decided(Ptr<GstBuffer> buffer, const Order &order);  // while holds_event()
  void add(Ptr<GstEvent> event);                                // while not empty()

  void decide(const Order &order);     // the fate of the front
  std::optional<Entry> take_ready();   // the front, unless its fate is open
  std::vector<Ptr<GstEvent>> clear();  // the events among them

 private:
  void add(Entry entry);

  net::Ring<Entry> entries_;
  std::size_t events_ = 0;
  std::atomic<std::size_t> packets_{0};
};

}  // namespace avc::degrader
