#include "elements/media/prepare.hpp"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "core/runtime/large_pages.hpp"
#include "elements/media/assemble.hpp"
#include "elements/media/generate.hpp"
#include "elements/media/probe.hpp"
#include "elements/media/transcode.hpp"

namespace avc::media {
namespace {

// The content's part of the key: the same file under another name is prepared once only.
Result<std::string> content_hash(const std::string &path, Stop &stop) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Error{"", std::strerror(errno)};
  GChecksum *checksum = g_checksum_new(G_CHECKSUM_SHA256);
  std::array<guchar, 1 << 16> bytes;
  ssize_t size = 0;
  while (!stop.requested() && (size = read(fd, bytes.data(), bytes.size())) > 0)
    g_checksum_update(checksum, bytes.data(), size);
  const int fault = errno;
  close(fd);
  std::string hash = g_checksum_get_string(checksum);
  g_checksum_free(checksum);
  if (stop.requested()) return Error{"", "no longer wanted"};
  if (size < 0) return Error{"", std::strerror(fault)};
  return hash;
}

std::string disk_path(const Request &request, const std::string &contents) {
  const std::string key = contents + ' ' + settings_key(request);
  const auto name = take(g_compute_checksum_for_string(G_CHECKSUM_SHA256, key.c_str(), -1));
  return cache_directory(request) + '/' + name.get() + ".avclip";
}

// Before the packed clip in its file. The sum finds a disk's mistakes, not somebody's malice.
struct FileHead {
  std::uint64_t sum, size;
};

std::uint64_t sum_of(const void *data, std::size_t size) {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;  // each step is invertible: one wrong word always shows
  const auto *bytes = static_cast<const unsigned char *>(data);
  std::uint64_t sum = size;
  for (std::size_t at = 0; at < size; at += sizeof sum) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes + at, std::min(sizeof word, size - at));
    sum = (sum ^ word) * kOdd;
    sum ^= sum >> 32;
  }
  return sum;
}

// Every packet of every participant is copied out of its clip. One too long for that stays where it is: in a file that
// the kernel may forget and read again.
Ptr<GBytes> at_hand(Ptr<GBytes> packed) {
  constexpr gsize kLongest = gsize{32} << 20;
  gsize size = 0;
  const auto *data = g_bytes_get_data(packed.get(), &size);
  if (size == 0 || size > kLongest) return packed;
  auto pages = runtime::large_pages(size);
  std::memcpy(pages.get(), data, size);
  void *memory = pages.release();
  return take(g_bytes_new_with_free_func(
      memory, size, [](gpointer held) { runtime::FreePages()(held); }, memory));
}

std::shared_ptr<const Clip> load(const std::string &path) {
  GMappedFile *file = g_mapped_file_new(path.c_str(), FALSE, nullptr);
  if (file == nullptr) return nullptr;
  const auto whole = take(g_mapped_file_get_bytes(file));
  g_mapped_file_unref(file);
  gsize size = 0;
  const auto *data = static_cast<const char *>(g_bytes_get_data(whole.get(), &size));
  FileHead head{};
  if (size < sizeof head) return nullptr;
  std::memcpy(&head, data, sizeof head);
  size -= sizeof head;
  if (head.size != size || head.sum != sum_of(data + sizeof head, size)) return nullptr;
  const auto bytes = at_hand(take(g_bytes_new_from_bytes(whole.get(), sizeof head, size)));
  auto clip = open_clip(bytes.get());
  return clip ? std::move(*clip) : nullptr;  // what cannot be read is prepared again
}

// A full disk or a read-only home costs the next run's speed and nothing else.
void keep(const std::string &path, GBytes *packed) {
  const auto directory = take(g_path_get_dirname(path.c_str()));
  gsize size = 0;
  const auto *data = static_cast<const char *>(g_bytes_get_data(packed, &size));
  const FileHead head{sum_of(data, size), size};
  std::string content(reinterpret_cast<const char *>(&head), sizeof head);
  content.append(data, size);
  GError *raw = nullptr;
  if (g_mkdir_with_parents(directory.get(), 0700) != 0 ||
      !g_file_set_contents_full(path.c_str(), content.data(), static_cast<gssize>(content.size()),
                                G_FILE_SET_CONTENTS_CONSISTENT, 0600, &raw)) {
    const auto error = take(raw);
    GST_WARNING("cannot keep a prepared clip as %s: %s", path.c_str(), error ? error->message : std::strerror(errno));
  }
}

