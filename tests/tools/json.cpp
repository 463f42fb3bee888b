#include "tools/common/json.hpp"

#include "tests/tools/same.hpp"

using namespace avc;
using namespace avc::tools;

namespace {

std::string after(const char *json, const char *path, const char *value) {
  auto root = parse_json(json);
  ck_assert(static_cast<bool>(root));
  if (const auto fault = set_path(root->get(), path, value)) return "error: " + fault->text();
  return to_text(root->get(), false);
}

}  // namespace

START_TEST(comments_are_blanked_and_strings_are_left_alone) {
  ck_same(without_comments("{\"a\": 1, // one\n\"u\": \"http://x/*y*/\", \"q\": \"\\\"//\"}/* end */"),
          "{\"a\": 1,       \n\"u\": \"http://x/*y*/\", \"q\": \"\\\"//\"}         ");
  ck_same(without_comments("1 /* open"), "1        ");
}
END_TEST

START_TEST(a_fault_in_the_text_is_placed_by_line) {
  const auto parsed = parse_json("// first\n{\"a\": }");
  ck_assert(!parsed);
  ck_assert_msg(parsed.error().message.starts_with("line 2:"), "%s", parsed.error().message.c_str());
  ck_assert(!parse_json(""));
  ck_assert(!parse_json("{\"a\":1"));
  ck_assert(!parse_json(std::string(500000, '[')));
}
END_TEST

START_TEST(what_is_missing_reads_as_absent_at_any_depth) {
  const auto root = parse_json("{\"a\": {\"b\": [1, \"x\", null, true]}, \"n\": null}");
  const Json json(root->get());
  ck_assert(!json["x"]["y"].at(3)["z"].exists());
  ck_assert(!json["n"].exists());
  ck_assert_double_eq(json["a"]["b"].at(0).number_or(7), 1);
  ck_same(json["a"]["b"].at(1).text_or("-"), "x");
  ck_assert_double_eq(json["a"]["b"].at(1).number_or(7), 7);
  ck_assert(json["a"]["b"].at(3).truth());
  ck_assert(!json["a"]["b"].at(0).truth());
  ck_assert_uint_eq(json["a"]["b"].size(), 4);
  ck_assert_uint_eq(json["a"].members().size(), 1);
}
END_TEST

START_TEST(set_makes_what_is_on_the_way_and_takes_json_or_text) {
  ck_same(after("{}", "seed", "7"), "{\"seed\":7}");
  ck_same(after("{\"seed\":1}", "seed", "8"), "{\"seed\":8}");
  ck_same(after("{}", "video.codec", "h264"), "{\"video\":{\"codec\":\"h264\"}}");
  ck_same(after("{}", "a.b.c", "true"), "{\"a\":{\"b\":{\"c\":true}}}");
  ck_same(after("{}", "outputs", "[\"json\"]"), "{\"outputs\":[\"json\"]}");
  ck_same(after("{}", "note", "two words"), "{\"note\":\"two words\"}");
  ck_same(after("{\"spikes\":[{\"type\":\"x\"}]}", "spikes.0.type", "y"), "{\"spikes\":[{\"type\":\"y\"}]}");
}
END_TEST

START_TEST(set_refuses_places_that_are_not_there) {
  for (const char *path :
       {"", ".", "a..b", "a.", ".a", "spikes.1.type", "spikes.x.type", "spikes.0", "seed.x", "seed.x.y"}) {
    const std::string got = after("{\"spikes\":[{\"type\":\"x\"}],\"seed\":1}", path, "1");
    ck_assert_msg(got.starts_with("error: "), "%s -> %s", path, got.c_str());
  }
}
END_TEST

AVC_TESTS("tools_json", comments_are_blanked_and_strings_are_left_alone, a_fault_in_the_text_is_placed_by_line,
          what_is_missing_reads_as_absent_at_any_depth, set_makes_what_is_on_the_way_and_takes_json_or_text,
          set_refuses_places_that_are_not_there)
