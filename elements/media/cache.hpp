// The process's clips: sources that ask for the same media share one, which is freed with the last of them. A clip
// that is not there yet is prepared on a thread of its own; nobody waits for it, those who asked are told.
#pragma once

#include <memory>
#include <optional>

#include "core/result.hpp"
#include "elements/media/clip.hpp"
#include "elements/media/request.hpp"

namespace avc::media {

class CacheEntry {
 public:
  // Called on the preparing thread: percent while it goes on, and once when it is over. May be called once more
  // after unsubscribe() returned.
  struct Listener {
    virtual ~Listener() = default;
    virtual void media_progress(double percent) = 0;
    virtual void media_done() = 0;
  };

  virtual ~CacheEntry() = default;  // ends a preparation under way; waits for its thread to notice

  // Exactly one of the two is set once the preparation is over, and neither before.
  virtual std::shared_ptr<const Clip> clip() const = 0;
  virtual std::optional<Error> error() const = 0;

  // False when it is over already: the listener is not kept and will not be called.
  virtual bool subscribe(std::shared_ptr<Listener> listener) = 0;
  virtual void unsubscribe(const Listener *listener) = 0;
};

// Finds the entry of an equal request, or makes it and starts its preparation. A failure is not kept: the next
// request after the last user has gone tries again.
std::shared_ptr<CacheEntry> acquire(const Request &request);

}  // namespace avc::media