struct Raw {
  std::vector<CodedVideo> videos;
  CodedAudio audio;
  Fit fit = Fit::as_they_are;
  bool cheap = true;  // nothing was encoded: not worth a place on disk
};

// What the file has and can be sent as it is; what cannot is transcoded.
std::optional<Error> read_source(const Request &request, const Source &source, Raw &raw, Stop &stop,
                                 const Pass::Progress &progress) {
  auto contents = probe(source, request, stop, progress);
  if (!contents) return contents.error();
  // A file for both kinds may lack one, which is generated then; one that was named for a kind must have it.
  if (!source.sound && !contents->has_video) return Error{"", "has no picture"};
  if (!source.picture && !contents->has_audio) return Error{"", "has no sound"};
  const bool encode_video = source.picture && contents->has_video && !contents->video;
  const bool encode_audio = source.sound && contents->has_audio && !contents->audio;
  if (encode_video || encode_audio) {
    raw.cheap = false;
    auto made = transcode(request, {source.path, contents->frame_rate, encode_video, encode_audio}, stop, progress);
    if (!made) return made.error();
    if (encode_video) raw.videos = std::move(made->video);
    if (encode_audio) raw.audio = std::move(made->audio);
  }
  if (contents->video) raw.videos.push_back(std::move(*contents->video));
  if (contents->audio) raw.audio = std::move(*contents->audio);
  return std::nullopt;
}

// Two files have nothing to do with each other's clock: both begin at 0.
void begin_at_zero(std::vector<CodedUnit> &units) {
  const Nanos first = units.empty() ? Nanos{} : units.front().pts;
  for (CodedUnit &unit : units) unit.pts -= first;
}

// What no file has is generated.
Result<Raw> complete(const Request &request, Raw raw, Stop &stop, const Pass::Progress &progress) {
  const bool picture = !raw.videos.empty(), sound = !raw.audio.units.empty();
  if (!request.audio_location.empty()) {
    for (CodedVideo &video : raw.videos) begin_at_zero(video.units);
    begin_at_zero(raw.audio.units);
    raw.fit = Fit::repeat_audio;
  }
  if (!picture) {
    auto videos = generate_video(request, stop, progress);
    if (!videos) return videos.error();
    raw.videos = std::move(*videos);
    raw.fit = Fit::repeat_video;
  }
  if (!sound) {
    auto tone = generate_tone(stop);
    if (!tone) return tone.error();
    raw.audio = std::move(*tone);
    raw.fit = Fit::repeat_audio;
  }
  raw.cheap = raw.cheap && picture && sound;
  return raw;
}

Result<std::shared_ptr<const Clip>> pack_and_keep(const Raw &raw, const std::string &path, Stop &stop) {
  auto prepared = assemble(raw.videos, raw.audio, raw.fit, stop);
  if (!prepared) return prepared.error();
  auto packed = pack(*prepared);
  if (!raw.cheap) {
    keep(path, packed.get());
    if (auto clip = load(path)) return clip;
  }
  return open_clip(at_hand(std::move(packed)).get());
}

}  // namespace

Result<std::shared_ptr<const Clip>> prepare(const Request &request, Stop &stop, const Pass::Progress &progress) {
  const std::vector<Source> sources = sources_of(request);
  if (auto fault = file_fault(request)) return *fault;
  std::string contents = sources.empty() ? "generated" : "";
  for (const Source &source : sources) {
    auto hash = content_hash(source.path, stop);
    if (!hash) return source.fault(hash.error().message);
    contents += std::string(source.key) + ' ' + *hash + ' ';
  }
  const std::string path = disk_path(request, contents);
  if (auto clip = load(path)) return clip;

  Raw raw;
  for (const Source &source : sources)
    if (auto error = read_source(request, source, raw, stop, progress)) return source.fault(error->message);
  const auto named = [&](const Error &error) {
    return sources.empty() ? Error{"generated media", error.message} : sources.front().fault(error.message);
  };
  auto whole = complete(request, std::move(raw), stop, progress);
  if (!whole) return Error{"generated media", whole.error().message};
  auto clip = pack_and_keep(*whole, path, stop);
  return clip ? clip : named(clip.error());
}

}  // namespace avc::media
