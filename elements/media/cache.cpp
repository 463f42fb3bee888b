#include "elements/media/cache.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "core/runtime/guarded.hpp"
#include "elements/media/prepare.hpp"

namespace avc::media {
namespace {

// Outlives its entry by as long as the thread needs to notice that nobody wants the clip any more.
struct Work {
  Request request;
  Stop stop;
  struct State {
    bool over = false;
    std::shared_ptr<const Clip> clip;
    std::optional<Error> error;
    std::vector<std::shared_ptr<CacheEntry::Listener>> listeners;
  };
  Guarded<State> state;
};

void work_on(const std::shared_ptr<Work> &work) {
  const auto progress = [&work](double percent) {
    for (const auto &listener : std::vector(work->state.lock()->listeners)) listener->media_progress(percent);
  };
  auto clip = prepare(work->request, work->stop, progress);
  std::vector<std::shared_ptr<CacheEntry::Listener>> listeners;
  {
    auto state = work->state.lock();
    state->over = true;
    if (clip)
      state->clip = std::move(*clip);
    else
      state->error = clip.error();
    listeners.swap(state->listeners);
  }
  for (const auto &listener : listeners) listener->media_done();
}

class Entry final : public CacheEntry {
 public:
  explicit Entry(Request request) : work_(std::make_shared<Work>()) {
    work_->request = std::move(request);
    thread_ = std::thread([work = work_] { work_on(work); });
  }
  ~Entry() override {
    work_->stop.request();
    // A listener may have held the last user, which then goes on the preparing thread itself.
    if (thread_.get_id() == std::this_thread::get_id())
      thread_.detach();
    else
      thread_.join();
  }

  std::shared_ptr<const Clip> clip() const override { return work_->state.lock()->clip; }
  std::optional<Error> error() const override { return work_->state.lock()->error; }

  bool subscribe(std::shared_ptr<Listener> listener) override {
    auto state = work_->state.lock();
    if (state->over) return false;
    state->listeners.push_back(std::move(listener));
    return true;
  }

  void unsubscribe(const Listener *listener) override {
    auto state = work_->state.lock();
    std::erase_if(state->listeners, [listener](const auto &held) { return held.get() == listener; });
  }

 private:
  std::shared_ptr<Work> work_;
  std::thread thread_;
};

// A file that was changed is another file.
std::string key_of(const Request &request) {
  std::string key = request.directory + '\n' + settings_key(request);
  for (const Source &source : sources_of(request)) {
    key += std::string("\n") + source.key + ' ' + source.path;
    struct stat status {};
    if (stat(source.path.c_str(), &status) != 0) continue;
    key += '\n' + std::to_string(status.st_size) + ' ' + std::to_string(status.st_mtim.tv_sec) + '.' +
           std::to_string(status.st_mtim.tv_nsec);
  }
  return key;
}

using Entries = std::map<std::string, std::weak_ptr<CacheEntry>>;

Guarded<Entries> &entries() {
  static auto *const all = new Guarded<Entries>();  // never destroyed: sources may outlive static objects
  return *all;
}

}  // namespace

std::shared_ptr<CacheEntry> acquire(const Request &request) {
  const std::string key = key_of(request);
  auto all = entries().lock();
  std::erase_if(*all, [](const auto &held) { return held.second.expired(); });
  auto &held = (*all)[key];
  if (auto entry = held.lock()) return entry;
  auto entry = std::make_shared<Entry>(request);
  held = entry;
  return entry;
}

}  // namespace avc::media
