// The ring of server-sent events, without sockets.
#include "launcher/http/events.hpp"

#include "tests/check.hpp"

using namespace avc::launcher::http;

namespace {

struct Client : EventListener {
  bool send(const std::string &text) override {
    got += text;
    return --patience > 0;
  }
  void ended() override { over = true; }

  std::string got;
  int patience = 1000;
  bool over = false;
};

}  // namespace

START_TEST(events_are_numbered_from_one) {
  Client client;
  EventChannel channel;
  channel.attach(client, std::nullopt);
  channel.publish("sample", "{\"t\":1}");
  channel.publish("state", "{}");
  avc_assert_text(client.got, "id: 1\nevent: sample\ndata: {\"t\":1}\n\nid: 2\nevent: state\ndata: {}\n\n");
}
END_TEST

START_TEST(a_client_that_comes_back_gets_what_it_missed_once) {
  Client client;
  EventChannel channel;
  for (int i = 1; i <= 5; ++i) channel.publish("n", std::to_string(i));
  channel.attach(client, 3);
  channel.publish("n", "6");
  avc_assert_text(client.got, "id: 4\nevent: n\ndata: 4\n\nid: 5\nevent: n\ndata: 5\n\nid: 6\nevent: n\ndata: 6\n\n");
}
END_TEST

START_TEST(what_the_ring_has_lost_is_said) {
  Client client;
  EventChannel channel(2);
  for (int i = 1; i <= 5; ++i) channel.publish("n", std::to_string(i));
  channel.attach(client, 1);
  avc_assert_text(client.got,
                  "event: gap\ndata: {\"missed\":2}\n\nid: 4\nevent: n\ndata: 4\n\nid: 5\nevent: n\ndata: 5\n\n");
}
END_TEST

START_TEST(a_new_client_is_told_the_state_first) {
  Client fresh, from_another_life;
  EventChannel channel;
  channel.publish("state", "running", true);
  channel.publish("sample", "1");
  channel.attach(fresh, std::nullopt);
  channel.attach(from_another_life, 99);
  avc_assert_text(fresh.got, "id: 1\nevent: state\ndata: running\n\n");
  avc_assert_text(from_another_life.got, fresh.got);
}
END_TEST

START_TEST(a_client_that_cannot_keep_up_is_forgotten_and_the_others_are_not) {
  Client slow, other;
  EventChannel channel;
  slow.patience = 1;
  channel.attach(slow, std::nullopt);
  channel.attach(other, std::nullopt);
  channel.publish("n", "1");
  channel.publish("n", "2");
  avc_assert_text(slow.got, "id: 1\nevent: n\ndata: 1\n\n");
  avc_assert_text(other.got, "id: 1\nevent: n\ndata: 1\n\nid: 2\nevent: n\ndata: 2\n\n");
}
END_TEST

START_TEST(closing_ends_every_listener_and_replays_to_late_ones) {
  EventChannel channel;
  Client early, late;
  channel.attach(early, std::nullopt);
  channel.publish("state", "stopped", true);
  channel.close();
  ck_assert(early.over);
  channel.attach(late, std::nullopt);
  ck_assert(late.over);
  avc_assert_text(late.got, "id: 1\nevent: state\ndata: stopped\n\n");
}
END_TEST

START_TEST(event_ids_are_plain_numbers) {
  ck_assert(parse_event_id("12") == 12u);
  for (const char *wrong : {"", "-1", "1x", "x", " 1", "99999999999999999999999"}) ck_assert(!parse_event_id(wrong));
}
END_TEST

AVC_TESTS("events", events_are_numbered_from_one, a_client_that_comes_back_gets_what_it_missed_once,
          what_the_ring_has_lost_is_said, a_new_client_is_told_the_state_first,
          a_client_that_cannot_keep_up_is_forgotten_and_the_others_are_not,
          closing_ends_every_listener_and_replays_to_late_ones, event_ids_are_plain_numbers)
