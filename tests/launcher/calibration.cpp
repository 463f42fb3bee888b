// Which calibration the daemon believes.
#include "launcher/calibration.hpp"

#include <map>

#include "tests/check.hpp"

using namespace avc;
using namespace avc::launcher;

namespace {

const std::string kMachine = "2 × Some CPU";

std::string file(const std::string &machine, const std::string &costs) {
  return R"({"format":1,"measured_at":"2026-01-01T00:00:00Z","machine":")" + machine +
         R"(","participants":200,"seconds_per_packet":)" + costs + "}";
}

Calibration find(const std::map<std::string, std::string> &files) {
  return find_calibration({"first", "second"}, kMachine, [&](const std::string &path) -> Result<std::string> {
    const auto found = files.find(path);
    return found == files.end() ? Result<std::string>(Error{path, "is not there"}) : found->second;
  });
}

const std::string kCosts = R"({"sender":1.5e-6,"receiver":5e-7})";

}  // namespace

START_TEST(the_first_file_that_is_there_counts) {
  const auto nothing = find({});
  ck_assert(!nothing.cost.measured && nothing.path.empty() && nothing.warning.empty());
  const auto second = find({{"second", file(kMachine, kCosts)}});
  avc_assert_text(second.path, "second");
  ck_assert(second.cost.measured);
  ck_assert_double_eq(second.cost.sender, 1.5e-6);
  ck_assert_double_eq(second.cost.receiver, 5e-7);
  avc_assert_text(find({{"first", file(kMachine, kCosts)}, {"second", "x"}}).path, "first");
}
END_TEST

START_TEST(what_cannot_be_believed_is_told_and_left_out) {
  for (const auto &[text, words] : std::map<std::string, std::string>{
           {"{", "first"},
           {"[]", "not an object"},
           {"{}", "no \"machine\""},
           {file("8 × Other", kCosts), "another machine (8 × Other)"},
           {file(kMachine, R"({"sender":1e-6})"), "lacks a figure"},
           {file(kMachine, R"({"sender":0,"receiver":1e-6})"), "sender"},
           {file(kMachine, R"({"sender":"cheap","receiver":1e-6})"), "sender"},
       }) {
    const auto found = find({{"first", text}});
    ck_assert_msg(!found.cost.measured && found.path.empty(), "%s", text.c_str());
    ck_assert_msg(found.warning.find(words) != std::string::npos, "%s: %s", text.c_str(), found.warning.c_str());
  }
}
END_TEST

AVC_TESTS("calibration", the_first_file_that_is_there_counts, what_cannot_be_believed_is_told_and_left_out)
