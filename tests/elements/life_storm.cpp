// Whole chains of our elements under load while everything about them changes: states, properties, spikes, members.
// What is checked is that nothing hangs, and that every packet that was made is gone in the end. (Sanitizer builds see
// the rest.) Real time and real threads; which changes are made follows from seeds.
#include <gio/gio.h>

#include <future>

#include "core/random.hpp"
#include "tests/elements/bench.hpp"

using namespace avc;
using namespace avc::test;

namespace {

constexpr const char *kSpikes = R"([{"spike_id": "loss", "type": "rtp_packet_loss", "start_seconds": 0,
  "duration_seconds": 0.004, "params": {"loss_percentage": 50}}, {"spike_id": "late", "type": "network_jitter",
  "start_seconds": 0.002, "duration_seconds": 0.004, "params": {"base_latency_ms": 2, "jitter_std_dev_ms": 1}}])";

// Links that hold, queue, let wait, duplicate and drop.
constexpr const char *kLinks[] = {
    "delay-ms=5 jitter-ms=5 loss-percent=5 allow-reordering=true",
    "bandwidth-kbps=2000 queue-discipline=codel delay-ms=2",
    "bandwidth-kbps=2000 queue-packets=20 queue-discipline=drophead duplicate-percent=10",
    "delay-ms=1 slot-min-ms=2 slot-max-ms=3 corrupt-percent=10",
};

// A port of the loopback's that belongs to us, so that what is sent there disturbs nobody.
class Drain {
 public:
  Drain() {
    socket_ = g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, nullptr);
    auto *any = g_inet_socket_address_new_from_string("127.0.0.1", 0);
    ck_assert(g_socket_bind(socket_, any, FALSE, nullptr));
    g_object_unref(any);
    auto *local = g_socket_get_local_address(socket_, nullptr);
    port_ = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(local));
    g_object_unref(local);
  }
  ~Drain() { g_object_unref(socket_); }
  Drain(const Drain &) = delete;
  Drain &operator=(const Drain &) = delete;
  std::string sink() const {
    const auto port = std::to_string(port_);
    return "avchaosudpsink name=sink host=127.0.0.1 port=" + port + " rtcp-port=" + port;
  }

 private:
  GSocket *socket_;
  guint16 port_ = 0;
};

// A pipeline whose source makes RTP as fast as it is taken, and counts those packets that are alive. No stock element
// is between the source and ours: it would answer what the source begins with by an error while it stops.
class Chain {
 public:
  explicit Chain(const std::string &rest) {
    GError *error = nullptr;
    const auto text =
        "fakesrc name=src is-live=true do-timestamp=true format=time sizetype=fixed sizemax=112 "
        "filltype=zero signal-handoffs=true ! " +
        rest;
    pipeline_ = take(GST_ELEMENT(gst_object_ref_sink(gst_parse_launch(text.c_str(), &error))));
    ck_assert_msg(!error, "%s: %s", text.c_str(), error ? error->message : "");
    const auto src = named("src");
    g_signal_connect(src.get(), "handoff", G_CALLBACK(+[](GstElement *, GstBuffer *buffer, GstPad *, gpointer self) {
                       static_cast<Chain *>(self)->fill(buffer);
                     }),
                     this);
    const auto bus = take(gst_element_get_bus(pipeline_.get()));
    gst_bus_set_sync_handler(bus.get(), answer, this, nullptr);
  }
  // Everything is gone when the last reference is; only then may the counters be looked at.
  long end() {
    gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
    pipeline_.reset();
    return alive_;
  }

  GstElement *get() const { return pipeline_.get(); }
  Ptr<GstElement> named(const char *name) const { return take(gst_bin_get_by_name(GST_BIN(pipeline_.get()), name)); }
  void set(GstState state) { ck_assert(gst_element_set_state(get(), state) != GST_STATE_CHANGE_FAILURE); }
  std::uint64_t made() const { return made_; }
  int faults() const { return faults_; }
  // Load, without a clock of the test's own.
  void wait_for_packets(std::uint64_t count) const {
    for (const auto from = made(); made() < from + count;) std::this_thread::yield();
  }

