#include "elements/udpsink/batch.hpp"

#include <time.h>

#include <algorithm>
#include <utility>

#include "core/rtp/header.hpp"
#include "elements/support/ecn.hpp"
#include "elements/support/mapped.hpp"

namespace avc::udpsink {

std::shared_ptr<Path> Batch::path(std::shared_ptr<Outlet> outlet, std::shared_ptr<const Target> target) {
  auto made = std::make_shared<Path>(exits_, std::move(outlet));
  aim(*made, std::move(target));
  return made;
}

void Batch::aim(Path &path, std::shared_ptr<const Target> target) {
  path.others.clear();
  for (const Ends &end : target->ends)
    path.others.push_back({sender_.destination(end.rtp), sender_.destination(end.rtcp)});
  path.exit.end = path.others.front();
  path.others.erase(path.others.begin());
  path.exit.only = path.others.empty();
  path.target = std::move(target);
}

std::uint32_t Batch::hold(Held held) {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(held_.size()));
    held_.emplace_back();
    left_.push_back(0);
  }
  const std::uint32_t number = free_.back();
  free_.pop_back();
  held_[number] = std::move(held);
  return number;
}

std::uint32_t Batch::hold_owner(const std::shared_ptr<Path> &path, const RtpFrame &frame, int type_of_service) {
  const std::uint32_t known = path->owner_held;
  if (known != Path::kNone && held_[known].owner == frame.owner && held_[known].type_of_service == type_of_service)
    return known;
  return path->owner_held = hold({path, frame.owner, nullptr, type_of_service});
}

void Batch::done_with(std::uint32_t held) {
  std::uint32_t &current = held_[held].path->owner_held;
  if (current == held) current = Path::kNone;
  done_.push_back(held);
}

void Batch::done_if_none_is_parked(std::uint32_t held) {
  if (left_[held] == 0) done_with(held);
}

// Whose reports are whose is seen to here and not for each packet when it leaves.
void Batch::note_ssrcs(Path &path, const RtpFrame &frame) {
  std::optional<std::uint32_t> last;
  for (guint i = 0; i < frame.count; ++i) {
    const auto front = frame.header_bytes > 0 ? frame.header(i) : frame.payload(i);
    if (front.size() < 12 || (frame.header_bytes == 0 && rtp::classify(front) != rtp::Datagram::rtp)) continue;
    const std::uint32_t ssrc = rtp::read32(front, 8);
    if (std::exchange(last, ssrc) != ssrc) note_ssrc(path, ssrc);
  }
}

std::uint64_t Batch::monotonic_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

void Batch::park_packet(Path &path, Instant due, std::uint32_t held, std::uint32_t packet) {
  ++left_[held];
  ++path.exit.parked;
  wheel_.hold_in_place(due, [&](Parked &parked) {
    parked.held = held;
    parked.packet = packet;
    parked.exit = path.number;
  });
}

void Batch::park_packet(Path &path, Instant due, std::uint32_t held, const RtpFrame &frame, guint packet) {
  ++left_[held];
  ++path.exit.parked;
  wheel_.hold_words(due, Parked::words_of(held, held_[held].type_of_service >= 0, path.number, frame, packet));
}

void Batch::arrived(Exit &exit) {
  if (--exit.parked > 0 || !std::exchange(exit.tell, false)) return;
  drained_.push_back(exit.path->outlet);
}

void Batch::release(std::uint32_t held) {
  --left_[held];
  done_if_none_is_parked(held);
}

void Batch::unpark(const Path &path) {
  due_.clear();
  if (path.exit.parked > path.kept.size())
    wheel_.take_if([&](const Parked &parked) { return parked.exit == path.number; }, due_);
}

std::size_t Batch::close(Path &path) {
  path.open = path.exit.tell = false;
  unpark(path);
  for (const auto &entry : due_) release(entry.item.held);
  for (const auto &[at, parked] : path.kept) release(parked.held);
  path.kept.clear();
  return std::exchange(path.exit.parked, 0);
}

void Batch::pause(Path &path) {
  path.open = false;
  unpark(path);
  for (const auto &entry : due_) path.kept.emplace_back(entry.due - path.base_time.since_origin, entry.item);
  path.last_paced = path.last_paced - path.base_time.since_origin;
  path.base_time = {};
}

void Batch::resume(Path &path, Instant base_time) {
  path.open = true;
  path.base_time = base_time;
  path.last_paced = path.last_paced + base_time.since_origin;
  for (const auto &[at, parked] : path.kept) wheel_.hold(at + base_time.since_origin, parked);
  path.kept.clear();
}

void Batch::add_parked(Exit &exit, const Parked &parked) {
  const bool marked = parked.packet == Parked::kOfMarkedFrame;
  if (marked || parked.packet == Parked::kOfFrame)
    return add_packet(exit, std::span(parked.header).first(parked.header_bytes), {parked.payload, parked.payload_bytes},
                      marked ? held_[parked.held].type_of_service : -1);
  auto *media = held_[parked.held].media.get();
  add_buffer(*exit.path, GST_IS_BUFFER_LIST(media) ? gst_buffer_list_get(GST_BUFFER_LIST_CAST(media), parked.packet)
                                                   : GST_BUFFER_CAST(media));
}

