// The link conditions that a scenario may name and only this daemon knows: profiles of its user's file, and trace
// files. What elements get carries neither: a profile becomes its settings, a trace's path the real one.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/net/impairment.hpp"
#include "core/result.hpp"
#include "core/spike/effect.hpp"
#include "core/spike/spike.hpp"

namespace avc::json {

class Value;

// The real path of a trace that may be read and is sound; the error has no field.
using FindTrace = std::function<Result<std::string>(const std::string &path)>;

// The condition under all spikes.
struct Network {
  spike::Params settings;  // as given; a name alone is {"profile": NAME}
  net::Impairment link;
  std::string trace;        // its trace, by name or real path; empty: none
  std::string delay_table;  // its values; empty: none
};

class Conditions {
 public:
  Conditions() = default;  // no profiles; paths are taken as they are given
  explicit Conditions(FindTrace find_trace) : find_trace_(std::move(find_trace)) {}

  // {"NAME": {"loss_percent": 1, …}, …}: settings of a link, a profile that is built in among them. All faults at once;
  // fields are "NAME.setting".
  static std::variant<Conditions, std::vector<Error>> parse(std::string_view text, FindTrace find_trace = {});

  // The same profiles with another eye on files, such as one that remembers what it has read.
  Conditions with(FindTrace find_trace) const;

  // Checks a spike; fills in `resolved` where its params are not what elements take. As spike::effect_of() otherwise.
  Result<spike::Effect> resolve(spike::Spike &spike) const;

  // The network of these settings, a profile's name among them. The error's field is the setting at fault.
  Result<Network> network(spike::Params settings) const;

  const std::map<std::string, spike::Params> &profiles() const { return profiles_; }  // those of the file

 private:
  std::map<std::string, spike::Params> profiles_;
  FindTrace find_trace_;
};

std::optional<spike::Value> read_param(const Value &value);  // a number, a text, or true or false

// A profile's name, or an object of settings; the settings alone too, as those of a profile are.
std::optional<Network> read_network(const Value &value, const Conditions &conditions);

}  // namespace avc::json
