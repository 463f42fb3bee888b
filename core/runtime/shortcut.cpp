#include "core/runtime/shortcut.hpp"

#include <utility>

namespace avc::runtime {
namespace {

void share_port(int fd, bool share) {
  const int value = share;
  setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &value, sizeof value);
}

}  // namespace

bool Shortcut::lead_to(const Address &to) {
  if (!socket_ && !open()) return false;
  return connect(socket_->fd(), to.get(), to.size()) == 0;
}

bool Shortcut::open() {
  sockaddr_in6 name{};
  socklen_t size = sizeof name;
  if (getsockname(first_, reinterpret_cast<sockaddr *>(&name), &size) != 0) return false;
  options_.port = Address(reinterpret_cast<const sockaddr *>(&name), size).port();
  options_.share_port = true;
  share_port(first_, true);
  auto opened = UdpSocket::open(options_);
  share_port(first_, false);
  if (!opened) return false;
  share_port(opened->fd(), false);
  take_leave_times(opened->fd());  // which the first may have been made ready for; nothing without a time is changed
  socket_.emplace(std::move(*opened));
  return true;
}

}  // namespace avc::runtime
