#include "elements/udpsink/shared_socket.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "core/rtp/header.hpp"
#include "elements/support/ecn.hpp"
#include "elements/support/mapped.hpp"

namespace avc::udpsink {
namespace {

constexpr gint64 kFeedbackInterval = 5000;  // microseconds
constexpr guint kMaxMemories = 16;          // GstBuffer joins more than that

using Key = std::tuple<runtime::Context *, SharedSocket::Settings>;
struct Registry {
  std::mutex mutex;
  std::map<Key, std::weak_ptr<SharedSocket>> sockets;
};
Registry &registry() {
  static Registry all;
  return all;
}

Result<runtime::UdpSocket> open(const SharedSocket::Settings &settings) {
  runtime::UdpOptions options;
  options.bind_address = settings.bind_address;
  if (options.bind_address.empty()) options.bind_address = settings.family == AF_INET6 ? "::" : "0.0.0.0";
  options.port = static_cast<std::uint16_t>(settings.bind_port);
  options.send_buffer = settings.buffer_size;
  options.dscp = settings.dscp;
  options.ttl = settings.ttl;
  options.report_refusals = true;
  return runtime::UdpSocket::open(options);
}

}  // namespace

Result<std::shared_ptr<SharedSocket>> SharedSocket::get(std::shared_ptr<runtime::Context> context,
                                                        const Settings &settings) {
  const auto make = [&]() -> Result<std::shared_ptr<SharedSocket>> {
    auto socket = open(settings);
    if (!socket) {
      Error error = socket.error();
      error.field = error.field == "port" ? "bind-port" : error.field == "bind_address" ? "bind-address" : error.field;
      return error;
    }
    const int fd = socket->fd();
    std::shared_ptr<SharedSocket> made(new SharedSocket(context, std::move(*socket), nullptr, fd, settings.offload));
    made->dscp_ = settings.dscp;
    return made;
  };
  if (!context || settings.own_port) return make();
  auto &all = registry();
  std::lock_guard hold(all.mutex);
  std::erase_if(all.sockets, [](const auto &entry) { return entry.second.expired(); });
  auto &known = all.sockets[Key{context.get(), settings}];
  if (auto shared = known.lock()) return shared;
  auto made = make();
  if (made) known = *made;
  return made;
}

std::shared_ptr<SharedSocket> SharedSocket::around(std::shared_ptr<runtime::Context> context, Ptr<GSocket> socket,
                                                   bool offload) {
  const int fd = g_socket_get_fd(socket.get());
  return std::shared_ptr<SharedSocket>(
      new SharedSocket(std::move(context), std::nullopt, std::move(socket), fd, offload));
}

SharedSocket::SharedSocket(std::shared_ptr<runtime::Context> context, std::optional<runtime::UdpSocket> own,
                           Ptr<GSocket> foreign, int fd, bool offload)
    : context_(std::move(context)),
      own_(std::move(own)),
      foreign_(std::move(foreign)),
      fd_(fd),
      batch_(fd, offload),
      receiver_(fd, {.messages = 8}) {}

SharedSocket::~SharedSocket() {
  if (context_) context_->forget(*this);
  flush();
}

std::shared_ptr<Path> SharedSocket::path(std::shared_ptr<Outlet> outlet, std::shared_ptr<const Target> target) {
  auto made = std::make_shared<Path>();
  {
    std::lock_guard hold(batch_mutex_);
    for (const Ends &end : target->ends)
      made->ends.push_back({batch_.sender.destination(end.rtp), batch_.sender.destination(end.rtcp)});
  }
  made->outlet = std::move(outlet);
  made->target = std::move(target);
  return made;
}

// System memory stays where it is while the buffer is held, so it need not be mapped: one memory may be mapped only 255
// times at once, and a shared payload is in the batch of every participant. Its allocator tells the address without
// the locks that a map takes, which cost more than the rest of a packet.
SharedSocket::Read SharedSocket::read(GstBuffer *buffer, std::span<iovec> parts) {
  static GstAllocator *const system = gst_allocator_find(GST_ALLOCATOR_SYSMEM);
  Read out;
  const guint memories = gst_buffer_n_memory(buffer);
  for (guint i = 0; i < memories && out.parts < parts.size(); ++i) {
    GstMemory *memory = gst_buffer_peek_memory(buffer, i);
    const std::uint8_t *data = nullptr;
    if (memory->allocator == system) {
      data = static_cast<const std::uint8_t *>(system->mem_map(memory, memory->maxsize, GST_MAP_READ)) + memory->offset;
    } else {
      const MappedMemory view(memory);
      if (!view) continue;
      data = batch_.copies.emplace_back(view.bytes().begin(), view.bytes().end()).data();
    }
    if (memory->size == 0) continue;
    const std::size_t front = std::min(memory->size, out.front.size() - out.front_bytes);
    std::copy_n(data, front, out.front.begin() + static_cast<std::ptrdiff_t>(out.front_bytes));
    out.front_bytes += front;
    parts[out.parts++] = {const_cast<std::uint8_t *>(data), memory->size};  // only read
    out.bytes += memory->size;
  }
  return out;
}

void SharedSocket::note_ssrc(Path &path, const Read &read) {
  if (read.front_bytes < read.front.size()) return;
  const std::uint32_t ssrc = rtp::read32(read.front, 8);
  const auto known = std::span(path.known_ssrcs).first(std::min(path.known, path.known_ssrcs.size()));
  if (std::ranges::find(known, ssrc) != known.end()) return;
  path.known_ssrcs[path.known++ % path.known_ssrcs.size()] = ssrc;
  path.outlet->remotes.lock()->try_emplace(ssrc);
  watched_.lock()->by_ssrc[ssrc] = path.outlet;
}

void SharedSocket::add(Path &path, GstBuffer *buffer) {
  if (batch_.sender.size() + path.ends.size() > runtime::BatchSender::kBatch) send_now();
  std::array<iovec, kMaxMemories> parts;
  const Read got = read(buffer, parts);
  if (got.bytes == 0) return;
  const auto kind = rtp::classify(std::span(got.front).first(got.front_bytes));
  const bool rtcp = kind == rtp::Datagram::rtcp;
  if (kind == rtp::Datagram::rtp) note_ssrc(path, got);
  const int tos = type_of_service_of(buffer);
  if (tos != path.type_of_service && batch_.sender.size() > 0) send_now();  // a batch would not keep their order
  path.type_of_service = tos;
  for (std::size_t i = 0; i < path.ends.size(); ++i) {
    std::uint32_t number = rtcp ? path.ends[i].rtcp : path.ends[i].rtp;
    if (tos >= 0) number = batch_.sender.destination(rtcp ? path.target->ends[i].rtcp : path.target->ends[i].rtp, tos);
    batch_.sender.add(number, path.lane, std::span(parts).first(got.parts));
    batch_.datagrams.push_back({static_cast<std::uint32_t>(got.bytes & 0x7fffffff), rtcp});
  }
  batch_.kept.back().end = batch_.datagrams.size();
}

// -1: as the socket has it. A mark without a DSCP of its own keeps the socket's.
int SharedSocket::type_of_service_of(GstBuffer *buffer) const {
  const auto said = type_of_service(buffer);
  if (!said) return -1;
  return *said <= 3 && dscp_ > 0 ? *said | dscp_ << 2 : *said & 0xff;
}

void SharedSocket::keep(std::shared_ptr<Path> path, GstMiniObject *media) {
  batch_.kept.push_back({std::move(path), share(media), batch_.datagrams.size()});
}

void SharedSocket::send_now() {
  account(batch_.sender.flush());
  batch_.datagrams.clear();
  for (Kept &kept : batch_.kept) kept.end = 0;  // the last may go on
}

// Tells each outlet once for all that it had in the batch.
void SharedSocket::account(std::span<const int> outcomes) {
  std::size_t at = 0;
  for (const Kept &kept : batch_.kept) {
    guint64 packets = 0, rtcp = 0, bytes = 0;
    for (; at < kept.end; ++at) {
      if (outcomes[at] != 0) {
        kept.path->outlet->failed(outcomes[at]);
        continue;
      }
      const Datagram datagram = batch_.datagrams[at];
      ++(datagram.rtcp ? rtcp : packets);
      bytes += datagram.bytes;
    }
    if (packets + rtcp > 0) kept.path->outlet->sent(packets, rtcp, bytes);
  }
}

void SharedSocket::send(std::shared_ptr<Path> path, GstBuffer *buffer) {
  {
    std::lock_guard hold(batch_mutex_);
    Path &to = *path;
    keep(std::move(path), GST_MINI_OBJECT_CAST(buffer));
    add(to, buffer);
    if (wait_for_turn_end()) return;
  }
  send_batch();
}

void SharedSocket::send(std::shared_ptr<Path> path, GstBufferList *list) {
  {
    std::lock_guard hold(batch_mutex_);
    Path &to = *path;
    keep(std::move(path), GST_MINI_OBJECT_CAST(list));
    const guint length = gst_buffer_list_length(list);
    for (guint i = 0; i < length; ++i) add(to, gst_buffer_list_get(list, i));
    if (wait_for_turn_end()) return;
  }
  send_batch();
}

// With batch_mutex_ held: the context's lock is taken inside it, once a turn.
bool SharedSocket::wait_for_turn_end() {
  if (!context_ || !context_->is_current()) return false;
  if (!std::exchange(hooked_, true)) context_->at_turn_end(*this);
  return true;
}

void SharedSocket::turn_ended() {
  {
    std::lock_guard hold(batch_mutex_);
    hooked_ = false;
  }
  send_batch();
}

void SharedSocket::flush() {
  std::lock_guard hold(batch_mutex_);
  send_now();
  batch_.kept.clear();
  batch_.copies.clear();
}

void SharedSocket::send_batch() {
  // An event sent upstream below may be the end of the last sink that uses this socket.
  const auto self = weak_from_this().lock();
  flush();
  const gint64 now = g_get_monotonic_time();
  gint64 due = next_feedback_;
  if (now < due || !next_feedback_.compare_exchange_strong(due, now + kFeedbackInterval)) return;
  read_feedback();
}

std::shared_ptr<Outlet> SharedSocket::outlet_of(std::uint32_t ssrc) {
  auto watched = watched_.lock();
  const auto found = watched->by_ssrc.find(ssrc);
  if (found == watched->by_ssrc.end()) return nullptr;
  auto outlet = found->second.lock();
  if (!outlet) watched->by_ssrc.erase(found);
  return outlet;
}

void SharedSocket::read_feedback() {
  if (reading_.test_and_set(std::memory_order_acquire)) return;
  read_refusals();
  for (auto batch = receiver_.receive(); !batch.empty(); batch = receiver_.receive()) {
    for (const runtime::Received &datagram : batch) {
      if (rtp::classify(datagram.bytes) == rtp::Datagram::rtcp) dispatch(datagram.bytes);
    }
  }
  reading_.clear(std::memory_order_release);
}

// A refusal concerns every outlet with that destination. There may be a thousand outlets and one destination that
// refuses all the time: refusals are counted up first, so that each outlet is told once for all of them.
void SharedSocket::read_refusals() {
  struct Refused {
    runtime::BatchSender::Refusal what;
    guint64 times = 0;
  };
  std::vector<Refused> refused;
  {
    std::lock_guard hold(batch_mutex_);
    for (const auto &each : batch_.sender.collect_refusals()) {
      auto known = std::ranges::find_if(refused, [&](const Refused &r) {
        return r.what.destination == each.destination && r.what.error == each.error;
      });
      if (known == refused.end()) known = refused.insert(known, {each, 0});
      ++known->times;
    }
  }
  if (refused.empty()) return;
  std::set<std::shared_ptr<Outlet>> outlets;
  {
    auto watched = watched_.lock();
    for (const auto &[ssrc, weak] : watched->by_ssrc) {
      if (auto outlet = weak.lock()) outlets.insert(std::move(outlet));
    }
  }
  for (const auto &outlet : outlets) {
    const auto target = *outlet->target.lock();
    for (const auto &[what, times] : refused) {
      if (target && target->has(what.destination)) outlet->refused(what.destination, what.error, times);
    }
  }
}

// Hands each packet of a compound to the outlets whose streams it is about.
void SharedSocket::dispatch(std::span<const std::uint8_t> datagram) {
  std::set<std::uint32_t> asked;
  rtp::RtcpReader reader(datagram);
  while (const auto packet = reader.next()) {
    std::vector<std::uint32_t> about;
    if (const auto report = rtp::read_report(*packet)) {
      for (std::size_t i = 0; i < report->blocks.size(); ++i) about.push_back(report->blocks[i].ssrc);
    } else if (const auto feedback = rtp::read_feedback(*packet)) {
      about.push_back(feedback->media_ssrc);
      for (std::size_t i = 0; packet->kind == rtp::RtcpKind::fir && i < rtp::fir_count(*feedback); ++i) {
        about.push_back(rtp::fir_target(*feedback, i).ssrc);
      }
    }
    for (const std::uint32_t ssrc : about) {
      const auto outlet = outlet_of(ssrc);
      if (outlet && outlet->reported(ssrc, *packet) && asked.insert(ssrc).second) outlet->ask_for_key_unit(ssrc);
    }
  }
}

runtime::BatchSender::Counts SharedSocket::counts() const {
  std::lock_guard hold(batch_mutex_);
  return batch_.sender.counts();
}

bool SharedSocket::offloads() const {
  std::lock_guard hold(batch_mutex_);
  return batch_.sender.offloads();
}

guint SharedSocket::local_port() const {
  sockaddr_in6 name{};
  socklen_t size = sizeof name;
  if (getsockname(fd_, reinterpret_cast<sockaddr *>(&name), &size) != 0) return 0;
  return runtime::Address(reinterpret_cast<const sockaddr *>(&name), size).port();
}

}  // namespace avc::udpsink
