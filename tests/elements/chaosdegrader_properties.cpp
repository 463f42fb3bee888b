// chaosdegrader's properties: what they are called, what they mean when they change, and what is refused.
#include "tests/elements/degrader_bench.hpp"

#include <gst/controller/gstdirectcontrolbinding.h>
#include <gst/controller/gstinterpolationcontrolsource.h>

#include "core/net/profiles.hpp"
#include "core/net/settings.hpp"

using namespace avc;
using namespace avc::test;

namespace {

void set(GstElement *element, const char *property, const char *text) {
  gst_util_set_object_arg(G_OBJECT(element), property, text);
}

std::string only_warning(const PadBench &bench) {
  const auto warnings = warnings_on(bench.bus.get());
  ck_assert_msg(warnings.size() == 1, "%zu warnings", warnings.size());
  return warnings.front();
}

void write(const TempFile &file, const std::string &text) { std::ofstream(file.path) << text; }

GParamSpec *spec(GstElement *element, const std::string &name) {
  return g_object_class_find_property(G_OBJECT_GET_CLASS(element), name.c_str());
}

}  // namespace

GST_START_TEST(every_setting_of_a_link_is_a_property_with_its_range_and_default) {
  Bench b("");
  for (const net::Setting &setting : net::settings()) {
    std::string name(setting.name);
    std::ranges::replace(name, '_', '-');
    GParamSpec *property = spec(b.element(), name);
    ck_assert_msg(property != nullptr, "no property %s", name.c_str());
    ck_assert(property->flags & GST_PARAM_MUTABLE_PLAYING);
    if (!setting.is_number()) continue;
    ck_assert_msg(property->flags & GST_PARAM_CONTROLLABLE, "%s cannot be controlled", name.c_str());
    if (!G_IS_PARAM_SPEC_DOUBLE(property)) continue;
    const auto *number = G_PARAM_SPEC_DOUBLE(property);
    ck_assert(number->minimum == (setting.minus_one ? -1 : setting.low));
    ck_assert(number->maximum == setting.high);
    ck_assert(number->default_value == setting.get(net::Impairment{}));
  }
}
GST_END_TEST;

// Every word and a number for every property comes back as it was set.
GST_START_TEST(what_is_set_can_be_read) {
  Bench b("slot-max-ms=3600000 loss-pattern=01 delay-table=5");
  for (const net::Setting &setting : net::settings()) {
    std::string name(setting.name);
    std::ranges::replace(name, '_', '-');
    if (name == "slot-max-ms" || name == "slot-delay-ms" || name == "trace-once") continue;  // or they contradict
    if (setting.words.empty()) {
      set(b.element(), name.c_str(), "2");
      ck_assert_msg(std::stod(text_of(b.element(), name.c_str())) == 2, "%s", name.c_str());
      continue;
    }
    for (const auto word : setting.words) {
      set(b.element(), name.c_str(), std::string(word).c_str());
      expect_text(text_of(b.element(), name.c_str()), std::string(word));
    }
  }
  ck_assert(warnings_on(b.bus.get()).empty());
}
GST_END_TEST;

GST_START_TEST(bad_values_are_refused_with_name_and_range) {
  const struct {
    const char *property, *value, *told, *stays;
  } rows[] = {
      {"loss-percent", "150", "loss-percent: 150 is not accepted; it must be 0 to 100 percent", "20"},
      {"loss-percent", "-1", "loss-percent: -1 is not accepted; it must be 0 to 100 percent", "20"},
      {"loss-percent", "nan", "loss-percent: nan is not accepted", "20"},
      {"ge-r", "-0.5", "ge-r: -0.5 is not accepted; it must be 0 to 100 or -1 percent", "-1"},
      {"burst-length", "0.5", "burst-length: 0.5 is not accepted; it must be 1 to 1000000 packets", "4"},
      {"delay-ms", "1e300", "delay-ms: ", "10"},
      {"packet-overhead", "65536", "packet-overhead: 65536 is not accepted; it must be -65535 to 65535 bytes", "28"},
      {"slot-bytes", "2000000000000000", "slot-bytes: ", "0"},
      {"codel-target-ms", "0", "codel-target-ms: 0 is not accepted; it must be 0.001 to 10000 ms", "5"},
      {"loss-pattern", "0120", "loss-pattern: digit 3 is neither 0 (passes) nor 1 (lost)", ""},
      {"link-trace", "/nonexistent/trace", "link-trace: \"/nonexistent/trace\" is neither a file nor a built-in", ""},
      {"link-trace", "lte", "link-trace: contradicts bandwidth-kbps", ""},
      {"profile", "lte-movin", "profile: unknown profile \"lte-movin\"; did you mean \"lte-moving\"?", ""},
      {"markov-p14", "91", "markov-p14: markov-p13 and markov-p14 are more than 100 percent together", "0"},
      {"markov-p32", "11", "markov-p32: markov-p31 and markov-p32 are more than 100 percent together", "0"},
      {"slot-min-ms", "5", "slot-min-ms: 5 is above slot-max-ms, 0", "0"},
      {"loss-model", "pattern", "loss-pattern: is empty; loss-model pattern needs 1 to 256 digits", "random"},
  };
  Bench b("loss-percent=20 delay-ms=10 bandwidth-kbps=1000 markov-p13=10");
  for (const auto &row : rows) {
    set(b.element(), row.property, row.value);
    const auto told = only_warning(b);
    ck_assert_msg(told.find(row.told) == 0, "%s=%s: %s", row.property, row.value, told.c_str());
    expect_text(text_of(b.element(), row.property), row.stays);
  }
}
GST_END_TEST;

