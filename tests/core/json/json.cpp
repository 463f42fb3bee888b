#include "core/json/json.hpp"

#include "tests/check.hpp"

using namespace avc;
using json::Document;
using json::Notes;

namespace {

Document read(std::string_view text) {
  auto document = Document::parse(text);
  ck_assert_msg(static_cast<bool>(document), "%s", document ? "" : document.error().text().c_str());
  return std::move(*document);
}

void refuses(std::string_view text, std::string_view part) {
  const auto document = Document::parse(text);
  ck_assert_msg(!document, "accepted: %s", std::string(text).c_str());
  ck_assert_msg(document.error().message.find(part) != std::string::npos, "%s", document.error().message.c_str());
  ck_assert(document.error().message.find('\n') == std::string::npos);
}

// All faults as "field: message" lines.
std::string faults(const Notes &notes) {
  std::string text;
  for (const Error &error : notes.faults) text += error.text() + "\n";
  return text;
}

}  // namespace

START_TEST(values_are_read_with_their_ranges) {
  const auto document =
      read(R"({"n": 3, "x": 2.5, "yes": true, "name": "a", "list": [1, 2], "inner": {"n": 4}, "none": null})");
  Notes notes;
  auto root = *document.root(notes).object();
  ck_assert(root.integer("n", 0, 10) == 3);
  ck_assert(root.number("x", 0, 10) == 2.5);
  ck_assert(root.boolean("yes") == true);
  ck_assert(root.text("name") == "a");
  ck_assert_int_eq(static_cast<int>(root.array("list").size()), 2);
  ck_assert(root.object("inner")->integer("n", 0, 10) == 4);
  ck_assert(!root.get("none") && !root.get("absent"));
  root.done();
  ck_assert(notes.faults.empty() && notes.warnings.empty());
}
END_TEST

START_TEST(every_fault_is_found_and_named_by_its_path) {
  const auto document = read(R"({"n": 11, "x": "2", "list": [{"n": -1}, {"n": 1.5}, 7], "text": 5, "flag": 0})");
  Notes notes;
  auto root = *document.root(notes).object();
  ck_assert(!root.integer("n", 0, 10) && !root.number("x", 0, 10) && !root.text("text") && !root.boolean("flag"));
  for (const auto &item : root.array("list")) {
    if (auto object = item.object()) ck_assert(!object->integer("n", 0, 10));
  }
  const std::string expected =
      "n: 11 is not accepted; it must be 0 to 10\n"
      "x: must be a number, not a text\n"
      "text: must be a text, not a number\n"
      "flag: must be true or false, not a number\n"
      "list[0].n: -1 is not accepted; it must be 0 to 10\n"
      "list[1].n: 1.5 is not accepted; it must be a whole number\n"
      "list[2]: must be an object, not a number\n";
  ck_assert_msg(faults(notes) == expected, "%s", faults(notes).c_str());
}
END_TEST

START_TEST(keys_match_in_any_case_and_spelling) {
  const auto document = read(R"({"Test_ID": "t", "loss-percentage": 5})");
  Notes notes;
  auto root = *document.root(notes).object();
  ck_assert(root.text("test_id") == "t" && root.integer("loss_percent", 0, 100) == 5);
  root.done();
  ck_assert(notes.faults.empty() && notes.warnings.empty());
}
END_TEST

START_TEST(unknown_keys_are_faults_or_warnings) {
  const auto document = read(R"({"num_participant": 5})");
  for (const bool strict : {true, false}) {
    Notes notes;
    notes.unknown_keys_are_faults = strict;
    auto root = *document.root(notes).object();
    ck_assert(!root.get("num_participants"));
    root.done();
    const std::string said = strict ? faults(notes) : notes.warnings.at(0);
    ck_assert(said.find("num_participant: unknown key \"num_participant\"; did you mean \"num_participants\"?") == 0);
    ck_assert_int_eq(static_cast<int>(notes.faults.size()), strict ? 1 : 0);
  }
}
END_TEST

START_TEST(one_setting_in_two_spellings_is_a_fault) {
  const auto document = read(R"({"loss_percent": 5, "loss-percentage": 6})");
  Notes notes;
  document.root(notes).object();
  ck_assert(faults(notes) == "loss-percentage: the same setting as loss_percent, given twice\n");
}
END_TEST

START_TEST(comments_are_left_out) {
  const auto document = read("// first\n{\"a\": 1, // one\n /* two\n lines */ \"url\": \"http://x//y\"}\n// last");
  Notes notes;
  auto root = *document.root(notes).object();
  ck_assert(root.integer("a", 0, 9) == 1 && root.text("url") == "http://x//y");
  ck_assert(document.text().find("//") == document.text().find("//x"));
}
END_TEST

START_TEST(only_the_first_value_is_read) {
  const auto document = read("{\"a\": 1} this is not looked at");
  Notes notes;
  ck_assert(document.root(notes).object()->integer("a", 0, 9) == 1);
}
END_TEST

