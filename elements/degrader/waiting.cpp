#include "elements/degrader/waiting.hpp"

#include <utility>

namespace avc::degrader {

void Waiting::add(Entry entry) {
  (entry.is_buffer() ? packets_ += 1 : events_ += 1);
  entries_.push(std::move(entry));
}

void Waiting::add_open(Ptr<GstBuffer> buffer) {
  add(Entry{take(GST_MINI_OBJECT_CAST(give(std::move(buffer)))), {}, true});
}

void Waiting::add_decided(Ptr<GstBuffer> buffer, const Order &order) {
  add(Entry{take(GST_MINI_OBJECT_CAST(give(std::move(buffer)))), order, false});
}

void Waiting::add(Ptr<GstEvent> event) { add(Entry{take(GST_MINI_OBJECT_CAST(give(std::move(event)))), {}, false}); }

void Waiting::decide(const Order &order) {
  entries_.front().order = order;
  entries_.front().open = false;
}

std::optional<Waiting::Entry> Waiting::take_ready() {
  if (entries_.empty() || entries_.front().open) return std::nullopt;
  std::optional<Entry> entry(std::move(entries_.front()));
  entries_.pop();
  if (entry->is_buffer()) {
    packets_--;
  } else {
    events_--;
  }
  return entry;
}

std::vector<Ptr<GstEvent>> Waiting::clear() {
  std::vector<Ptr<GstEvent>> events;
  for (; !entries_.empty(); entries_.pop()) {
    const auto what = std::move(entries_.front().what);
    if (GST_IS_EVENT(what.get())) events.push_back(share(GST_EVENT_CAST(what.get())));
  }
  packets_ = 0;
  events_ = 0;
  return events;
}

}  // namespace avc::degrader
