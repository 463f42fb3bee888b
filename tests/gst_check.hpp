// GStreamer's Check, for element tests, in the one order of headers that works from C++:
//
//   GST_START_TEST(total_loss_forwards_nothing) { ... } GST_END_TEST;
//   AVC_GST_TESTS("chaosdegrader", total_loss_forwards_nothing, ...)
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <initializer_list>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <variant>
#include <vector>

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <gst/check/gsttestclock.h>
#undef fail

#include "elements/support/ptr.hpp"

namespace avc {
AVC_FREES(GstHarness, gst_harness_teardown)
}

namespace avc::test {

// libgstcheck's Check is of an older make than the system's: a test is a plain function, which tells its own name.
inline int run_suite(const char *name, std::span<const TFun> tests) {
  Suite *suite = suite_create(name);
  TCase *cases = tcase_create(name);
  suite_add_tcase(suite, cases);
  for (const TFun test : tests) tcase_add_test(cases, test);
  return gst_check_run_suite(suite, name, name);
}

// Without a process for each, a test that fails leaves what it made, running pipelines too, and the end of the next one
// would wait for them for ever: the first that fails is the last.
inline int run_gst(const char *name, std::initializer_list<TFun> tests) {
  gst_check_init(nullptr, nullptr);
  if (g_strcmp0(g_getenv("CK_FORK"), "no") != 0) return run_suite(name, tests);
  for (const TFun &test : tests) {
    if (run_suite(name, {&test, 1}) == 0) continue;
    std::fflush(nullptr);
    std::_Exit(1);
  }
  return 0;
}

// A bus for an element that is in no pipeline. Messages left in it would keep the element, and the element the bus.
class OwnBus {
 public:
  explicit OwnBus(GstElement *element) : bus_(take(gst_bus_new())) { gst_element_set_bus(element, bus_.get()); }
  ~OwnBus() { gst_bus_set_flushing(bus_.get(), TRUE); }
  OwnBus(const OwnBus &) = delete;
  OwnBus &operator=(const OwnBus &) = delete;
  GstBus *get() const { return bus_.get(); }

 private:
  Ptr<GstBus> bus_;
};

}  // namespace avc::test

#define AVC_GST_TESTS(name, ...) \
  int main() { return avc::test::run_gst(name, {__VA_ARGS__}); }