GST_START_TEST(a_refused_value_changes_no_packets_fate) {
  Bench b("loss-percent=30"), plain("loss-percent=30");
  for (std::uint16_t i = 0; i < 200; i++) {
    if (i % 10 == 5) set(b.element(), "loss-percent", "-3");
    if (i % 10 == 6) set(b.element(), "loss-model", "pattern");
    b.push(video(i, ms(i)));
    plain.push(video(i, ms(i)));
  }
  ck_assert(numbers_of(b.out_now()) == numbers_of(plain.out_now()));
}
GST_END_TEST;

GST_START_TEST(the_same_refusal_is_told_once_until_a_good_value_comes) {
  Bench b("");
  for (int i = 0; i < 5; i++) set(b.element(), "loss-percent", "101");
  (void)only_warning(b);
  set(b.element(), "loss-percent", "5");
  set(b.element(), "loss-percent", "101");
  (void)only_warning(b);
}
GST_END_TEST;

// Before the start nobody may be listening, and properties come in any order.
GST_START_TEST(what_was_refused_before_the_start_is_told_at_the_start) {
  Bench b(
      "slot-min-ms=5 slot-max-ms=10 loss-percent=200 loss-model=pattern delay-ms=7 bandwidth-kbps=5 link-trace=lte");
  const auto warnings = warnings_on(b.bus.get());
  ck_assert_int_eq(warnings.size(), 3);
  ck_assert(warnings[0].find("loss-percent: 200") == 0);
  const std::string all = warnings[1] + warnings[2];
  ck_assert_msg(all.find("link-trace: contradicts bandwidth-kbps") != std::string::npos, "%s", all.c_str());
  ck_assert_msg(all.find("loss-pattern: is empty") != std::string::npos, "%s", all.c_str());
  expect_text(text_of(b.element(), "loss-model"), "random");
  expect_text(text_of(b.element(), "link-trace"), "");
  expect_text(text_of(b.element(), "slot-min-ms"), "5");
  expect_text(text_of(b.element(), "delay-ms"), "7");
}
GST_END_TEST;

GST_START_TEST(properties_of_one_call_are_judged_together) {
  Bench b("bandwidth-kbps=500");
  g_object_set(b.element(), "link-trace", "wifi", "bandwidth-kbps", 0.0, "slot-min-ms", 2.0, "slot-max-ms", 4.0,
               "loss-model", 4, "loss-pattern", "1", nullptr);
  ck_assert(warnings_on(b.bus.get()).empty());
  expect_text(text_of(b.element(), "link-trace"), "wifi");
  b.push(video(0, 0));
  ck_assert_int_eq(b.stat("dropped-loss"), 1);
}
GST_END_TEST;

GST_START_TEST(a_profile_sets_all_and_later_properties_override_it) {
  Bench b("loss-percent=99 profile=lte-moving delay-ms=70");
  ck_assert(warnings_on(b.bus.get()).empty());
  expect_text(text_of(b.element(), "profile"), "lte-moving");
  expect_text(text_of(b.element(), "link-trace"), "lte");
  expect_text(text_of(b.element(), "loss-model"), "gilbert-elliott");
  expect_text(text_of(b.element(), "ge-p"), "1");
  expect_text(text_of(b.element(), "queue-ms"), "500");
  expect_text(text_of(b.element(), "delay-ms"), "70");
  expect_text(text_of(b.element(), "loss-percent"), "0");
  for (const auto name : net::profile_names()) {
    set(b.element(), "profile", std::string(name).c_str());
    const auto profile = net::profile(name);
    for (const net::Setting &setting : net::settings()) {
      if (!setting.is_number()) continue;
      std::string property(setting.name);
      std::ranges::replace(property, '_', '-');
      ck_assert(std::stod(text_of(b.element(), property.c_str())) == setting.get(*profile));
    }
  }
}
GST_END_TEST;

