// spikescheduler's properties as a table.
#pragma once

#include "elements/scheduler/settings.hpp"
#include "elements/support/properties.hpp"

namespace avc::scheduler {

inline GType strategy_type() {
  static const GEnumValue values[] = {{int(spike::Strategy::even), "Over the whole test, evenly", "even"},
                                      {int(spike::Strategy::random), "Over the whole test, by chance", "random"},
                                      {int(spike::Strategy::front_loaded), "Over the first 40 %", "front_loaded"},
                                      {int(spike::Strategy::back_loaded), "Over the last 40 %", "back_loaded"},
                                      {int(spike::Strategy::legacy), "Each exactly at its own offset", "legacy"},
                                      {0, nullptr, nullptr}};
  return register_enum("AvcSpikeStrategy", values);
}

inline const Property<Settings> kProperties[] = {
    {"schedule", "Spikes with their times, as JSON text", &Settings::schedule, 0, 0, kReady},
    {"schedule-location", "File with the same", &Settings::schedule_location, 0, 0, kReady},
    {"spikes", "Spikes to be spread by strategy, as JSON text", &Settings::spikes, 0, 0, kReady},
    {"strategy", "How spikes are spread", choice<Settings, &Settings::strategy>(strategy_type), 0, 0, kReady},
    {"duration-ms", "Length of the test that spikes are spread over, in ms (0: without end)", &Settings::duration_ms, 0,
     1e12, kReady},
    {"min-spacing-ms", "Shortest time between two starts, in ms", &Settings::min_spacing_ms, 0, 0, kReady},
    {"jitter-percent", "How far starts may move, in percent of a quarter of the interval", &Settings::jitter_percent, 0,
     100, kReady},
    {"respect-min-offset", "No spike before its own start_offset_seconds", &Settings::respect_min_offset, 0, 0, kReady},
    {"connections",
     "Take ice_restart and srtp_rekey: whoever reads their messages replaces the peer connection (else: refused)",
     &Settings::connections, 0, 0, kReady},
    {"seed", "Repeats the plan (0: the seed that upstream's avchaos-participant event names)", &Settings::seed, 0, 0,
     kReady},
    {"context", "Name of the thread that steps in where no packets flow (empty: one of its own)", &Settings::context, 0,
     0, kReady},
};

}  // namespace avc::scheduler
