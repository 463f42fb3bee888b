// Every text in pipelines/ parses with its defaults; each also plays for a moment and stops without an error.
#include "tests/gst_check.hpp"

namespace {

struct Text {
  std::string name, pipeline;
};

Text read(const std::string &name) {
  std::ifstream file(std::string(AVC_PIPELINES) + "/" + name);
  fail_unless(file.good(), "no %s", name.c_str());
  std::map<std::string, std::string, std::greater<>> defaults;  // longest name of a common prefix first
  std::string body;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("#")) {
      body += line + " ";
      continue;
    }
    const auto equals = line.find('=');
    if (equals == std::string::npos || line.find(' ', 2) < equals) continue;
    const auto end = line.find(' ', equals);
    defaults[line.substr(2, equals - 2)] =
        line.substr(equals + 1, end == std::string::npos ? end : end - equals - 1);
  }
  for (const auto &[variable, value] : defaults) {
    const std::string wanted = "$" + variable;
    const std::string actual = value == "autovideosink" ? "fakesink" : value;
    for (auto at = body.find(wanted); at != std::string::npos; at = body.find(wanted, at + actual.size())) {
      body.replace(at, wanted.size(), actual);
    }
  }
  fail_unless(body.find('$') == std::string::npos, "%s has a variable without a default: %s", name.c_str(),
              body.c_str());
  return {name, body};
}

constexpr const char *kTexts[] = {"participant_udp.launch", "stock_sender.launch", "loopback_degrade.launch",
                                  "receiver.launch"};

void plays(const Text &text) {
  GError *error = nullptr;
  auto *pipeline = gst_parse_launch(text.pipeline.c_str(), &error);
  fail_unless(pipeline && !error, "%s: %s", text.name.c_str(), error ? error->message : "");
  fail_unless(gst_element_set_state(pipeline, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE);
  const auto bus = avc::take(gst_element_get_bus(pipeline));
  // Until the clip is prepared and a second of it has run; an error ends it at once.
  auto message = avc::take(gst_bus_timed_pop_filtered(bus.get(), 2 * GST_SECOND, GST_MESSAGE_ERROR));
  if (message) {
    gchar *debug = nullptr;
    gst_message_parse_error(message.get(), &error, &debug);
    ck_abort_msg("%s: %s (%s)", text.name.c_str(), error->message, debug);
  }
  fail_unless_equals_int(gst_element_set_state(pipeline, GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
  gst_object_unref(pipeline);
}

}  // namespace

GST_START_TEST(every_text_is_known_here) {
  auto *folder = g_dir_open(AVC_PIPELINES, 0, nullptr);
  unsigned found = 0;
  while (const auto *name = g_dir_read_name(folder)) found += g_str_has_suffix(name, ".launch") ? 1 : 0;
  g_dir_close(folder);
  fail_unless_equals_int(found, std::size(kTexts));
}
GST_END_TEST;

GST_START_TEST(every_text_parses_and_plays) {
  for (const auto *name : kTexts) plays(read(name));
}
GST_END_TEST;

AVC_GST_TESTS("launch_texts", every_text_is_known_here, every_text_parses_and_plays)
