// Clips for tests of the media cache: asked for and waited for, and what each of them has to be.
#pragma once

#include "elements/media/cache.hpp"
#include "elements/media/payload.hpp"
#include "elements/media/probe.hpp"
#include "elements/media/request.hpp"

#include <condition_variable>
#include <mutex>

#include "elements/support/mapped.hpp"
#include "tests/elements/media_files.hpp"

namespace avc::test {

struct Waiter final : media::CacheEntry::Listener {
  void media_progress(double) override {}
  void media_done() override {
    const std::lock_guard hold(mutex);
    done = true;
    changed.notify_all();
  }
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false;
};

inline std::shared_ptr<media::CacheEntry> finished(const media::Request &request) {
  auto entry = media::acquire(request);
  auto waiter = std::make_shared<Waiter>();
  if (entry->subscribe(waiter)) {
    std::unique_lock hold(waiter->mutex);
    waiter->changed.wait(hold, [&] { return waiter->done; });
  }
  return entry;
}

inline std::shared_ptr<const media::Clip> clip_of(const media::Request &request) {
  const auto entry = finished(request);
  const auto error = entry->error();
  ck_assert_msg(entry->clip() != nullptr, "%s", error ? error->text().c_str() : "");
  return entry->clip();
}

inline media::Request for_file(const Folder &cache, const std::string &location) {
  media::Request request;
  request.location = location;
  request.directory = cache.path();
  return request;
}

inline media::Request small(const Folder &cache) {
  media::Request request;
  request.width = 320, request.height = 180, request.fps = 25;
  request.directory = cache.path();
  return request;
}

inline void check_sendable(const media::Clip &clip) {
  ck_assert(!clip.timing.video.empty());
  ck_assert(clip.timing.video.front() == Nanos(0));
  ck_assert_uint_eq(clip.timing.keyframes.front(), 0);
  ck_assert_uint_eq(clip.audio.size(), clip.timing.audio_frames());
  ck_assert_uint_eq(clip.profile_level_id.size(), 6);
  for (const media::Rendition &rendition : clip.renditions) {
    ck_assert_uint_eq(rendition.units.size(), clip.timing.video.size());
    for (const media::AccessUnit &unit : rendition.units) {
      ck_assert_uint_ge(unit.payloads, 1);
      ck_assert(unit.keyframe == unit.headers);  // parameter sets in band before each keyframe, and only there
      for (std::uint32_t i = 0; i < unit.payloads; ++i) {
        const auto bytes = rendition.payloads[unit.first_payload + i].bytes;
        ck_assert_uint_le(bytes.size(), media::kMaxPayload);
        ck_assert_msg((bytes[0] & 0x1f) != 9, "an access unit delimiter as a packet of its own");
      }
    }
  }
  for (const auto &packet : clip.audio) {
    const MappedMemory bytes(packet.memory.get());
    ck_assert(media::opus_duration(bytes.bytes().data(), bytes.bytes().size()) == media::kAudioFrame);
  }
}

inline std::string error_of(const media::Request &request) {
  const auto entry = finished(request);
  ck_assert(entry->clip() == nullptr);
  ck_assert(entry->error().has_value());
  return entry->error()->text();
}

inline void assert_says(const std::string &text, const std::string &file, const std::string &what) {
  ck_assert_msg(text.find(file) != std::string::npos && text.find(what) != std::string::npos, "%s", text.c_str());
}

}  // namespace avc::test
