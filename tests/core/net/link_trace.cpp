#include "core/net/link_trace.hpp"

#include "core/net/trace_models.hpp"
#include "tests/check.hpp"

using namespace avc;
using namespace std::chrono_literals;
using net::LinkTrace;

namespace {

void refuses(std::string_view text, std::string_view message) {
  const auto trace = LinkTrace::parse(text);
  ck_assert(!trace);
  avc_assert_text(trace.error().message, message);
}

}  // namespace

START_TEST(a_trace_is_times_line_by_line) {
  const auto trace = LinkTrace::parse("0\n5\r\n5\n10");
  ck_assert(trace);
  ck_assert(((*trace)->times_ms() == std::vector<std::uint32_t>{0, 5, 5, 10}));
  ck_assert((*trace)->period() == 10ms);
  ck_assert_double_eq_tol((*trace)->mean_kbps(), 4800, 1e-9);  // 4 * 1500 bytes in 10 ms
}
END_TEST

START_TEST(faults_name_their_line) {
  refuses("", "the trace is empty");
  refuses("0\n0\n", "the trace has no length: its last time must be above 0 ms");
  refuses("1\n\n2\n", "line 2: \"\" is not a time in whole milliseconds");
  refuses("1\n2.5\n", "line 2: \"2.5\" is not a time in whole milliseconds");
  refuses("1\n-2\n", "line 2: \"-2\" is not a time in whole milliseconds");
  refuses("# made\n1\n", "line 1: \"# made\" is not a time in whole milliseconds");
  refuses(" 1\n", "line 1: \" 1\" is not a time in whole milliseconds");
  refuses("5\n4\n", "line 2: 4 ms comes after 5 ms");
  refuses("99999999999\n", "line 1: 99999999999 is not accepted; it must be 0 to 86400000 ms");
  refuses("86400001\n", "line 1: 86400001 is not accepted; it must be 0 to 86400000 ms");
}
END_TEST

START_TEST(opportunities_go_round) {
  const auto trace = LinkTrace::of({3, 3, 10});
  auto place = trace->first_from({0ms});
  std::vector<Nanos> times;
  for (int i = 0; i < 7; ++i, place = trace->next(place)) times.push_back(trace->time(place).since_origin);
  ck_assert((times == std::vector<Nanos>{3ms, 3ms, 10ms, 13ms, 13ms, 20ms, 23ms}));
  ck_assert(trace->time(trace->first_from({3ms})) == Instant{3ms});
  ck_assert(trace->time(trace->first_from({3ms + 1ns})) == Instant{10ms});
  ck_assert(trace->time(trace->first_from({10ms})) == Instant{10ms});
  ck_assert(trace->time(trace->first_from({-1ns})) == Instant{0ms});
  ck_assert(trace->time(trace->first_from({-9ms})) == Instant{-7ms});
}
END_TEST

// The figures that docs/model.md gives for the built-in traces.
START_TEST(built_in_traces_are_as_documented) {
  const struct {
    std::string_view name;
    double kbps;
    std::uint32_t silence;
  } rows[] = {{"lte", 3952.4, 170}, {"wifi", 6400, 22}, {"tunnel", 1998.4, 8582}};
  ck_assert_uint_eq(net::built_in_traces().size(), std::size(rows));
  ck_assert(!net::built_in_trace("dsl"));
  for (const auto name : net::built_in_traces()) {
    const auto trace = net::built_in_trace(name);
    ck_assert(trace && trace == net::built_in_trace(name));
    ck_assert(trace->period() == 30s);
    ck_assert(trace->times_ms() == net::make_trace(name, 5, 30)->times_ms());
    ck_assert(trace->times_ms() != net::make_trace(name, 6, 30)->times_ms());
    std::uint32_t longest = 0, last = 0;
    for (const auto ms : trace->times_ms()) {
      longest = std::max(longest, ms - last);
      last = ms;
    }
    const auto row = std::find_if(std::begin(rows), std::end(rows), [&](const auto &r) { return r.name == name; });
    ck_assert_double_eq_tol(trace->mean_kbps(), row->kbps, 0.5);
    ck_assert_uint_eq(longest, row->silence);
  }
}
END_TEST

AVC_TESTS("link_trace", a_trace_is_times_line_by_line, faults_name_their_line, opportunities_go_round,
          built_in_traces_are_as_documented)
