#include "launcher/session/participant_bin.hpp"

#include "tests/check.hpp"

namespace {

// What a pipeline's bus has of a bin, taken over, whose one stream begins, says a word, and ends.
std::string told_by(GstElement *bin) {
  GstElement *pipeline = gst_pipeline_new(nullptr), *source = gst_element_factory_make("fakesrc", nullptr);
  GstElement *sink = gst_element_factory_make("fakesink", nullptr);
  g_object_set(source, "num-buffers", 1, nullptr);
  gst_bin_add_many(GST_BIN(bin), source, sink, nullptr);
  gst_element_link(source, sink);
  gst_bin_add(GST_BIN(pipeline), bin);
  GstBus *bus = gst_element_get_bus(pipeline);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  gst_element_post_message(source, gst_message_new_application(GST_OBJECT(source), gst_structure_new_empty("word")));
  constexpr auto kTypes = static_cast<GstMessageType>(GST_MESSAGE_STREAM_START | GST_MESSAGE_EOS |
                                                      GST_MESSAGE_APPLICATION | GST_MESSAGE_ERROR);
  std::map<std::string, int> told;
  while (GstMessage *message = gst_bus_timed_pop_filtered(bus, GST_SECOND / 2, kTypes)) {
    ++told[GST_MESSAGE_TYPE_NAME(message)];
    gst_message_unref(message);
  }
  gst_object_unref(bus);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
  std::string text;
  for (const auto &[type, count] : told) text += (text.empty() ? "" : " ") + type;
  return text;
}

}  // namespace

START_TEST(streams_that_begin_and_end_stay_in_the_bin_and_all_else_comes_out) {
  avc_assert_text(told_by(gst_bin_new("a")), "application eos stream-start");  // what any other bin does
  avc_assert_text(told_by(avc::session::new_participant_bin("b")), "application");
}
END_TEST

START_TEST(it_has_its_name_and_belongs_to_whoever_takes_it) {
  GstElement *bin = avc::session::new_participant_bin("participant-1001");
  ck_assert(g_object_is_floating(bin));
  gst_object_ref_sink(bin);
  avc_assert_text(GST_OBJECT_NAME(bin), "participant-1001");
  ck_assert_int_eq(GST_OBJECT_REFCOUNT_VALUE(bin), 1);
  gst_object_unref(bin);
}
END_TEST

int main() {
  gst_init(nullptr, nullptr);
  return avc::test::run("participant_bin", {streams_that_begin_and_end_stay_in_the_bin_and_all_else_comes_out,
                                            it_has_its_name_and_belongs_to_whoever_takes_it});
}
