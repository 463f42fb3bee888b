// Results as JSON: report.json, and its pieces as the event stream and the other routes send them. docs/report.md has
// every field. A number that could not be measured is null, never 0.
#pragma once

#include <string>
#include <vector>

#include "launcher/http/json_writer.hpp"
#include "launcher/results/samples.hpp"

namespace avc::results {

// The members of one thing, put into the object that the writer has open.
void write_fields(json::Writer &out, const Sample &sample);
void write_fields(json::Writer &out, const SpikeRecord &spike);
void write_fields(json::Writer &out, const SenderCounters &sent);
void write_fields(json::Writer &out, const ReceiverCounters &received, Media media);
void write_fields(json::Writer &out, const ParticipantSnapshot &participant, bool has_receiver);
void write_fields(json::Writer &out, const SubscriberSnapshot &subscriber);
void write_fields(json::Writer &out, const Verdict &verdict);

// The members `subscribed` and `subscribers`, left out of a test that has none.
void write_subscribers(json::Writer &out, const RunResult &run);

// The object itself; one line.
template <class T>
std::string to_json(const T &what) {
  json::Writer out;
  write_fields(out.begin_object(), what);
  return out.end_object().take();
}

const char *name(Media media);
const char *name(SpikeState state);
const char *name(ParticipantState state);
const char *name(Outcome outcome);
const char *name(EndReason reason);

// The whole report. `spikes_json`, if not empty, stands in for run.spikes (a run read back from the history).
std::string report_json(const RunResult &run, const std::vector<std::string> &spikes_json = {});

}  // namespace avc::results
