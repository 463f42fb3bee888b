// Picture and sound from two files, and files of bare H.264: what becomes of them, at which times, and what is said
// when one of the two is no good.
#include "elements/media/bare.hpp"
#include "elements/media/cache.hpp"
#include "elements/media/request.hpp"

#include <set>

#include "tests/elements/clips.hpp"

using namespace avc;
using namespace avc::media;
using namespace avc::test;
using namespace std::chrono_literals;

namespace {

constexpr const char *kWrite = "! video/x-h264,stream-format=byte-stream ! filesink location=%s";

// Its headers have no frame rate.
std::string bare_without_rate(const Folder &folder) {
  return make_file(folder.path("bare.h264"), std::string(kPicture) + "openh264enc gop-size=25 ! h264parse " + kWrite);
}
// Its headers say 25.
std::string bare_with_rate(const Folder &folder) {
  return make_file(folder.path("rate.264"),
                   std::string(kPicture) + "x264enc bframes=0 tune=zerolatency key-int-max=25 " + kWrite);
}

// Fifty pictures, each brighter than the one before.
std::string bare_with_b_frames(const Folder &folder) {
  std::string raw;
  for (int i = 0; i < 50; ++i)
    raw +=
        std::string(std::size_t{320} * 180, static_cast<char>(20 + 4 * i)) + std::string(std::size_t{320} * 90, '\x80');
  return make_file(folder.path("b-frames.h264"),
                   "filesrc location=" + folder.text("grey.i420", raw) +
                       " ! rawvideoparse format=i420 width=320 height=180 framerate=25/1 ! "
                       "x264enc bframes=3 b-adapt=false speed-preset=ultrafast " +
                       kWrite);
}

// As opusenc and other tools write it when nothing is said: pages of a second.
std::string opus_in_long_pages(const Folder &folder, int packets, const std::string &name = "long.opus") {
  return make_file(folder.path(name),
                   "audiotestsrc num-buffers=" + std::to_string(packets) +
                       " samplesperbuffer=960 freq=443.7 ! audio/x-raw,rate=48000,channels=2 ! opusenc ! "
                       "oggmux max-delay=1000000000 max-page-delay=1000000000 ! filesink location=%s");
}

Request for_two(const Folder &cache, const std::string &location, const std::string &audio_location) {
  Request request = for_file(cache, location);
  request.audio_location = audio_location;
  request.width = 320, request.height = 180;
  return request;
}

std::string bytes_of(GstMemory *memory) {
  const MappedMemory map(memory);
  return {map.bytes().begin(), map.bytes().end()};
}

std::size_t loud_packets(const Clip &clip) {
  return static_cast<std::size_t>(
      std::count_if(clip.audio.begin(), clip.audio.end(), [](const auto &packet) { return packet.bytes.size() > 20; }));
}

std::size_t pages_of(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), {});
  std::size_t pages = 0;
  for (auto at = bytes.find("OggS"); at != std::string::npos; at = bytes.find("OggS", at + 4)) ++pages;
  return pages;
}

void check_length(const Clip &clip, std::size_t pictures, double ms) {
  check_sendable(clip);
  ck_assert_uint_eq(clip.timing.video.size(), pictures);
  ck_assert_msg(std::abs(to_ms(clip.timing.length) - ms) < 0.001, "%g ms", to_ms(clip.timing.length));
}

// The mean brightness of each decoded picture.
std::vector<double> brightness_of(const Folder &folder, const Clip &clip) {
  std::string stream;
  for (const AccessUnit &unit : clip.renditions[0].units) stream += bytes_of(unit.coded.get());
  const std::string raw =
      make_file(folder.path("decoded.i420"), "filesrc location=" + folder.text("clip.h264", stream) +
                                                 " ! h264parse ! avdec_h264 ! videoconvert ! "
                                                 "video/x-raw,format=I420 ! filesink location=%s");
  std::ifstream in(raw, std::ios::binary);
  std::vector<double> means;
  std::string picture(std::size_t{320} * 180 * 3 / 2, '\0');
  while (in.read(picture.data(), static_cast<std::streamsize>(picture.size()))) {
    double sum = 0;
    for (std::size_t i = 0; i < std::size_t{320} * 180; ++i) sum += static_cast<unsigned char>(picture[i]);
    means.push_back(sum / (320 * 180));
  }
  return means;
}

}  // namespace

