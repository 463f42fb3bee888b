// The promises of elements/support: property tables, views of bytes, and the events our elements speak in.
#include "tests/gst_check.hpp"

#include "elements/support/chaos_events.hpp"
#include "elements/support/errors.hpp"
#include "elements/support/mapped.hpp"
#include "elements/support/properties.hpp"

using namespace avc;

namespace {

enum class Pace { slow, fast };

GType pace_type() {
  static const GEnumValue values[] = {{0, "Slowly", "slow"}, {1, "Quickly", "fast"}, {0, nullptr, nullptr}};
  return register_enum("AvcTestPace", values);
}

struct Base {
  double loss_percent = 2.5;
};
struct Settings : Base {
  bool reorder = true;
  gint offset = -1;
  guint kbps = 7;
  guint64 seed = 42;
  std::string context = "c0";
  Pace pace = Pace::fast;
};

const Property<Settings> kProperties[] = {
    {"loss-percent", "Loss", &Settings::loss_percent, 0, 100, kControlled},
    {"reorder", "Reorder", &Settings::reorder},
    {"offset", "Offset", &Settings::offset, -1, 65535},
    {"kbps", "Rate", &Settings::kbps, 0, 1e6},
    {"seed", "Seed", &Settings::seed},
    {"context", "Context", &Settings::context, 0, 0, kReady},
    {"pace", "Pace", choice<Settings, &Settings::pace>(pace_type)},
};

struct TestElement {
  GstElement parent;
  Settings *settings;
};
struct TestElementClass {
  GstElementClass parent;
};
G_DEFINE_TYPE(TestElement, test_element, GST_TYPE_ELEMENT)

TestElement *self(gpointer object) { return reinterpret_cast<TestElement *>(object); }

void test_element_init(TestElement *element) { element->settings = new Settings; }
void test_element_class_init(TestElementClass *klass) {
  auto *object = G_OBJECT_CLASS(klass);
  object->finalize = [](GObject *o) {
    delete self(o)->settings;
    G_OBJECT_CLASS(test_element_parent_class)->finalize(o);
  };
  object->set_property = [](GObject *o, guint id, const GValue *v, GParamSpec *) {
    store(*self(o)->settings, kProperties[id - 1], v);
  };
  object->get_property = [](GObject *o, guint id, GValue *v, GParamSpec *) {
    fetch(*self(o)->settings, kProperties[id - 1], v);
  };
  install(object, kProperties);
}

Ptr<GstElement> new_element() {
  return take(GST_ELEMENT(gst_object_ref_sink(g_object_new(test_element_get_type(), nullptr))));
}

int flags_of(const Ptr<GstEvent> &event) { return gst_event_type_get_flags(GST_EVENT_TYPE(event.get())); }

std::string property_text(GstElement *element, const char *name) {
  GValue value = G_VALUE_INIT;
  g_object_get_property(G_OBJECT(element), name, &value);
  auto text = take(gst_value_serialize(&value));
  g_value_unset(&value);
  return text ? text.get() : "(null)";
}

}  // namespace

GST_START_TEST(defaults_are_those_of_settings) {
  const auto element = new_element();
  const std::pair<const char *, const char *> expected[] = {
      {"loss-percent", "2.5"}, {"reorder", "true"}, {"offset", "-1"}, {"kbps", "7"},
      {"seed", "42"},          {"context", "c0"},   {"pace", "fast"}};
  for (const auto &[name, text] : expected) {
    const auto now = property_text(element.get(), name);
    ck_assert_str_eq(now.c_str(), text);
    GParamSpec *spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element.get()), name);
    auto fallback = take(gst_value_serialize(g_param_spec_get_default_value(spec)));
    ck_assert_str_eq(fallback.get(), text);
  }
}
GST_END_TEST;

GST_START_TEST(every_kind_of_value_is_stored_and_fetched) {
  const auto element = new_element();
  const std::pair<const char *, const char *> values[] = {
      {"loss-percent", "99.5"},         {"reorder", "false"}, {"offset", "65535"}, {"kbps", "1000000"},
      {"seed", "18446744073709551615"}, {"context", "other"}, {"pace", "slow"}};
  for (const auto &[name, text] : values) {
    gst_util_set_object_arg(G_OBJECT(element.get()), name, text);
    const auto now = property_text(element.get(), name);
    ck_assert_str_eq(now.c_str(), text);
  }
  ck_assert(self(element.get())->settings->pace == Pace::slow);
  g_object_set(element.get(), "context", nullptr, nullptr);
  ck_assert(self(element.get())->settings->context.empty());
}
GST_END_TEST;

