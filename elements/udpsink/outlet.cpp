#include "elements/udpsink/outlet.hpp"

#include <gst/video/video-event.h>

#include <algorithm>
#include <cstring>

#include "core/rtp/extended_report.hpp"
#include "elements/support/errors.hpp"

namespace avc::udpsink {

namespace {

void add(Outlet::Totals &totals, const Sent &sent) {
  totals.packets += sent.packets.load(std::memory_order_relaxed);
  totals.bytes += sent.bytes.load(std::memory_order_relaxed);
}

// A report may have several about one stream, of one stretch of it after the other.
void add_summaries(Remote &remote, std::uint32_t ssrc, const rtp::RtcpPacket &packet) {
  rtp::ExtendedReportReader report(packet);
  while (const auto block = report.next()) {
    const auto summary = rtp::read_statistics_summary(*block);
    if (!summary || summary->ssrc != ssrc) continue;
    ++remote.extended_reports;
    remote.lost += summary->lost.value_or(0);
    remote.duplicates += summary->duplicates.value_or(0);
  }
}

}  // namespace

Outlet::Totals Outlet::sent() {
  auto counted = counted_.lock();
  Totals totals = counted->over;
  for (const Sent *sent : counted->going_on) add(totals, *sent);
  return totals;
}

void Outlet::count(const Sent &sent) { counted_.lock()->going_on.push_back(&sent); }

void Outlet::counted(const Sent &sent) {
  auto counted = counted_.lock();
  std::erase(counted->going_on, &sent);
  add(counted->over, sent);
}

void Outlet::failed(int error) {
  errors.fetch_add(1, std::memory_order_relaxed);
  ++(*errors_by_errno.lock())[error];
}

void Outlet::refused(const runtime::Address &to, int error, guint64 times) {
  refusals.fetch_add(times, std::memory_order_relaxed);
  (*errors_by_errno.lock())[error] += times;
  if (warned_.exchange(true)) return;
  const auto self = element();
  if (!self) return;
  post_warning(self.get(), Fault::write,
               {"host", "nobody takes packets at " + to.text() + " (" + std::strerror(error) + ")"},
               "sending goes on; further refusals are only counted");
}

void Outlet::expect_reports(std::uint32_t ssrc) {
  auto all = remotes.lock();
  if (std::ranges::find(*all, ssrc, &Remote::ssrc) == all->end()) all->emplace_back().ssrc = ssrc;
}

bool Outlet::reported(std::uint32_t ssrc, const rtp::RtcpPacket &packet) {
  auto all = remotes.lock();
  const auto found = std::ranges::find(*all, ssrc, &Remote::ssrc);
  if (found == all->end()) return false;
  Remote &remote = *found;
  if (packet.kind == rtp::RtcpKind::xr) {
    add_summaries(remote, ssrc, packet);
    return false;
  }
  if (const auto report = rtp::read_report(packet)) {
    for (std::size_t i = 0; i < report->blocks.size(); ++i) {
      const auto block = report->blocks[i];
      if (block.ssrc != ssrc) continue;
      remote.block = block;
      ++remote.reports;
      const auto round_trip = rtp::round_trip(block, rtp::ntp_from_unix(runtime::wall_clock()));
      if (round_trip) remote.round_trip_ms = to_ms(*round_trip);
    }
    return false;
  }
  const auto feedback = rtp::read_feedback(packet);
  if (!feedback) return false;
  bool asks = packet.kind == rtp::RtcpKind::pli;
  if (packet.kind == rtp::RtcpKind::nack) remote.nacks += rtp::nack_count(*feedback);
  for (std::size_t i = 0; packet.kind == rtp::RtcpKind::fir && i < rtp::fir_count(*feedback); ++i) {
    const auto fir = rtp::fir_target(*feedback, i);
    if (fir.ssrc != ssrc || fir.sequence == remote.last_fir) continue;
    remote.last_fir = fir.sequence;
    asks = true;
  }
  remote.key_unit_requests += asks;
  return asks;
}

void Outlet::drained() {
  const auto self = element();
  if (self && sent_all_) sent_all_(self.get());
}

void Outlet::ask_for_key_unit(std::uint32_t ssrc) {
  const auto self = element();
  if (!self) return;
  const auto pad = take(gst_element_get_static_pad(self.get(), "sink"));
  GstEvent *event = gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0);
  gst_structure_set(gst_event_writable_structure(event), "ssrc", G_TYPE_UINT, ssrc, nullptr);
  gst_pad_push_event(pad.get(), event);
}

}  // namespace avc::udpsink
