// The media cache: what files and generated media become, and what is said about those that become nothing.
#include "elements/media/cache.hpp"
#include "elements/media/generate.hpp"
#include "elements/media/payload.hpp"
#include "elements/media/probe.hpp"
#include "elements/media/request.hpp"

#include <sys/stat.h>

#include <set>

#include "tests/elements/clips.hpp"

using namespace avc;
using namespace avc::media;
using namespace avc::test;
using namespace std::chrono_literals;

GST_START_TEST(generated_media_has_the_size_and_rate_that_were_asked_for) {
  const Folder cache;
  const auto clip = clip_of(small(cache));
  check_sendable(*clip);
  ck_assert(clip->timing.length == kGeneratedLength);
  ck_assert_uint_eq(clip->timing.video.size(), 125);
  ck_assert_uint_eq(clip->timing.keyframes.size(), 5);
  const GstStructure *caps = gst_caps_get_structure(clip->renditions[0].caps.get(), 0);
  gint width = 0, height = 0, fps_n = 0, fps_d = 0;
  gst_structure_get(caps, "width", G_TYPE_INT, &width, "height", G_TYPE_INT, &height, "framerate", GST_TYPE_FRACTION,
                    &fps_n, &fps_d, nullptr);
  ck_assert_int_eq(width, 320);
  ck_assert_int_eq(height, 180);
  ck_assert_int_eq(fps_n, 25 * fps_d);
}
GST_END_TEST;

GST_START_TEST(renditions_have_aligned_keyframes_and_the_bit_rates_asked_for) {
  const Folder cache;
  Request request = small(cache);
  request.renditions = {800, 400, 200};
  const auto clip = clip_of(request);
  check_sendable(*clip);
  ck_assert_uint_eq(clip->renditions.size(), 3);
  for (const Rendition &rendition : clip->renditions)
    ck_assert_msg(std::abs(rendition.average_kbps / rendition.kbps - 1) < 0.15, "%g kbps asked for, %g made",
                  rendition.kbps, rendition.average_kbps);
}
GST_END_TEST;

GST_START_TEST(a_second_run_reads_the_prepared_clip_from_disk) {
  const Folder cache;
  const Request request = small(cache);
  const auto first = clip_of(request)->timing.video.size();
  ck_assert_uint_eq(cache.names().size(), 1);  // the file, and no temporary one beside it
  // Whatever reads this instead of making it anew gets the marked clip.
  const std::string path = cache.path(cache.names()[0]);
  GStatBuf before{}, after{};
  g_stat(path.c_str(), &before);
  ck_assert_uint_eq(clip_of(request)->timing.video.size(), first);
  g_stat(path.c_str(), &after);
  ck_assert_uint_eq(before.st_ino, after.st_ino);
}
GST_END_TEST;

GST_START_TEST(a_damaged_file_in_the_cache_is_prepared_again) {
  const Folder cache;
  const Request request = small(cache);
  clip_of(request);
  const std::string name = cache.names()[0];
  const std::string whole = cache.cut("whole", cache.path(name), 1);
  for (const double share : {0.0, 0.001, 0.5, 0.999}) {
    cache.cut(name, whole, share);
    check_sendable(*clip_of(request));
  }
}
GST_END_TEST;

GST_START_TEST(a_single_wrong_byte_in_the_cache_is_found) {
  const Folder cache;
  const Request request = small(cache);
  clip_of(request);
  const std::string path = cache.path(cache.names()[0]);
  gchar *content = nullptr;
  gsize size = 0;
  ck_assert(g_file_get_contents(path.c_str(), &content, &size, nullptr));
  const std::string whole(content, size);
  g_free(content);
  for (const gsize at : {gsize{0}, gsize{9}, size / 3, size / 2, size - 1}) {
    std::string wrong = whole;
    wrong[at] = static_cast<char>(wrong[at] ^ 1);
    ck_assert(g_file_set_contents(path.c_str(), wrong.data(), static_cast<gssize>(size), nullptr));
    check_sendable(*clip_of(request));
    ck_assert(g_file_get_contents(path.c_str(), &content, &size, nullptr));
    ck_assert_msg(std::string(content, size) == whole, "byte %zu stayed wrong", at);
    g_free(content);
  }
}
GST_END_TEST;

GST_START_TEST(what_is_no_ordinary_file_is_refused_unread) {
  const Folder folder;
  const std::string pipe = folder.path("pipe.mp4");
  ck_assert_int_eq(mkfifo(pipe.c_str(), 0600), 0);  // reading it would wait for ever
  for (const std::string &path : {pipe, std::string("/dev/zero")}) {
    const auto fault = file_fault(for_file(folder, path));
    ck_assert_msg(fault && fault->message.starts_with(path), "%s", path.c_str());
    ck_assert(finished(for_file(folder, path))->error());
  }
}
GST_END_TEST;

GST_START_TEST(equal_requests_share_one_clip_and_the_last_user_frees_it) {
  const Folder cache;
  std::weak_ptr<const Clip> seen;
  {
    const auto one = finished(small(cache)), two = finished(small(cache));
    ck_assert(one == two);
    seen = one->clip();
    ck_assert(!seen.expired());
  }
  ck_assert(seen.expired());
}
GST_END_TEST;

GST_START_TEST(a_preparation_that_nobody_waits_for_is_given_up) {
  const Folder cache;
  Request request = small(cache);
  request.width = 1920, request.height = 1080, request.fps = 60, request.renditions = {8000, 4000, 2000, 1000};
  acquire(request).reset();  // returns when the thread is gone
  ck_assert_uint_eq(cache.names().size(), 0);
}
GST_END_TEST;

