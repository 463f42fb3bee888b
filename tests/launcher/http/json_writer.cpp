#include "launcher/http/json_writer.hpp"

#include <limits>

#include "tests/check.hpp"

using namespace avc;
using json::Writer;

namespace {

void writes(Writer &writer, std::string_view expected) {
  const std::string text = writer.take();
  ck_assert_msg(text == std::string(expected) + "\n", "%s", text.c_str());
}

}  // namespace

START_TEST(objects_and_arrays_nest) {
  Writer w;
  w.begin_object().put("id", "t").put("n", 5).begin_array("rows");
  w.begin_object().put("x", 1.5).end_object().value(2).null().end_array().begin_object("empty").end_object();
  w.put("yes", true).raw("old", "[1]").put("list", std::vector<std::string>{"a", "b"}).null("none").end_object();
  writes(w,
         R"({"id":"t","n":5,"rows":[{"x":1.5},2,null],"empty":{},"yes":true,"old":[1],"list":["a","b"],"none":null})");
  w.begin_array().end_array();
  writes(w, "[]");
}
END_TEST

START_TEST(empty_members_are_left_out_where_asked) {
  Writer w;
  w.begin_object().put_unless_empty("s", std::string()).put_unless_empty("n", 0).put_unless_empty("x", 0.0);
  w.put_unless_empty("no", false).put_unless_empty("list", std::vector<int>{}).put_unless_empty("one", 1).end_object();
  writes(w, R"({"one":1})");
}
END_TEST

START_TEST(numbers_are_in_shortest_form) {
  Writer w;
  w.begin_array();
  for (const double value : {0.1, 3.0, 4.409286, -2.5, 1e20, 1e21, 1e-7, 0.0, std::numeric_limits<double>::quiet_NaN(),
                             std::numeric_limits<double>::infinity()}) {
    w.value(value);
  }
  w.value(std::int64_t{1} << 62).value(std::uint64_t{18446744073709551615u}).end_array();
  writes(
      w,
      "[0.1,3,4.409286,-2.5,100000000000000000000,1e+21,1e-07,0,null,null,4611686018427387904,18446744073709551615]");
}
END_TEST

START_TEST(texts_are_escaped_as_old_clients_know_them) {
  Writer w;
  w.value("a\"b\\c\n\t<&>\x01 \xc3\xa9 \xff \xe2\x80\xa8");
  writes(w, "\"a\\\"b\\\\c\\n\\t\\u003c\\u0026\\u003e\\u0001 \xc3\xa9 \\ufffd \\u2028\"");
  w.value("\xed\xa0\x80");  // half a surrogate pair is no character
  writes(w, "\"\\ufffd\\ufffd\\ufffd\"");
}
END_TEST

AVC_TESTS("json writer", objects_and_arrays_nest, empty_members_are_left_out_where_asked, numbers_are_in_shortest_form,
          texts_are_escaped_as_old_clients_know_them)
