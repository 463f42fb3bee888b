#include <algorithm>
#include <array>

#include "core/text.hpp"
#include "launcher/scenario/duration.hpp"
#include "launcher/scenario/readers.hpp"

namespace avc::scenario {
namespace {

template <class E, std::size_t N>
void take_word(json::Object &object, std::string_view key, const std::array<std::string_view, N> &words, E first,
               E &slot) {
  const auto text = object.text(key, 32);
  if (!text) return;
  const auto found = std::find(words.begin(), words.end(), *text);
  if (found == words.end()) return object.fault(key, unknown_text("value", *text, words));
  slot = static_cast<E>(static_cast<int>(first) + (found - words.begin()));
}

void take_bool(json::Object &object, std::string_view key, bool &slot) {
  if (const auto value = object.boolean(key)) slot = *value;
}

std::optional<Threshold> parsed(const std::string &metric, const json::Value &where, const std::string &expr) {
  auto threshold = parse_threshold(metric, expr);
  if (threshold) return std::move(*threshold);
  where.fault(threshold.error().message);
  return std::nullopt;
}

// {"expr": "p(95) < 2", "severity": "warn", ...}; k6's names for the same things are taken too.
void read_object(const std::string &metric, const json::Value &value, std::vector<Threshold> &thresholds) {
  auto object = value.object();
  if (!object) return;
  auto expr = object->text("expr", 256);
  const auto k6 = object->text("threshold", 256);
  if (expr && k6) object->fault("threshold", "is the same as expr, given twice");
  if (!expr) expr = k6;
  if (!expr) object->fault("expr", "is missing");
  auto threshold = expr ? parsed(metric, value, *expr) : std::nullopt;
  Threshold unused;
  Threshold &t = threshold ? *threshold : unused;

  std::uint8_t severity = 0;
  take_word(*object, "severity", std::array<std::string_view, 2>{"fail", "warn"}, std::uint8_t{0}, severity);
  t.warn = severity == 1;
  take_word(*object, "scope", std::array<std::string_view, 3>{"before", "during", "after"}, Threshold::Scope::before,
            t.scope);
  take_word(*object, "per", std::array<std::string_view, 3>{"stream", "participant", "second"}, Threshold::Per::stream,
            t.per);
  t.for_seconds = read_seconds(*object, "for_seconds", 0, 86400).value_or(0);
  t.delay_seconds = read_seconds(*object, "delay_seconds", 0, 86400).value_or(0);
  if (const auto delay = read_seconds(*object, "delayAbortEval", 0, 86400)) t.delay_seconds = *delay;
  take_bool(*object, "abort_on_fail", t.abort_on_fail);
  take_bool(*object, "abortOnFail", t.abort_on_fail);
  take_bool(*object, "allow_no_data", t.allow_no_data);
  object->done();
  if (threshold) thresholds.push_back(std::move(*threshold));
}

void read_one(const std::string &metric, const json::Value &value, std::vector<Threshold> &thresholds) {
  if (value.kind() == json::Value::Kind::object) return read_object(metric, value, thresholds);
  const auto expr = value.text(256);
  if (!expr) return;
  if (auto threshold = parsed(metric, value, *expr)) thresholds.push_back(std::move(*threshold));
}

}  // namespace

void read_thresholds(json::Object &object, std::vector<Threshold> &thresholds) {
  for (const auto &[metric, value] : object.members()) {
    if (value.kind() == json::Value::Kind::array) {
      for (const auto &item : value.array(20)) read_one(metric, item, thresholds);
    } else {
      read_one(metric, value, thresholds);
    }
  }
}

}  // namespace avc::scenario
