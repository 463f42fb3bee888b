#include "launcher/webrtc/subscribers.hpp"

#include <utility>

namespace avc::webrtc {

void Subscribers::add(SubscriberSettings settings, std::unique_ptr<Signalling> signalling) {
  settings.id = static_cast<std::uint32_t>(all_.size() + 1);
  all_.push_back(Subscriber::make(std::move(settings), std::move(signalling)));
}

void Subscribers::begin() {
  if (pace_ || !begin_next()) return;
  pace_.set(g_timeout_add(
      1000 / kPerSecond,
      [](gpointer data) noexcept -> gboolean {
        auto *self = static_cast<Subscribers *>(data);
        if (self->begin_next()) return G_SOURCE_CONTINUE;
        self->pace_.ended();
        return G_SOURCE_REMOVE;
      },
      this));
}

// false: there are no more to begin.
bool Subscribers::begin_next() {
  if (next_ == all_.size()) return false;
  all_[next_++]->begin();
  return next_ < all_.size();
}

void Subscribers::leave_all() {
  pace_.reset();
  for (const auto &one : all_) one->leave();
}

std::vector<SubscriberSnapshot> Subscribers::snapshot() const {
  std::vector<SubscriberSnapshot> now;
  now.reserve(all_.size());
  for (const auto &one : all_) now.push_back(one->snapshot());
  return now;
}

}  // namespace avc::webrtc
