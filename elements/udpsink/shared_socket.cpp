#include "elements/udpsink/shared_socket.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "core/rtp/extended_report.hpp"
#include "core/rtp/header.hpp"

namespace avc::udpsink {
namespace {

constexpr gint64 kFeedbackInterval = 5000;  // microseconds

using Key = std::tuple<runtime::Context *, SharedSocket::Settings>;
struct Registry {
  std::mutex mutex;
  std::map<Key, std::weak_ptr<SharedSocket>> sockets;
};
Registry &registry() {
  static Registry all;
  return all;
}

runtime::UdpOptions options_of(const SharedSocket::Settings &settings) {
  runtime::UdpOptions options;
  options.bind_address = settings.bind_address;
  if (options.bind_address.empty()) options.bind_address = settings.family == AF_INET6 ? "::" : "0.0.0.0";
  options.port = static_cast<std::uint16_t>(settings.bind_port);
  options.send_buffer = settings.buffer_size;
  options.dscp = settings.dscp;
  options.ttl = settings.ttl;
  options.report_refusals = true;
  return options;
}

}  // namespace

Result<std::shared_ptr<SharedSocket>> SharedSocket::get(std::shared_ptr<runtime::Context> context,
                                                        const Settings &settings) {
  const auto make = [&]() -> Result<std::shared_ptr<SharedSocket>> {
    const runtime::UdpOptions options = options_of(settings);
    auto socket = runtime::UdpSocket::open(options);
    if (!socket) {
      Error error = socket.error();
      error.field = error.field == "port" ? "bind-port" : error.field == "bind_address" ? "bind-address" : error.field;
      return error;
    }
    const int fd = socket->fd();
    std::optional<runtime::Shortcut> shortcut;
    if (context && !settings.own_port) shortcut.emplace(fd, options);
    return std::shared_ptr<SharedSocket>(new SharedSocket(context, std::move(*socket), nullptr, fd,
                                                          {.offload = settings.offload, .dscp = settings.dscp},
                                                          std::move(shortcut)));
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
      new SharedSocket(std::move(context), std::nullopt, std::move(socket), fd, {.offload = offload}));
}

SharedSocket::SharedSocket(std::shared_ptr<runtime::Context> context, std::optional<runtime::UdpSocket> own,
                           Ptr<GSocket> foreign, int fd, Batch::Options options,
                           std::optional<runtime::Shortcut> shortcut)
    : context_(std::move(context)),
      own_(std::move(own)),
      foreign_(std::move(foreign)),
      fd_(fd),
      shortcut_(std::move(shortcut)),
      batch_(fd, {options.offload, options.dscp, shortcut_ ? &*shortcut_ : nullptr}, watched_),
      receiver_(fd, {.messages = 8}) {}

// On the context's own thread the timer's callback is either over or what we are called from.
SharedSocket::~SharedSocket() {
  if (timer_ && !context_->is_current()) timer_->cancel_and_wait();
  if (context_) context_->forget(*this);
  flush();
}

std::shared_ptr<Path> SharedSocket::path(std::shared_ptr<Outlet> outlet, std::shared_ptr<const Target> target,
                                         Timing timing) {
  std::shared_ptr<Path> made;
  {
    std::lock_guard hold(batch_mutex_);
    made = batch_.path(std::move(outlet), target);
  }
  made->base_time = timing.base_time;
  if (context_) made->spread = timing.spread;
  made->keeps_times = timing.keeps_times;
  made->by_kernel = kernel_paces(*made, *target);
  made->outlet->pacing = made->by_kernel ? "kernel" : made->spread > Nanos{} ? "timer" : "none";
  return made;
}

bool SharedSocket::kernel_paces(const Path &path, const Target &target) const {
  if (path.spread == Nanos{}) return false;
  const auto keeps = [&](const Ends &end) { return path.keeps_times(end.rtp); };
  return std::ranges::all_of(target.ends, keeps) && runtime::take_leave_times(fd_);
}

template <class Media>
void SharedSocket::take_in(std::shared_ptr<Path> path, Media *media) {
  {
    std::lock_guard hold(batch_mutex_);
    const bool ours = wait_for_turn_end();
    take_due();
    batch_.add(std::move(path), media, [this] { return now(); });
    wait_for_parked();
    if (ours) return;
  }
  send_batch();
}

void SharedSocket::send(std::shared_ptr<Path> path, GstBuffer *buffer) { take_in(std::move(path), buffer); }
void SharedSocket::send(std::shared_ptr<Path> path, GstBufferList *list) { take_in(std::move(path), list); }

// Without a context nobody waits for anything: all is due.
Instant SharedSocket::now() {
  if (!context_) return Instant::never();
  if (!hooked_) return context_->now();
  if (!turn_now_) turn_now_ = context_->now();
  return *turn_now_;
}

// The context's lock is taken inside batch_mutex_, once a turn.
bool SharedSocket::wait_for_turn_end() {
  if (!context_ || !context_->is_current()) return false;
  if (!std::exchange(hooked_, true)) context_->at_turn_end(*this);
  return true;
}

void SharedSocket::wait_for_parked() {
  const Instant next = batch_.next_due().value_or(Instant::never());
  if (next >= armed_) return;
  if (!timer_) {
    timer_ = context_->make_timer(
        [weak = weak_from_this()] {
          if (const auto self = weak.lock()) self->on_due();
        },
        "avchaosudpsink");
  }
  armed_ = next;
  timer_->arm(next);
}

void SharedSocket::on_due() {
  std::lock_guard hold(batch_mutex_);
  armed_ = Instant::never();
  wait_for_turn_end();
  take_due();
  wait_for_parked();
}

// Before anything else is sent: what is due by now must not be overtaken by what comes now.
void SharedSocket::take_due() {
  const auto next = batch_.next_due();
  if (!next) return;
  const Instant at = now();
  if (*next <= at)
    batch_.take_due(at, [this](Nanos late, std::uint64_t times) { context_->record_lateness(late, times); });
}

void SharedSocket::turn_ended() {
  {
    std::lock_guard hold(batch_mutex_);
    hooked_ = false;
    turn_now_.reset();
  }
  send_batch();
}

void SharedSocket::flush() {
  std::lock_guard hold(batch_mutex_);
  batch_.flush();
}

std::size_t SharedSocket::close(Path &path) {
  std::lock_guard hold(batch_mutex_);
  const std::size_t dropped = batch_.close(path);
  batch_.flush();  // lets go of the buffers
  return dropped;
}

void SharedSocket::aim(Path &path, std::shared_ptr<const Target> target) {
  const bool by_kernel = kernel_paces(path, *target);
  std::lock_guard hold(batch_mutex_);
  batch_.flush();  // what was not parked had left already
  batch_.aim(path, std::move(target));
  path.by_kernel = by_kernel;
  if (path.spread > Nanos{}) path.outlet->pacing = by_kernel ? "kernel" : "timer";
}

void SharedSocket::pause(Path &path) {
  std::lock_guard hold(batch_mutex_);
  batch_.pause(path);
}

void SharedSocket::resume(Path &path, Instant base_time) {
  std::lock_guard hold(batch_mutex_);
  batch_.resume(path, base_time);
  wait_for_parked();
}

void SharedSocket::wait_until_told(const Outlet &outlet) {
  if (context_ && outlet.being_told > 0) context_->wait_for(*this);
}

bool SharedSocket::tell_when_sent(Path &path) {
  std::lock_guard hold(batch_mutex_);
  path.exit.tell = path.exit.parked > 0;
  return path.exit.tell;
}

void SharedSocket::send_batch() {
  // An event sent upstream below may be the end of the last sink that uses this socket.
  const auto self = weak_from_this().lock();
  std::vector<std::shared_ptr<Outlet>> drained;
  {
    std::lock_guard hold(batch_mutex_);
    batch_.flush();
    drained = batch_.take_drained();
    for (const auto &outlet : drained) ++outlet->being_told;
  }
  for (const auto &outlet : drained) {
    outlet->drained();
    --outlet->being_told;
  }
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
  read_reports(receiver_);
  if (shortcut_ && !at_shortcut_) {
    std::lock_guard hold(batch_mutex_);
    if (shortcut_->fd() >= 0) at_shortcut_.emplace(shortcut_->fd(), runtime::BatchReceiver::Options{.messages = 8});
  }
  if (at_shortcut_) read_reports(*at_shortcut_);
  reading_.clear(std::memory_order_release);
}

void SharedSocket::read_reports(runtime::BatchReceiver &from) {
  for (auto batch = from.receive(); !batch.empty(); batch = from.receive()) {
    for (const runtime::Received &datagram : batch) {
      if (rtp::classify(datagram.bytes) == rtp::Datagram::rtcp) dispatch(datagram.bytes);
    }
  }
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
    for (const auto &each : batch_.sender().collect_refusals()) {
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

namespace {

// The streams that an extended report has statistics of, each once.
std::vector<std::uint32_t> summarised(const rtp::RtcpPacket &packet) {
  std::set<std::uint32_t> streams;
  rtp::ExtendedReportReader report(packet);
  while (const auto block = report.next())
    if (const auto summary = rtp::read_statistics_summary(*block)) streams.insert(summary->ssrc);
  return {streams.begin(), streams.end()};
}

}  // namespace

// Hands each packet of a compound to the outlets whose streams it is about.
void SharedSocket::dispatch(std::span<const std::uint8_t> datagram) {
  std::set<std::uint32_t> asked;
  rtp::RtcpReader reader(datagram);
  while (const auto packet = reader.next()) {
    std::vector<std::uint32_t> about;
    if (packet->kind == rtp::RtcpKind::xr) about = summarised(*packet);
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
  return batch_.sender().counts();
}

bool SharedSocket::offloads() const {
  std::lock_guard hold(batch_mutex_);
  return batch_.sender().offloads();
}

guint SharedSocket::local_port() const {
  sockaddr_in6 name{};
  socklen_t size = sizeof name;
  if (getsockname(fd_, reinterpret_cast<sockaddr *>(&name), &size) != 0) return 0;
  return runtime::Address(reinterpret_cast<const sockaddr *>(&name), size).port();
}

}  // namespace avc::udpsink
