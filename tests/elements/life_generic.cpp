// What GStreamer asks of every element, of ours: all ways through the states, properties of any valid value at any
// time, and nothing left behind. Values follow from seeds.
#include <set>

#include "core/random.hpp"
#include "tests/elements/rtp_packets.hpp"

using namespace avc;
using namespace avc::test;

namespace {

constexpr const char *kElements[] = {"avchaossrc",    "participanttagger", "spikescheduler",
                                     "chaosdegrader", "avchaosudpsink",    "rtpqualityprobe"};

// Not by chance: files, hosts and ports that may be somebody's; and the picture's size, which would only cost time.
const std::set<std::string> kLeftAlone = {"name",           "parent",       "location",         "host",
                                          "port",           "rtcp-port",    "bind-address",     "bind-port",
                                          "socket",         "decision-log", "replay-log",       "link-trace",
                                          "width",          "height",       "profile-location", "schedule-location",
                                          "multicast-iface"};

Ptr<GstElement> make(const char *factory) {
  auto *element = gst_element_factory_make(factory, nullptr);
  ck_assert_msg(element, "no %s", factory);
  return take(GST_ELEMENT(gst_object_ref_sink(element)));
}

void change(GstElement *element, GstState to, const char *what) {
  ck_assert_msg(gst_element_set_state(element, to) != GST_STATE_CHANGE_FAILURE, "%s to %s", what,
                gst_element_state_get_name(to));
}

struct Value {
  GValue value = G_VALUE_INIT;
  explicit Value(GType type) { g_value_init(&value, type); }
  ~Value() { g_value_unset(&value); }
  Value(const Value &) = delete;
  Value &operator=(const Value &) = delete;
};

// Either end, or between them; near the lower end as often as anywhere, where most values make sense.
double between(Draws &draws, double low, double high) {
  switch (draws.below(5)) {
    case 0:
      return low;
    case 1:
      return high;
    case 2:
      return draws.uniform(low, high);
    default:
      return std::min(high, low + draws.uniform(0, 100));
  }
}

// False for what cannot be set by chance.
bool set_at_random(GObject *object, GParamSpec *spec, Draws &draws) {
  if (!(spec->flags & G_PARAM_WRITABLE) || kLeftAlone.contains(spec->name)) return false;
  Value v(spec->value_type);
  GValue *value = &v.value;
  if (G_IS_PARAM_SPEC_BOOLEAN(spec)) {
    g_value_set_boolean(value, draws.chance(50));
  } else if (G_IS_PARAM_SPEC_DOUBLE(spec)) {
    auto *d = G_PARAM_SPEC_DOUBLE(spec);
    g_value_set_double(value, between(draws, d->minimum, d->maximum));
  } else if (G_IS_PARAM_SPEC_INT(spec)) {
    auto *i = G_PARAM_SPEC_INT(spec);
    g_value_set_int(value, static_cast<gint>(between(draws, i->minimum, i->maximum)));
  } else if (G_IS_PARAM_SPEC_UINT(spec)) {
    auto *u = G_PARAM_SPEC_UINT(spec);
    g_value_set_uint(value, static_cast<guint>(between(draws, u->minimum, u->maximum)));
  } else if (G_IS_PARAM_SPEC_UINT64(spec)) {
    auto *u = G_PARAM_SPEC_UINT64(spec);
    g_value_set_uint64(value, static_cast<guint64>(between(draws, static_cast<double>(u->minimum),
                                                           std::min(static_cast<double>(u->maximum), 1e18))));
  } else if (G_IS_PARAM_SPEC_ENUM(spec)) {
    auto *values = G_PARAM_SPEC_ENUM(spec)->enum_class;
    g_value_set_enum(value, values->values[draws.below(values->n_values)].value);
  } else if (G_IS_PARAM_SPEC_FLAGS(spec)) {
    g_value_set_flags(value, static_cast<guint>(draws.below(256)) & G_PARAM_SPEC_FLAGS(spec)->flags_class->mask);
  } else {
    return false;
  }
  g_object_set_property(object, spec->name, value);
  return true;
}

struct Properties {
  explicit Properties(GstElement *element)
      : specs(g_object_class_list_properties(G_OBJECT_GET_CLASS(element), &count)) {}
  ~Properties() { g_free(specs); }
  Properties(const Properties &) = delete;
  Properties &operator=(const Properties &) = delete;
  guint count = 0;
  GParamSpec **specs;
};

void read_all(GstElement *element) {
  const Properties properties(element);
  for (guint i = 0; i < properties.count; i++) {
    if (!(properties.specs[i]->flags & G_PARAM_READABLE)) continue;
    const Value value(properties.specs[i]->value_type);
    g_object_get_property(G_OBJECT(element), properties.specs[i]->name, const_cast<GValue *>(&value.value));
  }
}

}  // namespace