GST_START_TEST(controlled_properties_say_so) {
  const auto element = new_element();
  auto *klass = G_OBJECT_GET_CLASS(element.get());
  ck_assert(g_object_class_find_property(klass, "loss-percent")->flags & GST_PARAM_CONTROLLABLE);
  ck_assert(!(g_object_class_find_property(klass, "context")->flags & GST_PARAM_CONTROLLABLE));
  ck_assert(g_object_class_find_property(klass, "context")->flags & GST_PARAM_MUTABLE_READY);
}
GST_END_TEST;

GST_START_TEST(a_view_takes_no_reference_and_ends_with_its_scope) {
  auto buffer = take(gst_buffer_new_allocate(nullptr, 4, nullptr));
  {
    MappedBuffer view(buffer.get(), GST_MAP_WRITE);
    ck_assert(static_cast<bool>(view));
    ck_assert_int_eq(GST_MINI_OBJECT_REFCOUNT_VALUE(buffer.get()), 1);
    view.writable_bytes()[2] = 9;
  }
  gst_memory_ref(gst_buffer_peek_memory(buffer.get(), 0));  // shared now: mapping for writing must fail
  auto memory = take(gst_buffer_peek_memory(buffer.get(), 0));
  ck_assert_int_eq(MappedMemory(memory.get()).bytes()[2], 9);
}
GST_END_TEST;

GST_START_TEST(a_view_that_could_not_be_mapped_is_false_and_empty) {
  auto memory = take(gst_memory_new_wrapped(GST_MEMORY_FLAG_READONLY, g_malloc0(4), 4, 0, 4, nullptr, nullptr));
  MappedMemory view(memory.get(), GST_MAP_WRITE);
  ck_assert(!view);
  ck_assert(view.bytes().empty());
  g_free(MappedMemory(memory.get()).writable_bytes().data());
}
GST_END_TEST;

GST_START_TEST(the_front_is_copied_over_memory_borders_without_joining) {
  auto buffer = take(gst_buffer_new());
  for (guint8 i = 0; i < 3; i++) {
    const guint8 bytes[] = {guint8(2 * i), guint8(2 * i + 1)};
    gst_buffer_append_memory(buffer.get(), gst_allocator_alloc(nullptr, 2, nullptr));
    gst_buffer_fill(buffer.get(), 2 * i, bytes, 2);
  }
  std::uint8_t front[5];
  const auto got = copy_front(buffer.get(), front);
  ck_assert_int_eq(got.size(), 5);
  for (int i = 0; i < 5; i++) ck_assert_int_eq(got[i], i);
  ck_assert_int_eq(gst_buffer_n_memory(buffer.get()), 3);
  std::uint8_t more[20];
  ck_assert_int_eq(copy_front(buffer.get(), more).size(), 6);
}
GST_END_TEST;

GST_START_TEST(participants_survive_the_event) {
  const ParticipantInfo info{1001, 1001000, 1001001, 102, 112, 0xFFFFFFFFFFFFFFFFu};
  const auto event = make_event(info);
  ck_assert(flags_of(event) & GST_EVENT_TYPE_STICKY && flags_of(event) & GST_EVENT_TYPE_DOWNSTREAM);
  ck_assert(parse_participant(event.get()) == info);
  ck_assert(!parse_spike_start(event.get()) && !parse_spike_end(event.get()));
}
GST_END_TEST;

GST_START_TEST(spikes_survive_the_event_both_ways) {
  const SpikeStart start{"a", "rtp_packet_loss", 5, 9, {{"loss_percent", 12.5}, {"pattern", std::string("burst")}}};
  for (const auto direction : {Direction::downstream, Direction::upstream}) {
    const auto event = make_event(start, direction);
    const bool down = direction == Direction::downstream;
    ck_assert(bool(flags_of(event) & GST_EVENT_TYPE_DOWNSTREAM) == down);
    ck_assert(!down || flags_of(event) & GST_EVENT_TYPE_SERIALIZED);
    const auto read = parse_spike_start(event.get());
    ck_assert(read && read->id == "a" && read->type == "rtp_packet_loss" && read->start == 5 && read->end == 9);
    ck_assert(read->params == start.params);
    const auto end = make_event(SpikeEnd{"a", 9}, direction);
    const auto over = parse_spike_end(end.get());
    ck_assert(over && over->id == "a" && over->at == 9);
  }
}
GST_END_TEST;