// Of a frame. One without headers is an ordinary packet that was wrapped up as one.
void Batch::add_packet(Exit &exit, std::span<const std::uint8_t> header, std::span<const std::uint8_t> payload,
                       int type_of_service, std::uint64_t leave_at) {
  const bool rtcp = header.empty() && rtp::classify(payload) == rtp::Datagram::rtcp;
  const auto part = [](std::span<const std::uint8_t> bytes) {  // which are only read
    return iovec{const_cast<std::uint8_t *>(bytes.data()), bytes.size()};
  };
  const std::array<iovec, 2> parts{part(header), part(payload)};
  const auto used = std::span(parts).subspan(header.empty() ? 1 : 0);
  add_datagram(exit, payload.empty() ? used.first(1) : used, header.size() + payload.size(),
               {rtcp, type_of_service, leave_at});
}

// System memory stays where it is while the buffer is held, so it need not be mapped: one memory may be mapped only 255
// times at once, and a shared payload is in the batch of every participant. Its allocator tells the address without
// the locks that a map takes, which cost more than the rest of a packet.
void Batch::read(GstBuffer *buffer, Read &out) {
  static GstAllocator *const system = gst_allocator_find(GST_ALLOCATOR_SYSMEM);
  const guint memories = gst_buffer_n_memory(buffer);
  for (guint i = 0; i < memories && out.count < out.parts.size(); ++i) {
    GstMemory *memory = gst_buffer_peek_memory(buffer, i);
    const std::uint8_t *data = nullptr;
    if (memory->allocator == system) {
      data = static_cast<const std::uint8_t *>(system->mem_map(memory, memory->maxsize, GST_MAP_READ)) + memory->offset;
    } else {
      const MappedMemory view(memory);
      if (!view) continue;
      data = copies_.emplace_back(view.bytes().begin(), view.bytes().end()).data();
    }
    if (memory->size == 0) continue;
    const std::size_t front = std::min(memory->size, out.front.size() - out.front_bytes);
    std::copy_n(data, front, out.front.begin() + static_cast<std::ptrdiff_t>(out.front_bytes));
    out.front_bytes += front;
    out.parts[out.count++] = {const_cast<std::uint8_t *>(data), memory->size};  // only read
    out.bytes += memory->size;
  }
}

void Batch::add_buffer(Path &path, GstBuffer *buffer, std::uint64_t leave_at) {
  Read got;
  read(buffer, got);
  if (got.bytes == 0) return;
  const auto kind = rtp::classify(std::span(got.front).first(got.front_bytes));
  if (kind == rtp::Datagram::rtp && got.front_bytes == got.front.size()) note_ssrc(path, rtp::read32(got.front, 8));
  add_datagram(path.exit, std::span(got.parts).first(got.count), got.bytes,
               {kind == rtp::Datagram::rtcp, type_of_service_of(buffer), leave_at});
}

void Batch::note_ssrc(Path &path, std::uint32_t ssrc) {
  const auto known = std::span(path.known_ssrcs).first(std::min(path.known, path.known_ssrcs.size()));
  if (std::ranges::find(known, ssrc) != known.end()) return;
  path.known_ssrcs[path.known++ % path.known_ssrcs.size()] = ssrc;
  path.outlet->expect_reports(ssrc);
  watched_.lock()->by_ssrc[ssrc] = path.outlet;
}

// -1: as the socket has it. A mark without a DSCP of its own keeps the socket's.
int Batch::type_of_service_of(GstBuffer *buffer) const {
  const auto said = type_of_service(buffer);
  if (!said) return -1;
  return *said <= 3 && dscp_ > 0 ? *said | dscp_ << 2 : *said & 0xff;
}

void Batch::add_datagram(Exit &exit, std::span<const iovec> parts, std::size_t bytes, const Marks &marks) {
  const std::size_t ends = exit.only ? 1 : 1 + exit.path->others.size();
  const bool changes = marks.type_of_service != exit.type_of_service;
  if (sender_.size() + ends > runtime::BatchSender::kBatch || (changes && sender_.size() > 0))
    send_now();  // a batch would not keep the order of packets with different types of service
  exit.type_of_service = static_cast<std::int16_t>(marks.type_of_service);
  for (std::size_t i = 0; i < ends; ++i) {
    const Exit::Numbers &numbers = i == 0 ? exit.end : exit.path->others[i - 1];
    std::uint32_t number = marks.rtcp ? numbers.rtcp : numbers.rtp;
    if (marks.type_of_service >= 0) {
      const Ends &end = exit.path->target->ends[i];
      number = sender_.destination(marks.rtcp ? end.rtcp : end.rtp, marks.type_of_service);
    }
    sender_.add(number, exit.lane, parts, marks.leave_at);
    datagrams_.push_back({&exit, static_cast<std::uint32_t>(bytes), marks.rtcp});
  }
}

void Batch::send_now() {
  account(sender_.flush());
  datagrams_.clear();
}

void Batch::account(std::span<const int> outcomes) {
  constexpr std::size_t kAhead = 8;  // the kernel has had the caches in between
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (i + kAhead < outcomes.size()) __builtin_prefetch(datagrams_[i + kAhead].exit, 1);
    const auto &[exit, bytes, rtcp] = datagrams_[i];
    if (outcomes[i] != 0) {
      exit->path->outlet->failed(outcomes[i]);
      continue;
    }
    exit->sent.add(rtcp ? 0 : 1, bytes);
    if (rtcp) exit->path->outlet->rtcp_packets.fetch_add(1, std::memory_order_relaxed);
  }
}

void Batch::flush() {
  send_now();
  for (const std::uint32_t number : done_) {
    held_[number] = {};
    free_.push_back(number);
  }
  done_.clear();
  copies_.clear();
  wheel_.let_go();
}

}  // namespace avc::udpsink
