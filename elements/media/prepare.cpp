#include "elements/media/prepare.hpp"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

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

std::string disk_path(const Request &request, const std::string &hash) {
  const std::string key = hash + ' ' + settings_key(request);
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
  const auto bytes = take(g_bytes_new_from_bytes(whole.get(), sizeof head, size));
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
  bool cheap = false;  // nothing was encoded: not worth a place on disk
};

Result<Raw> generate_all(const Request &request, Stop &stop, const Pass::Progress &progress) {
  auto videos = generate_video(request, stop, progress);
  if (!videos) return videos.error();
  auto tone = generate_tone(stop);
  if (!tone) return tone.error();
  return Raw{std::move(*videos), std::move(*tone), Fit::repeat_audio, false};
}

// `contents` is what the file has; what it lacks is generated, what cannot be sent as it is is transcoded.
Result<Raw> complete(const Request &request, Contents contents, Stop &stop, const Pass::Progress &progress) {
  Raw raw;
  raw.cheap = contents.video && contents.audio;
  const bool encode_video = contents.has_video && !contents.video;
  const bool encode_audio = contents.has_audio && !contents.audio;
  if (encode_video || encode_audio) {
    auto made = transcode(request, encode_video, encode_audio, stop, progress);
    if (!made) return made.error();
    raw.videos = std::move(made->video);
    raw.audio = std::move(made->audio);
  }
  if (contents.video) raw.videos.push_back(std::move(*contents.video));
  if (contents.audio) raw.audio = std::move(*contents.audio);
  if (!contents.has_video) {
    auto videos = generate_video(request, stop, progress);
    if (!videos) return videos.error();
    raw.videos = std::move(*videos);
    raw.fit = Fit::repeat_video;
  }
  if (!contents.has_audio) {
    auto tone = generate_tone(stop);
    if (!tone) return tone.error();
    raw.audio = std::move(*tone);
    raw.fit = Fit::repeat_audio;
  }
  return raw;
}

Result<std::shared_ptr<const Clip>> prepare_from(const Request &request, Stop &stop, const Pass::Progress &progress) {
  const bool generated = request.location.empty();
  std::string hash = "generated";
  if (!generated) {
    if (auto fault = file_fault(request.location)) return Error{"", fault->message};
    auto content = content_hash(request.location, stop);
    if (!content) return content.error();
    hash = std::move(*content);
  }
  const std::string path = disk_path(request, hash);
  if (auto clip = load(path)) return clip;

  Result<Raw> raw = Raw{};
  if (generated) {
    raw = generate_all(request, stop, progress);
  } else {
    auto contents = probe(request.location, request.renditions.empty(), stop, progress);
    if (!contents) return contents.error();
    raw = complete(request, std::move(*contents), stop, progress);
  }
  if (!raw) return raw.error();
  auto prepared = assemble(raw->videos, raw->audio, raw->fit, stop);
  if (!prepared) return prepared.error();
  const auto packed = pack(*prepared);
  if (!raw->cheap) {
    keep(path, packed.get());
    if (auto clip = load(path)) return clip;  // mapped: its memory is the kernel's to manage
  }
  return open_clip(packed.get());
}

}  // namespace

Result<std::shared_ptr<const Clip>> prepare(const Request &request, Stop &stop, const Pass::Progress &progress) {
  auto clip = prepare_from(request, stop, progress);
  if (clip) return clip;
  return Error{request.location.empty() ? "generated media" : request.location, clip.error().message};
}

}  // namespace avc::media
