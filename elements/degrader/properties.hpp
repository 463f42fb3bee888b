// chaosdegrader's properties. Those of the link are made from net::settings(), with its names, units and ranges; the
// texts (pattern, trace, profiles) and those that have nothing to do with the link come after them.
//
// What a user asks for is checked here, not by GObject: a value out of range, an unreadable trace or two settings that
// contradict each other are refused with a warning on the bus that names property and range, and what was there before
// stays. Several properties of one g_object_set() (or of one controlled moment) are judged together, and before the
// element starts all of them are, so that their order does not matter. What was refused before the start is told when
// it starts: before that perhaps nobody listened.
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "core/json/conditions.hpp"
#include "core/net/impairment.hpp"
#include "core/net/settings.hpp"
#include "core/result.hpp"
#include "core/runtime/guarded.hpp"

namespace avc::degrader {

// What has nothing to do with the link.
struct Plain {
  guint64 seed = 0;
  std::string context, decision_log, replay_log;
  bool report_latency = false, all_datagrams = false, way_back = false;
  guint rtx_payload_type = 0;
};

class Properties {
 public:
  explicit Properties(GstElement *element) : element_(element) {}

  static guint install(GObjectClass *klass);  // from id 1 on; gives the next free id
  void set(guint id, const GValue *value);    // any thread
  void get(guint id, GValue *value);
  void judge();  // at the end of a g_object_set()

  // From start() to stop() contradictions are refused at once.
  void start();
  void stop();

  // Changes whenever link() or plain() may give something else; may be asked for each packet.
  unsigned generation() const { return generation_.load(std::memory_order_acquire); }
  net::Impairment link();  // as in force
  Plain plain();

 private:
  struct State {
    Plain plain;
    net::Impairment asked, in_force;  // apart only while `asked` contradicts itself
    std::string trace, trace_in_force, table;
    std::string profile, profile_location;
    json::Conditions own_profiles;  // of that file
    bool loss_model_chosen = false;
    bool running = false;
    std::map<std::string, Error> refused;  // by property: told already, or to be told at the start
  };

  Result<bool> change(State &state, const net::Setting &setting, const GValue *value);
  Result<bool> change_text(State &state, guint which, const std::string &text);
  Result<bool> use_profile(State &state, const std::string &name);
  static void settle(State &state, std::vector<Error> &faults);
  void commit(State &state);

  GstElement *const element_;
  Guarded<State> state_;
  std::atomic<unsigned> generation_{1};
};

}  // namespace avc::degrader
