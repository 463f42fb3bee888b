// What the daemon does with the elements of a participant, whatever pipeline they are in: its own, or a viewer's.
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/spike/spike.hpp"
#include "launcher/results/samples.hpp"

namespace avc::session {

// What a source plays.
struct MediaSettings {
  std::string location;        // empty: generated media
  std::string audio_location;  // empty: the sound of location
  std::uint32_t width = 1280, height = 720;
  double fps = 30;
  double file_fps = 0;     // of bare H.264; 0: as the file says
  std::string renditions;  // kbps, "2500,1200"; empty: the media as it is
};
class Setter;
void set_media(Setter &source, const MediaSettings &media);

// The plan as spikescheduler's `schedule` property takes it.
std::string schedule_json(const std::vector<spike::Planned> &planned);
bool inject_into(GstElement *scheduler, const spike::Planned &planned);  // false: it refused
bool cancel_in(GstElement *scheduler, const std::string &spike_id);      // false: it does not know that one

// What avchaossrc made and what chaosdegrader did to it; the rest of the snapshot stays as it is.
void read_link(GstElement *source, GstElement *degrader, results::ParticipantSnapshot &snapshot);

}  // namespace avc::session
