#include "tools/common/sse.hpp"

#include "tests/tools/same.hpp"

using namespace avc::tools;

namespace {

const std::string kText =
    ": hello\n\n"
    "id: 7\nevent: sample\ndata: {\"t\":1}\n\n"
    "data:two\ndata: lines\r\n\r\n"
    "event: nothing\n\n"
    "data\rid:9\r\r"
    "unknown: field\ndata: cut off";

void check_all(const std::vector<ServerEvent> &events) {
  ck_assert_uint_eq(events.size(), 3);
  ck_same(events[0].type, "sample");
  ck_same(events[0].data, "{\"t\":1}");
  ck_same(events[0].id, "7");
  ck_same(events[1].type, "message");
  ck_same(events[1].data, "two\nlines");
  ck_same(events[1].id, "7");
  ck_same(events[2].data, "");
  ck_same(events[2].id, "9");
}

}  // namespace

START_TEST(events_come_out_as_the_standard_says) { check_all(EventParser().feed(kText)); }
END_TEST

START_TEST(pieces_of_any_size_give_the_same_events) {
  for (std::size_t piece = 1; piece < 20; ++piece) {
    EventParser parser;
    std::vector<ServerEvent> events;
    for (std::size_t at = 0; at < kText.size(); at += piece)
      for (auto &event : parser.feed(std::string_view(kText).substr(at, piece))) events.push_back(std::move(event));
    check_all(events);
  }
}
END_TEST

START_TEST(after_a_break_the_half_event_is_gone_and_the_id_stays) {
  EventParser parser;
  ck_assert_uint_eq(parser.feed("id: 3\ndata: a\n\nid: 4\ndata: half").size(), 1);
  parser.disconnected();
  ck_same(parser.last_id(), "4");
  const auto events = parser.feed("data: whole\n\n");
  ck_assert_uint_eq(events.size(), 1);
  ck_same(events[0].data, "whole");
}
END_TEST

START_TEST(an_endless_line_is_not_kept) {
  EventParser parser;
  const std::string megabyte(1U << 20, 'x');
  parser.feed("data: ");
  for (int i = 0; i < 16; ++i) parser.feed(megabyte);
  const auto events = parser.feed("\n\n");
  ck_assert_uint_eq(events.size(), 1);
  ck_assert_uint_le(events[0].data.size(), 4U << 20);
}
END_TEST

AVC_TESTS("tools_sse", events_come_out_as_the_standard_says, pieces_of_any_size_give_the_same_events,
          after_a_break_the_half_event_is_gone_and_the_id_stays, an_endless_line_is_not_kept)
