// What a user sets on avchaossrc. Those below the line act while PLAYING; the others when the state goes to PAUSED.
#pragma once

#include <gst/gst.h>

#include <string>

#include "core/participant/participant.hpp"

namespace avc::source {

struct Live {
  double max_bitrate_kbps = 0;
  double frame_drop_percent = 0;
  bool audio_silence = false;
  bool gate_open = true;
};

struct Settings {
  std::string location, audio_location, renditions, cache_dir, context;
  std::string encoder = "openh264enc";
  guint participant_id = participant::kFirstId;
  guint64 seed = 0;
  bool loop = true;
  gint start_offset_ms = -1;
  gint start_at_ms = -1;
  guint ahead_ms = 0;
  guint64 duration_ms = 0;
  guint width = 1280, height = 720, fps = 30;
  double file_fps = 0;
  double bitrate_kbps = 0;
  // ----
  double max_bitrate_kbps = 0;
  double frame_drop_percent = 0;
  bool audio_silence = false;
  bool gate_open = true;

  Live live() const { return {max_bitrate_kbps, frame_drop_percent, audio_silence, gate_open}; }
};

}  // namespace avc::source