START_TEST(what_is_not_json_is_refused_in_one_line) {
  refuses("", "empty");
  refuses(" // only a comment", "empty");
  refuses("{\"a\": 1", "ends early");
  refuses("{\"a\": \"b", "no end");
  refuses("{\"a\": tru}", "unexpected \"tru\"");
  refuses("{\"a\":\n 010}", "line 2: unexpected \"010\"");
  refuses("{\"a\": 0x10}", "unexpected \"0x10\"");
  refuses("{\"a\": NaN}", "unexpected \"NaN\"");
  refuses("{\"a\": Infinity}", "unexpected");
  refuses("{\"a\": 1.}", "unexpected");
  refuses("{\"a\": .5}", "unexpected");
  refuses("{\"a\": +1}", "unexpected");
  refuses("{'a': 1}", "unexpected character");
  refuses("{a: 1}", "unexpected \"a\"");
  refuses("{\"a\": 1,}", "not valid JSON");
  refuses("{\"a\" 1}", "not valid JSON");
  refuses("[1 2]", "not valid JSON");
  refuses("[1}", "not valid JSON");
  refuses("}", "unexpected '}'");
  refuses("{\"a\": \"two\nlines\"}", "past the end of its line");
  refuses("{\"a\": \"\xff\"}", "UTF-8");
  refuses("/* no end", "no end");
  refuses("{\"a\": \"b\\u0000c\"}", "\\u0000");  // json-glib would read "b"
  refuses(std::string_view("{\"a\": \"b\0c\"}", 12), "zero byte");
  refuses("{\"a\": {\"b\": 1, \"c\": [{\"b\": \"b\"}], \"b\": 2}}", "the key \"b\" is given twice");
  read("{\"a\": \"a\", \"b\": [\"a\", \"a\", {\"a\": 1}, {\"a\": 2}], \"c\": \"\\\\u0000\"}");
}
END_TEST

START_TEST(size_and_depth_are_bounded) {
  refuses(std::string(100, '['), "deeper than 32");
  refuses(std::string(1 << 21, ' '), "larger than 1048576 bytes");
  read(std::string(32, '[') + std::string(32, ']'));
  std::string wide = "{";
  for (int i = 0; i < 1000; ++i) wide += (i ? ",\"k" : "\"k") + std::to_string(i) + "\":1";
  const auto document = read(wide + "}");
  Notes notes;
  document.root(notes).object();
  ck_assert(faults(notes) == ": has 1000 keys; at most 500 are accepted\n" ||
            faults(notes) == "has 1000 keys; at most 500 are accepted\n");
}
END_TEST

START_TEST(numbers_do_not_wrap) {
  const auto document = read(R"({"a": 18446744073709551617, "b": 1e999, "c": -0, "d": 9007199254740993})");
  Notes notes;
  auto root = *document.root(notes).object();
  ck_assert(!root.integer("a", 0, 100));
  ck_assert(!root.number("b", 0, 1e300));
  ck_assert(root.number("c", 0, 1) == 0);
  ck_assert(root.integer("d", 0, std::int64_t{1} << 60) == 9007199254740993);
  ck_assert_int_eq(static_cast<int>(notes.faults.size()), 2);
}
END_TEST

START_TEST(texts_hold_no_control_characters) {
  const auto document = read(R"({"a": "x\ny", "b": "\u0001", "c": "fine \u00e9"})");
  Notes notes;
  auto root = *document.root(notes).object();
  ck_assert(!root.text("a"));
  ck_assert(root.text("c") == "fine \xc3\xa9");
  ck_assert(!root.text("c", 3));
  ck_assert_int_eq(static_cast<int>(notes.faults.size()), 2);
  Notes allowed;
  const auto lines = read(R"({"sdp": "v=0\r\no=-\n", "bell": "a\u0007"})");
  auto object = *lines.root(allowed).object();
  ck_assert(object.get("sdp")->lines(100) == "v=0\r\no=-\n");
  ck_assert(!object.get("bell")->lines(100) && !object.get("sdp")->lines(3));
}
END_TEST

START_TEST(faults_are_counted_out) {
  std::string many = "[";
  for (int i = 0; i < 1000; ++i) many += i ? ",\"x\"" : "\"x\"";
  const auto document = read(many + "]");
  Notes notes;
  for (const auto &item : document.root(notes).array()) ck_assert(!item.number(0, 1));
  ck_assert_int_eq(static_cast<int>(notes.faults.size()), static_cast<int>(Notes::kMost));
  ck_assert(document.root(notes).array(999).empty());
}
END_TEST

AVC_TESTS("json", values_are_read_with_their_ranges, every_fault_is_found_and_named_by_its_path,
          keys_match_in_any_case_and_spelling, unknown_keys_are_faults_or_warnings,
          one_setting_in_two_spellings_is_a_fault, comments_are_left_out, only_the_first_value_is_read,
          what_is_not_json_is_refused_in_one_line, size_and_depth_are_bounded, numbers_do_not_wrap,
          texts_hold_no_control_characters, faults_are_counted_out)
