#include "elements/degrader/decision_log.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <set>

namespace avc::degrader {
namespace {

struct OpenLogs {
  std::mutex mutex;
  std::map<std::string, std::weak_ptr<DecisionLog>> by_path;
  std::set<std::string> begun;
};

OpenLogs &open_logs() {
  static OpenLogs logs;
  return logs;
}

}  // namespace

std::string line_of(const Decision &d) {
  std::array<char, 320> text;
  std::size_t size = 0;
  const auto add = [&](const char *format, auto... values) {
    size += static_cast<std::size_t>(std::snprintf(text.data() + size, text.size() - size, format, values...));
  };
  const auto us = [](Nanos delay) { return static_cast<double>(delay.count()) / 1e3; };
  add(R"({"stream":"%u/%s","n":%llu,"fate":"%s","delay_us":%.3f)", d.participant, net::name(d.stream),
      static_cast<unsigned long long>(d.n), kFateNames[static_cast<std::size_t>(d.fate)], us(d.delay));
  if (d.copy_delay) add(R"(,"copy_delay_us":%.3f)", us(*d.copy_delay));
  if (d.bit) add(R"(,"bit":%u)", *d.bit);
  if (d.copy_bit) add(R"(,"copy_bit":%u)", *d.copy_bit);
  if (d.ce) add(R"(,"ce":true)");
  if (d.copy_ce) add(R"(,"copy_ce":true)");
  add(R"(,"seq":%u,"ssrc":%u})", unsigned{d.sequence}, d.ssrc);
  return {text.data(), size};
}

Result<std::shared_ptr<DecisionLog>> DecisionLog::open(const std::string &path) {
  auto &logs = open_logs();
  const std::lock_guard hold(logs.mutex);
  auto &known = logs.by_path[path];
  if (auto log = known.lock()) return log;
  std::FILE *file = std::fopen(path.c_str(), logs.begun.contains(path) ? "a" : "w");
  if (!file) return Error{"decision-log", "cannot write \"" + path + "\": " + std::strerror(errno)};
  logs.begun.insert(path);
  std::shared_ptr<DecisionLog> log(new DecisionLog(path, file));
  known = log;
  return log;
}

DecisionLog::DecisionLog(std::string path, std::FILE *file)
    : path_(std::move(path)), file_(file), writer_([this] { write_until_closed(); }) {}

DecisionLog::~DecisionLog() {
  {
    const std::lock_guard hold(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  writer_.join();
  std::fclose(file_);
}

bool DecisionLog::append(std::span<const Decision> decisions) {
  bool wake = false, all = true;
  {
    const std::lock_guard hold(mutex_);
    const std::size_t room = kLimit - std::min(kLimit, waiting_.size());
    const auto fitting = decisions.first(std::min(room, decisions.size()));
    wake = waiting_.empty() && !fitting.empty();
    waiting_.insert(waiting_.end(), fitting.begin(), fitting.end());
    appended_ += fitting.size();
    lost_ += decisions.size() - fitting.size();
    all = fitting.size() == decisions.size() && write_errno_ == 0;
  }
  if (wake) changed_.notify_all();
  return all;
}

Result<std::size_t> DecisionLog::flush() {
  std::unique_lock hold(mutex_);
  const std::size_t until = appended_;
  changed_.notify_all();
  changed_.wait(hold, [&] { return written_ >= until; });
  if (write_errno_) return Error{"decision-log", "\"" + path_ + "\" is incomplete: " + std::strerror(write_errno_)};
  if (lost_) {
    return Error{"decision-log",
                 "\"" + path_ + "\" is incomplete: the disk was too slow for " + std::to_string(lost_) + " packets"};
  }
  return until;
}

void DecisionLog::write_until_closed() {
  std::vector<Decision> batch;
  std::string text;
  std::unique_lock hold(mutex_);
  for (;;) {
    changed_.wait(hold, [&] { return closing_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    batch.swap(waiting_);
    hold.unlock();
    text.clear();
    for (const Decision &decision : batch) (text += line_of(decision)) += '\n';
    const bool written = std::fwrite(text.data(), 1, text.size(), file_) == text.size() && std::fflush(file_) == 0;
    const int reason = written ? 0 : errno;
    hold.lock();
    if (reason) write_errno_ = reason;
    written_ += batch.size();  // also where writing failed: whoever waits is told by write_errno_
    batch.clear();
    changed_.notify_all();
  }
}

}  // namespace avc::degrader