 private:
  void fill(GstBuffer *buffer) {
    std::array<std::uint8_t, rtp::kFixedHeaderSize> header;
    const auto n = made_++;
    const bool audio = n % 4 == 0;
    rtp::write_fixed_header(header,
                            {static_cast<std::uint8_t>(audio ? 111 : 96), false, false, static_cast<std::uint16_t>(n),
                             static_cast<std::uint32_t>(n / 5 * 3000), audio ? kAudioSsrc : kSsrc});
    gst_buffer_fill(buffer, 0, header.data(), header.size());
    alive_++;
    gst_mini_object_weak_ref(
        GST_MINI_OBJECT_CAST(buffer), [](gpointer self, GstMiniObject *) { static_cast<Chain *>(self)->alive_--; },
        this);
  }
  // As an application may: from the thread that posts, back into the element that posted.
  static GstBusSyncReply answer(GstBus *, GstMessage *message, gpointer self) {
    auto &chain = *static_cast<Chain *>(self);
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) chain.fault(message);
    const auto *structure = gst_message_get_structure(message);
    if (structure && gst_structure_has_name(structure, "avchaos-spike")) {
      auto *element = GST_ELEMENT(GST_MESSAGE_SRC(message));
      (void)stat(element, "started");
      gboolean done = FALSE;
      g_signal_emit_by_name(element, "cancel-spike", gst_structure_get_string(structure, "spike-id"), &done);
    }
    gst_message_unref(message);
    return GST_BUS_DROP;
  }

  void fault(GstMessage *message) {
    GError *error = nullptr;
    gchar *detail = nullptr;
    gst_message_parse_error(message, &error, &detail);
    std::cerr << GST_MESSAGE_SRC_NAME(message) << ": " << error->message << ": " << detail << "\n";
    g_error_free(error);
    g_free(detail);
    faults_++;
  }

  Ptr<GstElement> pipeline_;
  std::atomic<std::uint64_t> made_{0};
  std::atomic<long> alive_{0};
  std::atomic<int> faults_{0};
};

std::string whole_chain(const Drain &drain, int n, bool shared) {
  const std::string context = shared ? " context=storm" : "";
  return "participanttagger participant-id=" + std::to_string(1001 + n) + " ! spikescheduler name=spikes" + context +
         " ! chaosdegrader name=link " + kLinks[n % std::size(kLinks)] + context +
         " ! rtpqualityprobe interval-ms=3 ! " + drain.sink() + context;
}

void inject(GstElement *scheduler, Draws &draws) {
  static std::atomic<int> number{0};
  const auto params =
      take(gst_structure_new("params", "loss_percentage", G_TYPE_DOUBLE, draws.uniform(0, 100), nullptr));
  const auto spike =
      take(gst_structure_new("spike", "spike-id", G_TYPE_STRING, ("i" + std::to_string(number++)).c_str(), "type",
                             G_TYPE_STRING, "rtp_packet_loss", "duration", G_TYPE_UINT64, ms(draws.below(5)), "params",
                             GST_TYPE_STRUCTURE, params.get(), nullptr));
  gboolean done = FALSE;
  g_signal_emit_by_name(scheduler, "inject-spike", spike.get(), &done);
}

void change_states(Chain &chain, std::uint64_t seed, int changes) {
  constexpr GstState states[] = {GST_STATE_NULL, GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_PLAYING,
                                 GST_STATE_PLAYING};
  const auto scheduler = chain.named("spikes"), link = chain.named("link"), sink = chain.named("sink");
  g_object_set(scheduler.get(), "schedule", kSpikes, nullptr);
  Draws draws(seed, 0);
  for (int i = 0; i < changes; i++) {
    const auto state = states[draws.below(std::size(states))];
    chain.set(state);
    if (state == GST_STATE_PLAYING) chain.wait_for_packets(draws.below(100));
    if (draws.chance(30)) g_object_set(link.get(), "delay-ms", draws.uniform(0, 10), nullptr);
    if (draws.chance(30)) inject(scheduler.get(), draws);
    for (auto *element : {link.get(), sink.get(), scheduler.get()}) {
      GstStructure *stats = nullptr;
      g_object_get(element, "stats", &stats, nullptr);
      ck_assert(take(stats) != nullptr);
    }
  }
}

