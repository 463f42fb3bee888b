// A test that ends: its sources are silent before anything else is done, so that one that is far behind ends soon.
#include <gst/gst.h>

#include "launcher/session/test_session.hpp"
#include "tests/launcher/http_client.hpp"

using namespace avc;
using namespace avc::session;
using participant::TestState;

namespace {

// What the sources did when the state changed, and how many frames there were then.
struct Witness final : SessionObserver {
  void state_changed(TestSession &session) override {
    if (session.state() != TestState::stopping) return;
    for (const auto &one : session.participants()) {
      silent += is_silent(one->bin());
      results::ParticipantSnapshot snapshot;
      one->read(snapshot);
      frames_then += snapshot.sent_of(results::Media::audio).frames;
    }
  }
  void spike_changed(TestSession &, const SpikeEntry &, double) override {}
  void sampled(TestSession &, const results::Sample &) override { ++samples; }

  static int is_silent(GstElement *bin) {
    GstIterator *sources = gst_bin_iterate_sources(GST_BIN(bin));
    GValue item = G_VALUE_INIT;
    ck_assert(gst_iterator_next(sources, &item) == GST_ITERATOR_OK);
    const GstState state = GST_STATE(g_value_get_object(&item));
    g_value_unset(&item);
    gst_iterator_free(sources);
    return state == GST_STATE_PAUSED;
  }

  int silent = 0, samples = 0;
  std::uint64_t frames_then = 0;
};

SessionSetup three() {
  SessionSetup setup;
  setup.test_id = "t";
  setup.scenario.num_participants = 3;
  setup.scenario.video = {160, 120, 10, 200, "h264"};
  setup.participants = {1001, 1002, 1003};
  setup.address = "127.0.0.1";
  auto receiver = receiver::Embedded::open(0);
  ck_assert(bool(receiver));
  setup.port = (*receiver)->port();
  setup.receiver = std::move(*receiver);
  return setup;
}

}  // namespace

START_TEST(sources_make_no_frame_from_the_moment_that_a_test_is_stopping) {
  Witness witness;
  TestSession session(three(), witness);
  bool started = false;
  session.start([&](const Result<bool> &outcome) { started = bool(outcome); });
  test::iterate_until([&] { return started && witness.samples > 0; });
  ck_assert(bool(session.stop(results::EndReason::signal, "")));
  ck_assert_int_eq(witness.silent, 3);
  std::uint64_t frames = 0, received = 0;
  for (const auto &one : session.result().participants) {
    frames += one.sent_of(results::Media::audio).frames;
    received += static_cast<std::uint64_t>(one.received_of(results::Media::audio).packets_received);
  }
  ck_assert_uint_le(frames, witness.frames_then + 3);  // those under way
  ck_assert_uint_gt(received, 0);
  ck_assert_double_eq(session.result().samples.back().t, session.elapsed_seconds());
}
END_TEST

int main() {
  gst_init(nullptr, nullptr);
  return test::run("stopping", {sources_make_no_frame_from_the_moment_that_a_test_is_stopping});
}
