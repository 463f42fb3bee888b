#include "launcher/calibration.hpp"

#include "core/json/json.hpp"

namespace avc::launcher {
namespace {

// A packet costs neither less than a system call's hundredth part nor more than a millisecond.
constexpr double kLeast = 1e-8, kMost = 1e-3;

std::string why_not(const std::string &text, const std::string &machine, session::PacketCost &cost) {
  const auto document = json::Document::parse(text);
  if (!document) return document.error().message;
  json::Notes notes;
  auto root = document->root(notes).object();
  if (!root) return "is not an object";
  const auto measured_on = root->get("machine");
  const auto costs = root->get("seconds_per_packet");
  auto object = costs ? costs->object() : std::nullopt;
  if (!measured_on || !object) return "has no \"machine\" or no \"seconds_per_packet\"";
  const auto where = measured_on->text();
  if (where != machine) return "was measured on another machine (" + where.value_or("?") + ")";
  const auto sender = object->get("sender"), receiver = object->get("receiver");
  const auto sends = sender ? sender->number(kLeast, kMost) : std::nullopt;
  const auto receives = receiver ? receiver->number(kLeast, kMost) : std::nullopt;
  if (!sends || !receives)
    return notes.faults.empty() ? "lacks a figure in \"seconds_per_packet\"" : notes.faults.front().text();
  cost = {*sends, *receives, true};
  return "";
}

}  // namespace

Calibration find_calibration(const std::vector<std::string> &paths, const std::string &machine,
                             const ReadFile &read_file) {
  Calibration found;
  for (const std::string &path : paths) {
    const auto text = read_file(path);
    if (!text) continue;
    if (const std::string fault = why_not(*text, machine, found.cost); !fault.empty()) {
      found.warning = path + " " + fault + "; avchaos doctor --calibrate makes a new one";
      return found;
    }
    found.path = path;
    return found;
  }
  return found;
}

}  // namespace avc::launcher
