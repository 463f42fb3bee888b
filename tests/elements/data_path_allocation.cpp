// The promise behind thousands of participants, kept by the elements together: what goes from a source through tagger
// and degrader to the wire allocates nothing per packet once it flows.
//
// Calls of malloc on context threads are counted, on real time, from one number of packets sent to another. GLib up to
// 2.75 keeps freed structures (buffers, metas) itself; later ones hand them back, and every buffer is a call.
#include <pthread.h>

#include <atomic>
#include <cstring>

#include "core/runtime/context.hpp"
#include "core/runtime/steady_clock.hpp"
#include "tests/elements/media_files.hpp"
#include "tests/elements/sink_bench.hpp"

using namespace avc;
using namespace avc::test;

extern "C" {
void *__libc_malloc(std::size_t size);
void *__libc_calloc(std::size_t count, std::size_t size);
void *__libc_realloc(void *memory, std::size_t size);
}

namespace {

std::atomic<long> g_allocations = 0;

bool is_context() {
  static thread_local int known = -1;
  if (known < 0) {
    char name[16] = "";
    pthread_getname_np(pthread_self(), name, sizeof name);
    if (std::strncmp(name, "avc:", 4) != 0) return false;  // a context may not have its name yet
    known = 1;
  }
  return known == 1;
}

void count() {
  if (!is_context()) return;
  g_allocations.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

extern "C" {
void *malloc(std::size_t size) {
  count();
  return __libc_malloc(size);
}
void *calloc(std::size_t number, std::size_t size) {
  count();
  return __libc_calloc(number, size);
}
void *realloc(void *memory, std::size_t size) {
  count();
  return __libc_realloc(memory, size);
}
}

namespace {

constexpr int kParticipants = 20;

class Flow {
 public:
  // `link` is what stands for the degrader.
  Flow(const std::string &link, unsigned port) {
    std::string text;
    for (int i = 0; i < kParticipants; ++i) {
      const std::string id = std::to_string(1001 + i);
      text += "avchaossrc participant-id=" + id + " context=a ! participanttagger participant-id=" + id + " ! " + link +
              " ! avchaosudpsink name=sink" + std::to_string(i) +
              " context=a host=127.0.0.1 port=" + std::to_string(port) + " ";
    }
    GError *error = nullptr;
    pipeline_ = take(gst_parse_launch(text.c_str(), &error));
    ck_assert_msg(error == nullptr, "%s", error ? error->message : "");
    for (int i = 0; i < kParticipants; ++i)
      sinks_.push_back(take(gst_bin_get_by_name(GST_BIN(pipeline_.get()), ("sink" + std::to_string(i)).c_str())));
    ck_assert_int_ne(gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
  }
  ~Flow() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }

  guint64 sent() const {
    guint64 sum = 0;
    for (const auto &sink : sinks_) sum += stat(sink.get(), "packets-sent");
    return sum;
  }
  void wait_for(guint64 packets) const {
    const auto bus = take(gst_element_get_bus(pipeline_.get()));
    while (sent() < packets) {
      const auto error = take(gst_bus_timed_pop_filtered(bus.get(), 20 * GST_MSECOND, GST_MESSAGE_ERROR));
      ck_assert_msg(error == nullptr, "an error on the bus");
    }
  }

 private:
  Ptr<GstElement> pipeline_;
  std::vector<Ptr<GstElement>> sinks_;
};

// Of 1000 packets each. Sender reports (one a second and stream, refused by the kernel if nobody listens) and what
// grows for the longest queue so far may cost some; one of a hundred packets would be too many.
double allocations_per_packet(const std::string &link) {
  const Port port;
  const Flow flow(link, port.number());
  flow.wait_for(15'000);
  const long before = g_allocations;
  const guint64 from = flow.sent();
  flow.wait_for(from + 15'000);
  return static_cast<double>(g_allocations - before) / static_cast<double>(flow.sent() - from);
}

double bound() { return glib_check_version(2, 76, 0) == nullptr ? 4 : .02; }

}  // namespace

GST_START_TEST(calls_are_counted_on_context_threads_alone) {
  const long before = g_allocations;
  g_free(g_malloc(100));
  ck_assert_int_eq(g_allocations - before, 0);
  auto context = runtime::Context::shared("counted", std::make_shared<runtime::SteadyClock>());
  std::atomic<bool> done = false;
  auto timer = context->make_timer([&] {
    for (int i = 0; i < 10; ++i) g_free(g_malloc(100));
    done = true;
  });
  timer->arm({});
  while (!done) continue;
  ck_assert_int_ge(g_allocations - before, 10);
}
GST_END_TEST

GST_START_TEST(packets_cost_nothing_when_nothing_happens_to_them) {
  const double calls = allocations_per_packet("chaosdegrader");
  ck_assert_msg(calls < bound(), "%g", calls);
}
GST_END_TEST

GST_START_TEST(packets_cost_nothing_when_each_has_its_own_delay) {
  const double calls = allocations_per_packet(
      "chaosdegrader delay-ms=15 jitter-ms=14 delay-distribution=uniform loss-model=burst loss-percent=2 "
      "burst-length=3");
  ck_assert_msg(calls < bound(), "%g", calls);
}
GST_END_TEST

// The packets go as buffers of their own where a stranger stands between us.
GST_START_TEST(packets_cost_nothing_as_buffers) {
  const double calls = allocations_per_packet("chaosdegrader delay-ms=15 ! valve");
  ck_assert_msg(calls < bound(), "%g", calls);
}
GST_END_TEST

AVC_GST_TESTS("data_path_allocation", calls_are_counted_on_context_threads_alone,
              packets_cost_nothing_when_nothing_happens_to_them, packets_cost_nothing_when_each_has_its_own_delay,
              packets_cost_nothing_as_buffers)