GST_START_TEST(picture_and_sound_come_from_two_files_as_they_are) {
  const Folder cache, files;
  const std::string opus = opus_in_long_pages(files, 100);
  ck_assert_uint_le(pages_of(opus), 6);  // two of headers, some of a second each
  Request request = for_two(cache, bare_without_rate(files), opus);
  request.fps = 25;
  const auto clip = clip_of(request);
  check_length(*clip, 50, 2000);
  ck_assert_uint_eq(clip->timing.keyframes.size(), 2);
  ck_assert_uint_ge(loud_packets(*clip), 99);
  std::set<std::string> different;
  for (const auto &packet : clip->audio) different.insert(bytes_of(packet.memory.get()));
  ck_assert_uint_ge(different.size(), 50);     // each is a packet of its own
  ck_assert_uint_eq(cache.names().size(), 0);  // nothing was encoded
}
GST_END_TEST;

GST_START_TEST(bare_h264_plays_at_the_rate_given_else_its_own_else_30) {
  const Folder cache, files;
  const std::string silent = bare_without_rate(files), telling = bare_with_rate(files);
  check_length(*clip_of(for_file(cache, silent)), 50, 50 / 30.0 * 1000);
  check_length(*clip_of(for_file(cache, telling)), 50, 2000);
  Request request = for_file(cache, silent);
  request.fps = 50;
  check_length(*clip_of(request), 50, 1000);
  request.file_fps = 12.5;
  check_length(*clip_of(request), 50, 4000);
  request.location = telling;
  check_length(*clip_of(request), 50, 4000);
}
GST_END_TEST;

GST_START_TEST(bare_h264_with_b_frames_becomes_pictures_in_order_at_the_right_times) {
  const Folder cache, files;
  Request request = for_file(cache, bare_with_b_frames(files));
  const auto clip = clip_of(request);
  check_length(*clip, 50, 2000);
  const auto brightness = brightness_of(files, *clip);
  ck_assert_uint_eq(brightness.size(), 50);
  for (std::size_t i = 0; i < brightness.size(); ++i)  // of its neighbours one would be 4 off
    ck_assert_msg(std::abs(brightness[i] - (20.0 + 4.0 * static_cast<double>(i))) < 3.5, "picture %zu has %g", i,
                  brightness[i]);
  request.file_fps = 10;
  check_length(*clip_of(request), 50, 5000);
  request.renditions = {400, 200};
  const auto two = clip_of(request);
  check_length(*two, 50, 5000);
  ck_assert_uint_eq(two->renditions.size(), 2);
}
GST_END_TEST;

GST_START_TEST(sound_may_be_of_any_kind) {
  const Folder cache, files;
  const std::string picture = bare_with_rate(files);
  const std::pair<const char *, const char *> kinds[] = {
      {"a.m4a", "voaacenc ! aacparse ! mp4mux ! filesink location=%s"},
      {"a.wav", "wavenc ! filesink location=%s"},
      {"a.mp3", "audioconvert ! lamemp3enc ! filesink location=%s"},
      {"a.webm",
       "audioresample ! audioconvert ! audio/x-raw,channels=6,rate=48000 ! opusenc ! webmmux ! "
       "filesink location=%s"},
      {"a.opus", "audioresample ! opusenc frame-size=60 ! oggmux ! filesink location=%s"},
  };
  for (const auto &[name, text] : kinds) {
    const auto clip = clip_of(for_two(cache, picture, make_file(files.path(name), std::string(kSound) + text)));
    check_length(*clip, 50, 2000);
    ck_assert_msg(loud_packets(*clip) >= 95, "%s: %zu packets of sound", name, loud_packets(*clip));
    gint channels = 0;
    gst_structure_get_int(gst_caps_get_structure(clip->audio_caps.get(), 0), "channels", &channels);
    ck_assert_msg(channels == 1 || channels == 2, "%s: %d channels", name, channels);
  }
}
GST_END_TEST;

GST_START_TEST(the_picture_decides_the_length_and_shorter_sound_begins_again) {
  const Folder cache, files;
  const std::string picture = bare_with_rate(files);
  const auto shorter = clip_of(for_two(cache, picture, opus_in_long_pages(files, 30)));
  check_length(*shorter, 50, 2000);
  const auto &audio = shorter->audio;
  std::size_t once = 1;
  while (once < audio.size() && bytes_of(audio[once].memory.get()) != bytes_of(audio[0].memory.get())) ++once;
  ck_assert_msg(once >= 30 && once <= 31, "begins again after %zu", once);
  for (std::size_t i = once; i < audio.size(); ++i)
    ck_assert(bytes_of(audio[i].memory.get()) == bytes_of(audio[i - once].memory.get()));
  check_length(*clip_of(for_two(cache, picture, opus_in_long_pages(files, 300, "longer.opus"))), 50, 2000);
}
GST_END_TEST;