GST_START_TEST(gilbert_elliott_is_netems_and_a_burst_length_alone_is_the_simple_gilbert_model) {
  const auto fates = [](const std::string &properties) {
    Bench b(properties);
    for (std::uint16_t i = 0; i < 500; i++) b.push(video(i, ms(i)));
    return numbers_of(b.out_now());
  };
  const auto burst = fates("loss-percent=10 loss-model=burst burst-length=3");
  ck_assert(fates("loss-percent=10 burst-length=3") == burst);
  ck_assert(fates("loss-percent=10 loss-model=gilbert-elliott burst-length=3") == burst);
  ck_assert(fates("loss-percent=10 loss-model=random burst-length=3") != burst);
  ck_assert(fates("loss-model=gilbert-elliott ge-p=100 ge-r=0").empty());
  ck_assert_int_eq(fates("loss-model=gilbert-elliott ge-p=100 ge-r=0 ge-h=0").size(), 500);
  ck_assert(fates("loss-model=gilbert-elliott ge-k=100 ge-h=0").empty());
}
GST_END_TEST;

GST_START_TEST(a_controller_drives_a_property_from_packet_to_packet) {
  Bench b("");
  auto *source = gst_interpolation_control_source_new();
  g_object_set(source, "mode", GST_INTERPOLATION_MODE_NONE, nullptr);
  auto *points = GST_TIMED_VALUE_CONTROL_SOURCE(source);
  gst_timed_value_control_source_set(points, 0, 0);
  gst_timed_value_control_source_set(points, ms(10), 1);  // the whole range: 100 percent
  gst_timed_value_control_source_set(points, ms(20), 0);
  gst_object_add_control_binding(GST_OBJECT(b.element()),
                                 gst_direct_control_binding_new(GST_OBJECT(b.element()), "loss-percent", source));
  gst_object_unref(source);
  for (std::uint16_t i = 0; i < 30; i++) b.push(video(i, ms(i)));
  const auto out = numbers_of(b.out_now());
  ck_assert_int_eq(out.size(), 20);
  ck_assert(std::ranges::none_of(out, [](auto n) { return n >= 10 && n < 20; }));
}
GST_END_TEST;

GST_START_TEST(a_change_while_playing_leaves_packets_under_way_alone) {
  Bench b("delay-ms=50");
  b.push(video(0, 0));
  g_object_set(b.element(), "delay-ms", 10.0, "loss-percent", 100.0, "allow-reordering", TRUE, nullptr);
  b.push(video(1, ms(1)));
  g_object_set(b.element(), "loss-percent", 0.0, nullptr);
  b.push(video(2, ms(2)));
  const auto out = numbers_of(b.play_out(2));
  ck_assert(out == (std::vector<std::uint16_t>{2, 0}));
  ck_assert(gst_clock_get_time(b.clock.get()) == ms(50));
}
GST_END_TEST;

GST_START_TEST(a_trace_file_is_the_lines_capacity) {
  const TempFile trace;
  write(trace, "10\n20\n");
  Bench b("packet-overhead=0 trace-offset-ms=0 link-trace=" + trace.path);
  ck_assert(warnings_on(b.bus.get()).empty());
  for (std::uint16_t i = 0; i < 2; i++)
    b.push({{96, false, false, static_cast<std::uint16_t>(65000 + i), 0, kSsrc}, 1488, 0});
  (void)b.play_out(2);
  ck_assert(gst_clock_get_time(b.clock.get()) == ms(20));
  expect_text(text_of(b.element(), "link-trace"), trace.path);
}
GST_END_TEST;

GST_START_TEST(malformed_traces_name_their_line) {
  const struct {
    const char *text, *told;
  } rows[] = {{"", "the trace is empty"},
              {"5\nx\n", "line 2: \"x\" is not a time"},
              {"5\n4\n", "line 2: 4 ms comes after 5 ms"},
              {"0\n", "the trace has no length"}};
  Bench b("delay-ms=1");
  for (const auto &row : rows) {
    const TempFile trace;
    write(trace, row.text);
    set(b.element(), "link-trace", trace.path.c_str());
    const auto told = only_warning(b);
    ck_assert_msg(told.find("link-trace: ") == 0 && told.find(row.told) != std::string::npos, "%s", told.c_str());
    expect_text(text_of(b.element(), "link-trace"), "");
  }
}
GST_END_TEST;

