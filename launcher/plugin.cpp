#include "launcher/plugin.hpp"

#include <gst/gst.h>

#include <filesystem>
#include <fstream>

#include "elements/support/ptr.hpp"

namespace avc::launcher {
namespace fs = std::filesystem;
namespace {

constexpr const char *kPluginName = "avchaos";
constexpr const char *kOurs[] = {"avchaossrc", "participanttagger", "spikescheduler", "chaosdegrader",
                                 "avchaosudpsink"};
// What avchaossrc makes and payloads media with.
constexpr const char *kStock[] = {"rtph264pay", "rtpopuspay", "h264parse", "opusenc", "appsink", "decodebin"};

// What viewers over WebRTC need; everything else works without.
constexpr const char *kViewers[] = {"webrtcbin", "nicesink", "dtlssrtpenc", "srtpenc"};

constexpr std::size_t kProbeBytes = 65536;  // more than what hides in a block that is already there

fs::path own_directory() {
  std::error_code fault;
  return fs::read_symlink("/proc/self/exe", fault).parent_path();
}

api::Check check_plugin() {
  GstPlugin *plugin = gst_registry_find_plugin(gst_registry_get(), kPluginName);
  if (plugin == nullptr) {
    return {"plugin", false, "GStreamer finds no plugin \"avchaos\"",
            "set GST_PLUGIN_PATH to the folder of libgstavchaos.so"};
  }
  const std::string version = gst_plugin_get_version(plugin);
  const char *file = gst_plugin_get_filename(plugin);
  const std::string where = file != nullptr ? file : "";
  gst_object_unref(plugin);
  if (version != AVC_VERSION) {
    return {"plugin", false, where + " is version " + version + ", this daemon is " AVC_VERSION,
            "remove the other one from GST_PLUGIN_PATH, or install both from one build"};
  }
  return {"plugin", true, "version " + version + ", " + where, ""};
}

api::Check check_element(const char *name) {
  GstElementFactory *factory = gst_element_factory_find(name);
  if (factory == nullptr) return {name, false, "this element is missing", "install the GStreamer plugin that has it"};
  gst_object_unref(factory);
  return {name, true, "there", ""};
}

api::Check check_viewers() {
  std::string missing;
  for (const char *name : kViewers) {
    if (check_element(name).ok) continue;
    missing += (missing.empty() ? "" : ", ") + std::string(name);
  }
  if (missing.empty()) return {"viewers", true, "WebRTC is there", ""};
  return {"viewers", true, "nobody can watch over WebRTC without " + missing,
          "install gstreamer1.0-plugins-bad and gstreamer1.0-nice"};
}

api::Check check_state_dir(const std::string &state_dir) {
  const fs::path probe = fs::path(state_dir) / ".writable";
  std::ofstream out(probe);
  out << std::string(kProbeBytes, '1');
  out.close();  // a full disk is told of here
  std::error_code fault;
  fs::remove(probe, fault);
  if (!out) {
    const auto space = fs::space(state_dir, fault);
    if (!fault && space.available < kProbeBytes)
      return {"state directory", false, state_dir + " is full", "make room, or choose another with --state-dir"};
    return {"state directory", false, state_dir + " cannot be written", "choose another with --state-dir"};
  }
  return {"state directory", true, state_dir, ""};
}

}  // namespace

void find_plugin() {
  if (GstPlugin *known = gst_registry_find_plugin(gst_registry_get(), kPluginName)) {
    gst_object_unref(known);
    return;
  }
  const fs::path here = own_directory();
  for (const char *folder : {"../plugins", "../lib/gstreamer-1.0", "../lib/x86_64-linux-gnu/gstreamer-1.0",
                             "../lib/aarch64-linux-gnu/gstreamer-1.0"}) {
    std::error_code fault;
    const fs::path path = fs::canonical(here / folder, fault);
    if (fault || !fs::exists(path / "libgstavchaos.so", fault)) continue;
    GError *error = nullptr;
    GstPlugin *plugin = gst_plugin_load_file((path / "libgstavchaos.so").c_str(), &error);
    const auto owned = take(error);
    if (plugin == nullptr) continue;
    gst_registry_add_plugin(gst_registry_get(), plugin);
    gst_registry_scan_path(gst_registry_get(), path.c_str());
    gst_object_unref(plugin);
    return;
  }
}

std::vector<api::Check> check_readiness(const std::string &state_dir) {
  std::vector<api::Check> checks{check_plugin()};
  for (const char *name : kOurs) checks.push_back(check_element(name));
  for (const char *name : kStock) checks.push_back(check_element(name));
  checks.push_back(check_viewers());
  checks.push_back(check_state_dir(state_dir));
  return checks;
}

}  // namespace avc::launcher