// Does `act` on the thread that pushes through `pad`, with the pad blocked.
void while_blocked(GstPad *pad, std::function<void()> act) {
  struct Block {
    std::function<void()> act;
    std::promise<void> done;
  } block{std::move(act), {}};
  gst_pad_add_probe(
      pad, GST_PAD_PROBE_TYPE_BLOCK_DOWNSTREAM,
      [](GstPad *, GstPadProbeInfo *, gpointer data) {
        auto &it = *static_cast<Block *>(data);
        it.act();
        it.done.set_value();
        return GST_PAD_PROBE_REMOVE;
      },
      &block, nullptr);
  block.done.get_future().wait();
}

Ptr<GstPad> pad_of(GstElement *element, const char *name) { return take(gst_element_get_static_pad(element, name)); }

// Takes the element between `before` and `after` out of a bin and puts a new one in its place.
void replace(GstBin *bin, GstPad *before, GstPad *after, Ptr<GstElement> &member, const char *properties) {
  const auto old_sink = pad_of(member.get(), "sink"), old_src = pad_of(member.get(), "src");
  gst_pad_unlink(before, old_sink.get());
  gst_pad_unlink(old_src.get(), after);
  gst_element_set_state(member.get(), GST_STATE_NULL);
  gst_bin_remove(bin, member.get());
  const auto text = std::string("chaosdegrader ") + properties;
  member = take(GST_ELEMENT(gst_object_ref_sink(gst_parse_launch(text.c_str(), nullptr))));
  gst_bin_add(bin, member.get());
  const auto sink = pad_of(member.get(), "sink"), src = pad_of(member.get(), "src");
  ck_assert_int_eq(gst_pad_link(src.get(), after), GST_PAD_LINK_OK);
  ck_assert(gst_element_sync_state_with_parent(member.get()));
  ck_assert_int_eq(gst_pad_link(before, sink.get()), GST_PAD_LINK_OK);
}

}  // namespace

// Four chains, two of which share a context, each changed 250 times by a thread of its own.
GST_START_TEST(a_thousand_state_changes_under_load_leave_no_packet) {
  const Drain drain;
  std::vector<std::unique_ptr<Chain>> chains;
  for (int i = 0; i < 4; i++) chains.push_back(std::make_unique<Chain>(whole_chain(drain, i, i % 2 == 0)));
  std::vector<std::thread> storms;
  for (std::size_t i = 0; i < chains.size(); i++) {
    storms.emplace_back([&chain = *chains[i], i] { change_states(chain, 100 + i, 250); });
  }
  for (auto &storm : storms) storm.join();
  for (auto &chain : chains) {
    ck_assert_int_eq(chain->faults(), 0);
    ck_assert_uint_gt(chain->made(), 0);
    ck_assert_int_eq(chain->end(), 0);
  }
}
GST_END_TEST;

// The members of one running chain, each by a thread of its own, while the others go on.
GST_START_TEST(members_that_stop_and_start_alone_leave_no_packet) {
  const Drain drain;
  Chain chain(whole_chain(drain, 0, true));
  chain.set(GST_STATE_PLAYING);
  chain.wait_for_packets(50);
  std::vector<std::thread> storms;
  for (const char *name : {"spikes", "link", "sink"}) {
    storms.emplace_back([&chain, name] {
      const auto member = chain.named(name);
      Draws draws(static_cast<std::uint64_t>(name[0]), 0);
      for (int i = 0; i < 60; i++) {
        gst_element_set_state(member.get(), draws.chance(50) ? GST_STATE_PAUSED : GST_STATE_PLAYING);
      }
    });
  }
  for (auto &storm : storms) storm.join();
  ck_assert_int_eq(chain.faults(), 0);
  ck_assert_int_eq(chain.end(), 0);
}
GST_END_TEST;