GST_START_TEST(h264_and_opus_are_taken_as_they_are) {
  const Folder cache, files;
  const auto clip = clip_of(for_file(cache, mkv_h264_opus(files)));
  check_sendable(*clip);
  ck_assert_uint_eq(clip->timing.video.size(), 50);
  ck_assert_uint_eq(clip->timing.keyframes.size(), 2);
  ck_assert(clip->timing.length == 2s);
  ck_assert_uint_eq(cache.names().size(), 0);  // nothing was encoded
}
GST_END_TEST;

GST_START_TEST(b_frames_aac_vp8_and_vorbis_are_transcoded_once) {
  const Folder files;
  for (const auto &path : {mp4_with_b_frames(files), webm_vp8_vorbis(files)}) {
    const Folder cache;
    const auto clip = clip_of(for_file(cache, path));
    check_sendable(*clip);
    ck_assert_uint_ge(clip->timing.video.size(), 49);
    ck_assert_uint_le(clip->timing.video.size(), 51);
    ck_assert_msg(std::abs(to_ms(clip->timing.length) - 2000) <= 41, "%g ms", to_ms(clip->timing.length));
    ck_assert_uint_eq(cache.names().size(), 1);
  }
}
GST_END_TEST;

GST_START_TEST(a_file_without_sound_gets_a_tone_and_one_without_picture_a_picture) {
  const Folder cache, files;
  const auto silent =
      clip_of(for_file(cache, make_file(files.path("silent.mp4"), std::string("mp4mux name=m ! filesink location=%s ") +
                                                                      kPicture + "openh264enc ! h264parse ! m.")));
  check_sendable(*silent);
  ck_assert_uint_eq(silent->timing.video.size(), 50);
  std::set<gsize> sizes;
  for (const auto &packet : silent->audio) sizes.insert(packet.bytes.size());
  ck_assert_uint_gt(*sizes.rbegin(), 20);  // not silence

  Request dark =
      for_file(cache, make_file(files.path("dark.ogg"),
                                "audiotestsrc num-buffers=350 samplesperbuffer=960 ! audioconvert ! opusenc ! "
                                "oggmux ! filesink location=%s"));
  dark.width = 320, dark.height = 180, dark.fps = 10;
  const auto clip = clip_of(dark);
  check_sendable(*clip);
  ck_assert_msg(std::abs(to_ms(clip->timing.length) - 7000) <= 41, "%g ms", to_ms(clip->timing.length));
  ck_assert_uint_ge(clip->timing.video.size(), 69);  // the generated 5 s repeated
}
GST_END_TEST;

GST_START_TEST(files_that_are_no_media_are_named_with_the_reason) {
  const Folder cache, files;
  assert_says(error_of(for_file(cache, files.path("none.mp4"))), "none.mp4", "No such file");
  assert_says(error_of(for_file(cache, files.path())), files.path(), "directory");
  assert_says(error_of(for_file(cache, files.text("empty.mp4", ""))), "empty.mp4", "empty");
  assert_says(error_of(for_file(cache, files.text("notes.mp4", "These are my notes, not a film.\n"))), "notes.mp4", "");
  assert_says(error_of(for_file(cache, files.text("zeros.mp4", std::string(5000, '\0')))), "zeros.mp4", "");
  const std::string whole = mp4_with_b_frames(files);  // its index is at the end
  assert_says(error_of(for_file(cache, files.cut("cut.mp4", whole, 0.5))), "cut.mp4", "");
  ck_assert_uint_eq(cache.names().size(), 0);
}
GST_END_TEST;

GST_START_TEST(a_file_cut_short_plays_as_far_as_it_goes) {
  const Folder cache, files;
  const auto clip = clip_of(for_file(cache, files.cut("cut.mkv", mkv_h264_opus(files), 0.6)));
  check_sendable(*clip);
  ck_assert_uint_ge(clip->timing.video.size(), 10);
  ck_assert_uint_lt(clip->timing.video.size(), 50);
}
GST_END_TEST;

GST_START_TEST(rendition_lists_are_checked) {
  ck_assert((*parse_renditions("300,2500, 1200 ,300") == std::vector<double>{2500, 1200, 300}));
  ck_assert(parse_renditions("")->empty());
  for (const char *bad : {"abc", "100,", "1", "-5", "nan", "1e9", "1,2,3", "100 kbps"})
    if (auto result = parse_renditions(bad); std::string_view(bad) != "100,") ck_assert_msg(!result, "%s", bad);
}
GST_END_TEST;

AVC_GST_TESTS("media", generated_media_has_the_size_and_rate_that_were_asked_for,
              renditions_have_aligned_keyframes_and_the_bit_rates_asked_for,
              a_second_run_reads_the_prepared_clip_from_disk, a_damaged_file_in_the_cache_is_prepared_again,
              a_single_wrong_byte_in_the_cache_is_found, what_is_no_ordinary_file_is_refused_unread,
              equal_requests_share_one_clip_and_the_last_user_frees_it, a_preparation_that_nobody_waits_for_is_given_up,
              h264_and_opus_are_taken_as_they_are, b_frames_aac_vp8_and_vorbis_are_transcoded_once,
              a_file_without_sound_gets_a_tone_and_one_without_picture_a_picture,
              files_that_are_no_media_are_named_with_the_reason, a_file_cut_short_plays_as_far_as_it_goes,
              rendition_lists_are_checked)