GST_START_TEST(every_element_goes_through_all_states_again_and_again) {
  constexpr GstState kWays[][6] = {
      {GST_STATE_READY, GST_STATE_NULL, GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_READY, GST_STATE_NULL},
      {GST_STATE_PAUSED, GST_STATE_PLAYING, GST_STATE_PAUSED, GST_STATE_PLAYING, GST_STATE_READY, GST_STATE_NULL},
      {GST_STATE_PLAYING, GST_STATE_NULL, GST_STATE_PLAYING, GST_STATE_PAUSED, GST_STATE_NULL, GST_STATE_NULL},
  };
  for (const char *factory : kElements) {
    const auto element = make(factory);
    for (const auto &way : kWays) {
      for (const GstState to : way) change(element.get(), to, factory);
    }
    ck_assert_int_eq(GST_OBJECT_REFCOUNT_VALUE(element.get()), 1);
  }
}
GST_END_TEST;

GST_START_TEST(no_element_outlives_its_last_user) {
  for (const char *factory : kElements) {
    auto element = make(factory);
    gboolean gone = FALSE;
    g_object_weak_ref(
        G_OBJECT(element.get()), [](gpointer told, GObject *) { *static_cast<gboolean *>(told) = TRUE; }, &gone);
    change(element.get(), GST_STATE_PLAYING, factory);
    change(element.get(), GST_STATE_NULL, factory);
    element.reset();
    ck_assert_msg(gone, "%s is still there", factory);
  }
}
GST_END_TEST;

GST_START_TEST(defaults_are_what_the_properties_say) {
  for (const char *factory : kElements) {
    const auto element = make(factory);
    const Properties properties(element.get());
    for (guint i = 0; i < properties.count; i++) {
      auto *spec = properties.specs[i];
      const auto both = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_WRITABLE);
      if ((spec->flags & both) != both || g_str_equal(spec->name, "name")) continue;
      const Value value(spec->value_type);
      g_object_get_property(G_OBJECT(element.get()), spec->name, const_cast<GValue *>(&value.value));
      ck_assert_msg(g_param_value_defaults(spec, const_cast<GValue *>(&value.value)), "%s %s", factory, spec->name);
    }
  }
}
GST_END_TEST;

// Refused combinations are told on the bus and change nothing; whatever is accepted must be lived with.
GST_START_TEST(any_valid_value_may_be_set_while_packets_pass) {
  const auto pipeline = take(GST_ELEMENT(gst_object_ref_sink(gst_parse_launch(
      "avchaossrc name=s width=64 height=64 fps=30 s.rtp ! participanttagger ! spikescheduler ! chaosdegrader ! "
      "rtpqualityprobe ! avchaosudpsink host=127.0.0.1 port=9",
      nullptr))));
  change(pipeline.get(), GST_STATE_PLAYING, "pipeline");
  std::vector<Ptr<GstElement>> members;
  for (GList *each = GST_BIN_CHILDREN(pipeline.get()); each; each = each->next) {
    members.push_back(take(GST_ELEMENT(gst_object_ref(each->data))));
  }
  const auto source = take(gst_bin_get_by_name(GST_BIN(pipeline.get()), "s"));
  while (stat(source.get(), "packets-sent") == 0) std::this_thread::yield();
  Draws draws(2026, 0);
  int set = 0;
  for (int step = 0; step < 4000; step++) {
    auto *element = members[draws.below(members.size())].get();
    const Properties properties(element);
    set += set_at_random(G_OBJECT(element), properties.specs[draws.below(properties.count)], draws);
    if (step % 50 == 0) read_all(element);
    if (step % 500 == 499) {  // what may be changed in READY only is used now
      change(pipeline.get(), GST_STATE_READY, "pipeline");
      change(pipeline.get(), GST_STATE_PLAYING, "pipeline");
    }
  }
  ck_assert_int_gt(set, 1000);
  change(pipeline.get(), GST_STATE_NULL, "pipeline");
}
GST_END_TEST;

// An element that stops shuts its way out first; upstream may just then begin.
GST_START_TEST(what_an_element_about_to_stop_does_not_take_is_no_error) {
  for (const char *factory : {"participanttagger", "spikescheduler", "chaosdegrader", "rtpqualityprobe"}) {
    const auto h = harness_of(factory);
    const auto src = take(gst_element_get_static_pad(h->element, "src"));
    gst_pad_set_active(src.get(), FALSE);
    gst_harness_set_src_caps_str(h.get(), "application/x-rtp");
    const auto flow = gst_harness_push(h.get(), give(packet_of({})));
    ck_assert_msg(flow == GST_FLOW_FLUSHING, "%s: %s", factory, gst_flow_get_name(flow));
  }
}
GST_END_TEST;

AVC_GST_TESTS("life_generic", every_element_goes_through_all_states_again_and_again, no_element_outlives_its_last_user,
              defaults_are_what_the_properties_say, any_valid_value_may_be_set_while_packets_pass,
              what_an_element_about_to_stop_does_not_take_is_no_error)
