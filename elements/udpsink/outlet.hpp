// One avchaosudpsink as the shared socket sees it: where its packets go, what became of them, and what the far end
// reports of them. Lives as long as packets of it are under way, perhaps longer than its element.
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <memory>
#include <vector>

#include "core/rtp/rtcp.hpp"
#include "core/runtime/guarded.hpp"
#include "elements/support/ptr.hpp"
#include "elements/udpsink/target.hpp"

namespace avc::udpsink {

// What reports of the far end say of one of our streams.
struct Remote {
  std::uint32_t ssrc = 0;
  rtp::ReportBlock block;
  double round_trip_ms = 0;  // 0: not known
  guint64 reports = 0, nacks = 0, key_unit_requests = 0;
  int last_fir = -1;  // its sequence number: a repeated one is the same request
  // Sums of the statistics summaries in extended reports.
  guint64 extended_reports = 0, lost = 0, duplicates = 0;

  bool heard() const { return reports + nacks + key_unit_requests + extended_reports > 0; }
};

// What was handed to the kernel, as whoever does that counts it: one caller at a time, so no more than a store is
// needed.
struct Sent {
  std::atomic<guint64> packets{0}, bytes{0};  // the bytes with those of RTCP, whose packets are the outlet's

  void add(guint64 more_packets, guint64 more_bytes) {
    packets.store(packets.load(std::memory_order_relaxed) + more_packets, std::memory_order_relaxed);
    bytes.store(bytes.load(std::memory_order_relaxed) + more_bytes, std::memory_order_relaxed);
  }
};

class Outlet {
 public:
  // `sent_all`: what to do with the element when everything parked has been handed to the kernel.
  explicit Outlet(GstElement *element, void (*sent_all)(GstElement *) = nullptr) : sent_all_(sent_all) {
    g_weak_ref_init(&element_, element);
  }
  ~Outlet() { g_weak_ref_clear(&element_); }
  Outlet(const Outlet &) = delete;
  Outlet &operator=(const Outlet &) = delete;

  Ptr<GstElement> element() { return take(static_cast<GstElement *>(g_weak_ref_get(&element_))); }

  struct Totals {
    guint64 packets = 0, bytes = 0;  // the bytes with those of RTCP
  };
  Totals sent();
  void count(const Sent &sent);    // belongs to us from now on
  void counted(const Sent &sent);  // is not going to change, and goes away
  void failed(int error);
  // ICMP says, so many times, that nobody takes what goes to `to`. Counted; a warning is posted for the first one. No
  // lock held.
  void refused(const runtime::Address &to, int error, guint64 times);
  void expect_reports(std::uint32_t ssrc);  // it is one of ours
  // RTCP about `ssrc`, one of ours: true if it asks for a key frame. No lock held.
  bool reported(std::uint32_t ssrc, const rtp::RtcpPacket &packet);
  void drained();                             // no lock held
  void ask_for_key_unit(std::uint32_t ssrc);  // the event goes upstream from the calling thread

  Guarded<std::shared_ptr<const Target>> target;  // null: not known yet
  std::atomic<guint64> rtcp_packets{0}, errors{0}, refusals{0}, dropped{0}, flushed{0};
  std::atomic<int> being_told{0};            // calls of drained() to come
  std::atomic<const char *> pacing{"none"};  // who spreads the packets of a list: the kernel, the context's timer
  Guarded<runtime::ErrnoCounts> errors_by_errno;
  Guarded<std::vector<Remote>> remotes;  // of each SSRC of ours, in the order of their first packets

 private:
  struct Counted {
    Totals over;
    std::vector<const Sent *> going_on;
  };

  Guarded<Counted> counted_;
  GWeakRef element_;
  void (*sent_all_)(GstElement *);
  std::atomic<bool> warned_{false};
};

}  // namespace avc::udpsink