GST_START_TEST(either_file_may_be_missing_from_the_request) {
  const Folder cache, files;
  const std::string opus = opus_in_long_pages(files, 350);
  const auto sound = clip_of(for_two(cache, "", opus));
  check_sendable(*sound);
  ck_assert_msg(std::abs(to_ms(sound->timing.length) - 7000) <= 41, "%g ms", to_ms(sound->timing.length));
  ck_assert_uint_ge(loud_packets(*sound), 349);
  const auto picture = clip_of(for_two(cache, bare_with_rate(files), ""));
  check_length(*picture, 50, 2000);
  ck_assert_uint_ge(loud_packets(*picture), 99);  // a tone
}
GST_END_TEST;

GST_START_TEST(of_each_file_only_its_own_kind_is_taken) {
  const Folder cache, files;
  const std::string both = mkv_h264_opus(files), other = opus_in_long_pages(files, 100);
  const auto replaced = clip_of(for_two(cache, both, other)), own = clip_of(for_two(cache, both, ""));
  check_length(*replaced, 50, 2000);
  gint channels = 0;
  gst_structure_get_int(gst_caps_get_structure(replaced->audio_caps.get(), 0), "channels", &channels);
  ck_assert_int_eq(channels, 2);  // the other's; its own has one
  ck_assert_uint_eq(own->audio.size(), replaced->audio.size());
  ck_assert(bytes_of(own->audio[50].memory.get()) != bytes_of(replaced->audio[50].memory.get()));
  const auto sound_of_both = clip_of(for_two(cache, bare_with_rate(files), both));
  check_length(*sound_of_both, 50, 2000);
  ck_assert(bytes_of(own->audio[50].memory.get()) == bytes_of(sound_of_both->audio[50].memory.get()));
}
GST_END_TEST;

GST_START_TEST(the_cache_knows_both_files_by_their_content) {
  const Folder cache, files;
  const std::string picture = bare_with_b_frames(files);  // encoded, so kept
  const std::string one = opus_in_long_pages(files, 100, "one.opus"), same = files.cut("same.opus", one, 1);
  clip_of(for_two(cache, picture, one));
  ck_assert_uint_eq(cache.names().size(), 1);
  clip_of(for_two(cache, picture, same));
  ck_assert_uint_eq(cache.names().size(), 1);
  clip_of(for_two(cache, picture, ""));
  ck_assert_uint_eq(cache.names().size(), 2);
  const auto before = clip_of(for_two(cache, picture, one));
  opus_in_long_pages(files, 40, "one.opus");  // another content under the name
  const auto after = clip_of(for_two(cache, picture, one));
  ck_assert_uint_eq(cache.names().size(), 3);
  ck_assert(bytes_of(before->audio[60].memory.get()) != bytes_of(after->audio[60].memory.get()));
}
GST_END_TEST;

GST_START_TEST(a_file_that_is_no_good_is_named_with_its_key) {
  const Folder cache, files;
  const std::string picture = bare_with_rate(files), sound = opus_in_long_pages(files, 50);
  const std::pair<std::string, const char *> bad[] = {
      {files.path("none.bin"), "No such file"},
      {files.text("empty.bin", ""), "empty"},
      {files.text("notes.bin", "These are my notes, not a film.\n"), ""},
      {files.text("zeros.bin", std::string(5000, '\0')), ""},
  };
  for (const auto &[path, why] : bad) {
    assert_says(error_of(for_two(cache, path, sound)), "location: " + path, why);
    assert_says(error_of(for_two(cache, picture, path)), "audio-location: " + path, why);
    assert_says(error_of(for_two(cache, "", path)), "audio-location: " + path, why);
  }
  assert_says(error_of(for_two(cache, sound, sound)), "location: " + sound, "has no picture");
  assert_says(error_of(for_two(cache, picture, picture)), "audio-location: " + picture, "has no sound");
  ck_assert_uint_eq(cache.names().size(), 0);
}
GST_END_TEST;

AVC_GST_TESTS("media_two_files", picture_and_sound_come_from_two_files_as_they_are,
              bare_h264_plays_at_the_rate_given_else_its_own_else_30,
              bare_h264_with_b_frames_becomes_pictures_in_order_at_the_right_times, sound_may_be_of_any_kind,
              the_picture_decides_the_length_and_shorter_sound_begins_again,
              either_file_may_be_missing_from_the_request, of_each_file_only_its_own_kind_is_taken,
              the_cache_knows_both_files_by_their_content, a_file_that_is_no_good_is_named_with_its_key)