GST_START_TEST(profiles_of_ones_own_file_are_used_by_name) {
  const TempFile trace, file;
  write(trace, "0\n10\n20\n");
  write(file, R"({"office": {"loss-percent": "2", "delay_ms": 30, "burst_length": 3}, // as a scenario says it
    "train": {"profile": "lte-moving", "loss_percentage": 3, "loss_model": "random"},
    "lab": {"link_trace": ")" +
                  trace.path + R"(", "delay_distribution": "table", "delay_table": "0 1 2 3"}})");
  Bench b("delay-ms=99 queue-ms=77 profile-location=" + file.path + " profile=office loss-percent=5");
  const auto expect = [&b](const char *property, const std::string &value) {
    expect_text(text_of(b.element(), property), value);
  };
  expect("profile-location", file.path);
  expect("profile", "office");
  expect("delay-ms", "30");
  expect("loss-model", "burst");
  expect("loss-percent", "5");
  ck_assert(text_of(b.element(), "queue-ms") != "77");  // a profile says everything
  set(b.element(), "profile", "train");
  expect("link-trace", "lte");
  expect("delay-ms", "35");
  expect("loss-percent", "3");
  expect("loss-model", "random");
  set(b.element(), "profile", "lab");
  expect("link-trace", trace.path);
  expect("delay-table", "0 1 2 3");
  expect("delay-distribution", "table");
  set(b.element(), "profile", "3g");  // built-in ones stay
  expect("delay-ms", "250");
  expect("link-trace", "");
  ck_assert(warnings_on(b.bus.get()).empty());
}
GST_END_TEST;

GST_START_TEST(a_faulty_profile_file_is_refused_with_property_and_key_and_the_former_stays) {
  const TempFile good;
  write(good, R"({"office": {"delay_ms": 30}})");
  Bench b("profile-location=" + good.path);
  const struct {
    const char *text, *told;
  } rows[] = {
      {R"({"office": {"loss_percent": 101}})",
       ": office.loss_percent: 101 is not accepted; it must be 0 to 100 percent"},
      {R"({"a": {"dely_ms": 1}, "b": {"queue_ms": -2}})", "; b.queue_ms: -2 is not accepted"},
      {R"({"a": {"dely_ms": 1}})", ": a.dely_ms: "},
      {R"({"3g": {"delay_ms": 1}})", ": 3g: is the name of a built-in profile; choose another"},
      {R"({"a": {"link_trace": "/nonexistent/trace"}})",
       ": a.link_trace: \"/nonexistent/trace\" is neither a file nor"},
      {R"({"a": {"profile": "ofice"}})", ": a.profile: \"ofice\" is not accepted; it must be wifi or "},
      {R"({"a": 5})", ": a: "},
      {R"(["a"])", ": "},
      {"{", ": "},
  };
  for (const auto &row : rows) {
    const TempFile file;
    write(file, row.text);
    set(b.element(), "profile-location", file.path.c_str());
    const auto told = only_warning(b);
    ck_assert_msg(told.starts_with("profile-location: \"" + file.path + "\": "), "%s", told.c_str());
    ck_assert_msg(told.find(row.told) != std::string::npos, "%s", told.c_str());
    expect_text(text_of(b.element(), "profile-location"), good.path);
  }
  set(b.element(), "profile-location", "/nonexistent/profiles");
  expect_text(only_warning(b), "profile-location: \"/nonexistent/profiles\" is no file");
  set(b.element(), "profile", "offise");
  ck_assert(only_warning(b).find("profile: unknown profile \"offise\"; did you mean \"office\"?") == 0);
  set(b.element(), "profile", "office");
  expect_text(text_of(b.element(), "delay-ms"), "30");
}
GST_END_TEST;

AVC_GST_TESTS("chaosdegrader_properties", every_setting_of_a_link_is_a_property_with_its_range_and_default,
              what_is_set_can_be_read, bad_values_are_refused_with_name_and_range,
              a_refused_value_changes_no_packets_fate, the_same_refusal_is_told_once_until_a_good_value_comes,
              what_was_refused_before_the_start_is_told_at_the_start, properties_of_one_call_are_judged_together,
              a_profile_sets_all_and_later_properties_override_it,
              gilbert_elliott_is_netems_and_a_burst_length_alone_is_the_simple_gilbert_model,
              a_controller_drives_a_property_from_packet_to_packet,
              a_change_while_playing_leaves_packets_under_way_alone, a_trace_file_is_the_lines_capacity,
              malformed_traces_name_their_line, profiles_of_ones_own_file_are_used_by_name,
              a_faulty_profile_file_is_refused_with_property_and_key_and_the_former_stays)