GST_START_TEST(foreign_events_are_not_ours) {
  const auto eos = take(gst_event_new_eos());
  const auto other = take(gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, gst_structure_new_empty("other")));
  for (GstEvent *event : {eos.get(), other.get()}) {
    ck_assert(!parse_participant(event) && !parse_spike_start(event) && !parse_spike_end(event));
  }
  const auto empty = take(gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, gst_structure_new_empty(kSpikeStartEvent)));
  ck_assert(!parse_spike_start(empty.get()));
}
GST_END_TEST;

GST_START_TEST(a_spike_structure_names_the_field_at_fault) {
  const std::pair<const char *, const char *> rows[] = {
      {"s, type=(string)x", "spike-id"},
      {"s, spike-id=(string)a", "type"},
      {"s, spike-id=(string)a, type=(string)x, start=(double)-1", "start"},
      {"s, spike-id=(string)a, type=(string)x, end=(string)soon", "end"},
      {"s, spike-id=(string)a, type=(string)x, duration=(int)-5", "duration"},
      {"s, spike-id=(string)a, type=(string)x, params=(int)5", "params"},
      {"s, spike-id=(string)a, type=(string)x, params=(structure)[p, l=(fraction)1/2, m=(structure)[q]]", "params.m"},
  };
  for (const auto &[text, field] : rows) {
    const auto structure = take(gst_structure_new_from_string(text));
    const auto spike = spike_from_structure(structure.get(), 0);
    ck_assert_msg(!spike, "%s", text);
    ck_assert_str_eq(spike.error().field.c_str(), field);
  }
}
GST_END_TEST;

GST_START_TEST(a_spike_structure_may_leave_times_out) {
  const auto structure = take(gst_structure_new_from_string(
      "s, spike-id=(string)a, type=(string)x, duration=(int)50, params=(structure)[p, n=(int)3, t=(string)\"4\"]"));
  const auto spike = spike_from_structure(structure.get(), 100);
  ck_assert(static_cast<bool>(spike));
  ck_assert(spike->start == 100 && spike->end == 150);
  ck_assert(spike->params == (spike::Params{{"n", 3.0}, {"t", std::string("4")}}));
}
GST_END_TEST;

GST_START_TEST(reports_survive_the_message) {
  const auto element = new_element();
  for (const auto state : {SpikeState::started, SpikeState::ended, SpikeState::refused, SpikeState::cancelled}) {
    const auto message = make_message(GST_OBJECT(element.get()), {"a", "t", state, "why", 7, 1001});
    const auto report = parse_spike_report(message.get());
    ck_assert(report && report->id == "a" && report->type == "t" && report->state == state);
    ck_assert(report->reason == "why" && report->running_time == 7 && report->participant_id == 1001);
  }
}
GST_END_TEST;

GST_START_TEST(faults_reach_the_bus_with_field_and_detail) {
  const auto element = new_element();
  const auto bus = take(gst_bus_new());
  gst_element_set_bus(element.get(), bus.get());
  post_error(element.get(), Fault::settings, {"loss-percent", "is wrong"}, "detail");
  const auto message = take(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR));
  ck_assert(message != nullptr);
  GError *error = nullptr;
  gchar *detail = nullptr;
  gst_message_parse_error(message.get(), &error, &detail);
  ck_assert(g_error_matches(error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS));
  ck_assert_str_eq(error->message, "loss-percent: is wrong");
  ck_assert(strstr(detail, "detail") != nullptr);
  g_error_free(error);
  g_free(detail);
  gst_element_set_bus(element.get(), nullptr);
}
GST_END_TEST;

AVC_GST_TESTS("support", defaults_are_those_of_settings, every_kind_of_value_is_stored_and_fetched,
              controlled_properties_say_so, a_view_takes_no_reference_and_ends_with_its_scope,
              a_view_that_could_not_be_mapped_is_false_and_empty,
              the_front_is_copied_over_memory_borders_without_joining, participants_survive_the_event,
              spikes_survive_the_event_both_ways, foreign_events_are_not_ours,
              a_spike_structure_names_the_field_at_fault, a_spike_structure_may_leave_times_out,
              reports_survive_the_message, faults_reach_the_bus_with_field_and_detail)
