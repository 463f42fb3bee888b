#include "core/net/replay.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <utility>

#include "core/text.hpp"

namespace avc::net {
namespace {

constexpr double kLongestDelayUs = 1e13;  // a hundred days and more; nanoseconds still fit

struct Member {
  std::string_view key, value;
  bool quoted = false;
};

// Takes the members of one flat object from the front of a text.
class Members {
 public:
  explicit Members(std::string_view text) : rest_(text) {}

  bool begin() { return take('{'); }
  bool at_end() { return take('}') && blank(); }
  std::optional<Member> next() {
    if (std::exchange(first_, false) ? false : !take(',')) return std::nullopt;
    Member member;
    if (!take_text(member.key) || !take(':')) return std::nullopt;
    member.quoted = take_text(member.value);
    if (!member.quoted && !take_word(member.value)) return std::nullopt;
    return member;
  }
  bool more() {
    skip();
    return !rest_.starts_with('}');
  }

 private:
  void skip() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r"), rest_.size())); }
  bool blank() {
    skip();
    return rest_.empty();
  }
  bool take(char wanted) {
    skip();
    if (!rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool take_text(std::string_view &text) {
    if (!take('"')) return false;
    const auto end = rest_.find_first_of("\"\\");
    if (end == rest_.npos || rest_[end] != '"') return false;
    text = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return true;
  }
  bool take_word(std::string_view &word) {
    skip();
    word = rest_.substr(0, std::min(rest_.find_first_of(" \t\r,}"), rest_.size()));
    rest_.remove_prefix(word.size());
    return !word.empty();
  }

  std::string_view rest_;
  bool first_ = true;
};

template <class N>
bool whole(std::string_view text, N &number) {
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  return fault == std::errc() && end == text.data() + text.size();
}

bool micros(std::string_view text, Nanos &delay) {
  const auto number = parse_number(text);
  if (!number || !(*number >= 0 && *number <= kLongestDelayUs)) return false;
  delay = Nanos(std::llround(*number * 1000));
  return true;
}

bool truth(std::string_view text, bool &value) {
  value = text == "true";
  return value || text == "false";
}

bool stream(std::string_view text, Track &track) {
  const auto slash = text.find('/');
  if (slash == text.npos || !whole(text.substr(0, slash), track.participant)) return false;
  for (std::size_t i = 0; i < kStreamCount; i++) {
    track.stream = static_cast<Stream>(i);
    if (text.substr(slash + 1) == name(track.stream)) return true;
  }
  return false;
}

struct Found {
  bool stream = false, n = false, fate = false, delay = false, sequence = false, ssrc = false;
  std::string_view fate_name;
};

bool is_fate(std::string_view name) {
  constexpr std::array<std::string_view, 6> kFates = {"sent",          "lost",       "queue-dropped",
                                                      "frame-dropped", "duplicated", "corrupted"};
  return std::ranges::find(kFates, name) != kFates.end();
}

template <class T>
bool some(std::optional<T> &value, bool (*read)(std::string_view, T &), std::string_view text) {
  return read(text, value.emplace());
}

// False: the value is none for this key.
bool read(const Member &member, Recorded &packet, Found &found) {
  const auto [key, value, quoted] = member;
  if (key == "stream") return found.stream = quoted && stream(value, packet.track);
  if (key == "fate") {
    found.fate_name = value;
    return found.fate = quoted && is_fate(value);
  }
  if (key == "n") return found.n = !quoted && whole(value, packet.n);
  if (key == "seq") return found.sequence = !quoted && whole(value, packet.sequence);
  if (key == "ssrc") return found.ssrc = !quoted && whole(value, packet.track.ssrc);
  if (key == "delay_us") return found.delay = !quoted && micros(value, packet.delay);
  if (key == "copy_delay_us") return !quoted && some(packet.copy_delay, micros, value);
  if (key == "bit") return !quoted && some(packet.bit, whole<std::uint32_t>, value);
  if (key == "copy_bit") return !quoted && some(packet.copy_bit, whole<std::uint32_t>, value);
  if (key == "ce") return !quoted && truth(value, packet.ce);
  if (key == "copy_ce") return !quoted && truth(value, packet.copy_ce);
  return true;
}

std::optional<Error> missing(const Found &found) {
  const std::pair<bool, const char *> needed[] = {{found.stream, "stream"}, {found.n, "n"},
                                                  {found.fate, "fate"},     {found.delay, "delay_us"},
                                                  {found.sequence, "seq"},  {found.ssrc, "ssrc"}};
  for (const auto &[there, key] : needed)
    if (!there) return Error{key, "is missing"};
  return std::nullopt;
}

std::optional<Drop::Why> drop_of(std::string_view fate) {
  if (fate == "lost") return Drop::Why::loss;
  if (fate == "frame-dropped") return Drop::Why::frame;
  if (fate == "queue-dropped") return Drop::Why::queue_full;
  return std::nullopt;
}

// A fate and what it says of copies and bits have to fit each other, or the line was not written by us.
std::optional<Error> contradiction(const Recorded &packet, std::string_view fate) {
  if ((fate == "duplicated") != packet.copy_delay.has_value())
    return Error{"copy_delay_us", packet.copy_delay ? "belongs to duplicated packets only" : "is missing"};
  if (packet.copy_bit && !packet.copy_delay) return Error{"copy_bit", "belongs to duplicated packets only"};
  if (packet.copy_ce && !packet.copy_delay) return Error{"copy_ce", "belongs to duplicated packets only"};
  if (fate == "corrupted" && !packet.bit) return Error{"bit", "is missing"};
  if (packet.bit && fate != "corrupted" && fate != "duplicated")
    return Error{"bit", "belongs to corrupted and duplicated packets only"};
  return std::nullopt;
}

}  // namespace

Result<Recorded> parse_recorded(std::string_view line) {
  const Error no_object{"", "is no JSON object of plain values on one line"};
  Members members(line);
  Recorded packet;
  Found found;
  if (!members.begin()) return no_object;
  while (members.more()) {
    const auto member = members.next();
    if (!member) return no_object;
    if (!read(*member, packet, found))
      return Error{std::string(member->key), "cannot be \"" + std::string(member->value.substr(0, 40)) + "\""};
  }
  if (!members.at_end()) return no_object;
  if (auto fault = missing(found)) return *std::move(fault);
  if (auto fault = contradiction(packet, found.fate_name)) return *std::move(fault);
  packet.dropped = drop_of(found.fate_name);
  return packet;
}

Result<std::shared_ptr<const Recording>> Recording::parse(std::string_view log) {
  auto recording = std::make_shared<Recording>();
  for (std::size_t number = 1; !log.empty(); number++) {
    const auto end = std::min(log.find('\n'), log.size());
    const std::string_view line = log.substr(0, end);
    log.remove_prefix(std::min(end + 1, log.size()));
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    const auto packet = parse_recorded(line);
    if (!packet) {
      const Error &fault = packet.error();
      const std::string reason = fault.field.empty() ? fault.message : fault.field + " " + fault.message;
      return Error{"", "line " + std::to_string(number) + ": " + reason};
    }
    recording->add(*packet);
  }
  for (auto &[track, entries] : recording->tracks_) std::ranges::stable_sort(entries, {}, &Entry::n);
  return std::shared_ptr<const Recording>(std::move(recording));
}

void Recording::add(const Recorded &line) {
  tracks_[line.track].push_back({line.n, line.delay, line.copy_delay.value_or(kNever), line.bit.value_or(kNoBit),
                                 line.copy_bit.value_or(kNoBit), line.sequence, line.dropped.has_value(), line.ce,
                                 line.copy_ce, line.dropped.value_or(Drop::Why::loss)});
  packets_++;
  longest_delay_ = std::max({longest_delay_, line.delay, line.copy_delay.value_or(Nanos{})});
}

Verdict Recording::Entry::at(Instant arrival) const {
  if (dropped) return Drop{why};
  const auto changed = [](std::uint32_t number) { return number == kNoBit ? std::nullopt : std::optional(number); };
  Send send{arrival + delay};
  send.corrupt_bit = changed(bit);
  send.ce = ce;
  if (copy_delay != kNever) send.duplicate = Copy{arrival + copy_delay, changed(copy_bit), copy_ce};
  return send;
}

Replay::Way *Replay::way_of(const Track &track) {
  if (const auto known = ways_.find(track); known != ways_.end()) return &known->second;
  const auto found = recording_->tracks_.find(track);
  if (found == recording_->tracks_.end()) return nullptr;
  return &ways_.emplace(track, Way{&found->second, std::vector<bool>(found->second.size())}).first->second;
}

std::optional<Verdict> Replay::verdict(const Track &track, std::uint64_t n, std::uint16_t sequence, Instant arrival) {
  Way *const way = way_of(track);
  if (!way) return std::nullopt;
  const auto &entries = *way->entries;
  std::size_t place = way->next;
  const bool first_of_n = place < entries.size() && entries[place].n == n && (place == 0 || entries[place - 1].n != n);
  if (!first_of_n) {
    const auto first = std::ranges::lower_bound(entries, n, {}, &Recording::Entry::n);
    place = static_cast<std::size_t>(first - entries.begin());
  }
  for (; place < entries.size() && entries[place].n == n; place++) {
    if (way->used[place] || entries[place].sequence != sequence) continue;
    way->used[place] = true;
    way->next = place + 1;
    return entries[place].at(arrival);
  }
  return std::nullopt;
}

}  // namespace avc::net
