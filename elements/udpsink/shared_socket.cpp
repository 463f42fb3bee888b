#include "elements/udpsink/shared_socket.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>

#include "core/rtp/header.hpp"

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
    return std::shared_ptr<SharedSocket>(new SharedSocket(context, std::move(*socket), nullptr, fd));
  };
  if (!context) return make();
  auto &all = registry();
  std::lock_guard hold(all.mutex);
  std::erase_if(all.sockets, [](const auto &entry) { return entry.second.expired(); });
  auto &known = all.sockets[Key{context.get(), settings}];
  if (auto shared = known.lock()) return shared;
  auto made = make();
  if (made) known = *made;
  return made;
}

std::shared_ptr<SharedSocket> SharedSocket::around(std::shared_ptr<runtime::Context> context, Ptr<GSocket> socket) {
  const int fd = g_socket_get_fd(socket.get());
  return std::shared_ptr<SharedSocket>(new SharedSocket(std::move(context), std::nullopt, std::move(socket), fd));
}

SharedSocket::SharedSocket(std::shared_ptr<runtime::Context> context, std::optional<runtime::UdpSocket> own,
                           Ptr<GSocket> foreign, int fd)
    : context_(std::move(context)),
      own_(std::move(own)),
      foreign_(std::move(foreign)),
      fd_(fd),
      batch_(fd),
      receiver_(fd) {}

SharedSocket::~SharedSocket() {
  if (context_) context_->forget(*this);
  flush();
}

void SharedSocket::add(Outlet &outlet, const Target &target, GstBuffer *buffer) {
  if (batch_.sender.full()) send_now();
  std::array<iovec, kMaxMemories> parts;
  std::size_t count = 0, bytes = 0;
  std::array<std::uint8_t, 2> front{};
  const guint memories = gst_buffer_n_memory(buffer);
  for (guint i = 0; i < memories && count < parts.size(); ++i) {
    GstMemory *memory = gst_buffer_peek_memory(buffer, i);
    GstMapInfo map = GST_MAP_INFO_INIT;
    if (!gst_memory_map(memory, &map, GST_MAP_READ)) continue;
    void *data = map.data;
    // System memory stays where it is while the buffer is held, so the map need not be: one memory may be mapped only
    // 255 times at once, and a shared payload is in the batch of every participant.
    if (!gst_memory_is_type(memory, GST_ALLOCATOR_SYSMEM)) {
      data = batch_.copies.emplace_back(map.data, map.data + map.size).data();
    }
    for (std::size_t at = 0; at < map.size && bytes + at < front.size(); ++at) front[bytes + at] = map.data[at];
    if (map.size > 0) parts[count++] = {data, map.size};
    bytes += map.size;
    gst_memory_unmap(memory, &map);
  }
  if (bytes == 0) return;
  const bool rtcp = rtp::classify(front) == rtp::Datagram::rtcp;
  batch_.sender.add(rtcp ? target.rtcp : target.rtp, std::span(parts).first(count));
  batch_.messages.push_back({&outlet, bytes, rtcp});
}

void SharedSocket::send_now() {
  const auto outcomes = batch_.sender.flush();
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const Message &message = batch_.messages[i];
    if (outcomes[i] == 0) {
      message.outlet->sent(message.bytes, message.rtcp);
    } else {
      message.outlet->failed(outcomes[i]);
    }
  }
  batch_.messages.clear();
  batch_.copies.clear();
}

void SharedSocket::send(const std::shared_ptr<Outlet> &outlet, std::shared_ptr<const Target> target,
                        GstBuffer *buffer) {
  {
    std::lock_guard hold(batch_mutex_);
    add(*outlet, *target, buffer);
    batch_.kept.push_back({outlet, std::move(target), share(GST_MINI_OBJECT_CAST(buffer))});
  }
  end_of_list();
}

void SharedSocket::send(const std::shared_ptr<Outlet> &outlet, std::shared_ptr<const Target> target,
                        GstBufferList *list) {
  {
    std::lock_guard hold(batch_mutex_);
    const guint length = gst_buffer_list_length(list);
    for (guint i = 0; i < length; ++i) add(*outlet, *target, gst_buffer_list_get(list, i));
    batch_.kept.push_back({outlet, std::move(target), share(GST_MINI_OBJECT_CAST(list))});
  }
  end_of_list();
}

void SharedSocket::end_of_list() {
  if (context_ && context_->is_current()) {
    context_->at_turn_end(*this);
  } else {
    send_batch();
  }
}

void SharedSocket::flush() {
  std::lock_guard hold(batch_mutex_);
  send_now();
  batch_.kept.clear();
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

void SharedSocket::watch(std::uint32_t ssrc, const std::shared_ptr<Outlet> &outlet) {
  watched_.lock()->by_ssrc[ssrc] = outlet;
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
    for (const auto &datagram : batch) {
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
      if (target && what.destination == target->rtp) outlet->refused(what.destination, what.error, times);
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

guint64 SharedSocket::syscalls() const {
  std::lock_guard hold(batch_mutex_);
  return batch_.sender.syscalls();
}

guint SharedSocket::local_port() const {
  sockaddr_in6 name{};
  socklen_t size = sizeof name;
  if (getsockname(fd_, reinterpret_cast<sockaddr *>(&name), &size) != 0) return 0;
  return runtime::Address(reinterpret_cast<const sockaddr *>(&name), size).port();
}

}  // namespace avc::udpsink