GST_START_TEST(a_member_is_replaced_while_its_neighbours_play) {
  for (const char *link : kLinks) {
    Chain chain(std::string("chaosdegrader name=link ") + link + " ! fakesink name=sink sync=false async=false");
    chain.set(GST_STATE_PLAYING);
    auto member = chain.named("link");
    const auto sink = chain.named("sink");
    const auto after = pad_of(sink.get(), "sink");
    const auto before = take(gst_pad_get_peer(pad_of(member.get(), "sink").get()));
    for (int i = 0; i < 25; i++) {
      chain.wait_for_packets(20);
      while_blocked(before.get(), [&] { replace(GST_BIN(chain.get()), before.get(), after.get(), member, link); });
    }
    member.reset();
    ck_assert_int_eq(chain.faults(), 0);
    ck_assert_int_eq(chain.end(), 0);
  }
}
GST_END_TEST;

// The thread that is blocked is the one whose context the member shares: it stops itself on its own thread.
GST_START_TEST(a_member_is_stopped_on_the_thread_it_shares) {
  const auto pipeline = take(GST_ELEMENT(gst_object_ref_sink(gst_parse_launch(
      "avchaossrc name=s width=64 height=64 fps=30 context=own s.rtp ! spikescheduler name=spikes context=own ! "
      "chaosdegrader name=link delay-ms=5 context=own ! fakesink name=sink sync=false async=false",
      nullptr))));
  ck_assert(gst_element_set_state(pipeline.get(), GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE);
  const auto by_name = [&](const char *name) { return take(gst_bin_get_by_name(GST_BIN(pipeline.get()), name)); };
  auto member = by_name("link");
  const auto spikes = by_name("spikes"), sink = by_name("sink");
  const auto before = pad_of(spikes.get(), "src"), after = pad_of(sink.get(), "sink");
  const char *again = "delay-ms=5 jitter-ms=3 context=own";
  for (int i = 0; i < 10; i++) {
    while_blocked(before.get(), [&] { replace(GST_BIN(pipeline.get()), before.get(), after.get(), member, again); });
  }
  const auto first = pad_of(spikes.get(), "sink");
  while_blocked(take(gst_pad_get_peer(first.get())).get(), [&] {
    gst_element_set_state(spikes.get(), GST_STATE_READY);
    gst_element_sync_state_with_parent(spikes.get());
  });
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
}
GST_END_TEST;

GST_START_TEST(what_is_held_goes_with_the_element) {
  for (const char *link : {"delay-ms=50", "bandwidth-kbps=50 queue-ms=9000 queue-discipline=codel"}) {
    std::atomic<int> alive{0};
    {
      PadBench b(std::string("chaosdegrader ") + link);
      for (std::uint16_t i = 0; i < 20; i++) {
        auto buffer = packet_of(video(i, 0));
        alive++;
        gst_mini_object_weak_ref(
            GST_MINI_OBJECT_CAST(buffer.get()),
            [](gpointer count, GstMiniObject *) { --*static_cast<std::atomic<int> *>(count); }, &alive);
        gst_harness_push(b.h.get(), give(std::move(buffer)));
      }
      gst_harness_push_event(b.h.get(), gst_event_new_eos());
      ck_assert_uint_eq(alive + b.stat("dropped-queue"), 20);  // EOS tells those that wait their fate
    }
    ck_assert_int_eq(alive, 0);
  }
}
GST_END_TEST;

AVC_GST_TESTS("life_storm", what_is_held_goes_with_the_element, a_thousand_state_changes_under_load_leave_no_packet,
              members_that_stop_and_start_alone_leave_no_packet, a_member_is_replaced_while_its_neighbours_play,
              a_member_is_stopped_on_the_thread_it_shares)
