// avchaosd: reads what it is told, starts the daemon, runs until a signal.
#include <glib-unix.h>
#include <gst/gst.h>

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "launcher/config.hpp"
#include "launcher/daemon.hpp"
#include "launcher/plugin.hpp"

namespace {

using avc::launcher::Config;

std::optional<std::string> environment(const char *name) {
  const char *value = std::getenv(name);
  return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
}

int complain(const std::vector<avc::Error> &errors) {
  for (const auto &error : errors) std::fprintf(stderr, "avchaosd: %s\n", error.text().c_str());
  return 1;
}

gboolean quit(gpointer loop) noexcept {
  g_main_loop_quit(static_cast<GMainLoop *>(loop));
  return G_SOURCE_CONTINUE;
}

// The soft limit is low for the sake of select(), which nothing here uses.
void allow_many_files() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 65536);
  (void)setrlimit(RLIMIT_NOFILE, &limit);
}

int run(const Config &config) {
  allow_many_files();
  avc::launcher::find_plugin();
  for (const auto &warning : config.warnings) std::fprintf(stderr, "avchaosd: warning: %s\n", warning.c_str());
  for (const auto &check : avc::launcher::check_readiness(config.state_dir)) {
    // The state directory is made by start(), which says what is wrong with it.
    if (!check.ok && check.name != "state directory") {
      std::fprintf(stderr, "avchaosd: warning: %s: %s; %s\n", check.name.c_str(), check.detail.c_str(),
                   check.advice.c_str());
    }
  }
  avc::launcher::Daemon daemon(config);
  const auto url = daemon.start();
  if (!url) return complain({url.error()});
  std::printf("listening on %s\n", url->c_str());
  if (daemon.rtsp() != nullptr) std::printf("listening on %s\n", daemon.rtsp()->url().c_str());
  std::fflush(stdout);

  GMainLoop *loop = g_main_loop_new(nullptr, FALSE);
  const guint sources[] = {g_unix_signal_add(SIGTERM, quit, loop), g_unix_signal_add(SIGINT, quit, loop)};
  g_main_loop_run(loop);
  for (const guint source : sources) g_source_remove(source);
  g_main_loop_unref(loop);
  daemon.stop(avc::results::EndReason::signal);
  return 0;
}

}  // namespace

int main(int argc, char **argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto loaded = avc::launcher::load_config(arguments, environment, avc::launcher::read_text_file);
  if (const auto *errors = std::get_if<1>(&loaded)) return complain(*errors);
  const Config &config = std::get<0>(loaded);
  if (config.show_help) {
    std::fputs(avc::launcher::usage().c_str(), stdout);
    return 0;
  }
  if (config.show_version) {
    std::puts("avchaosd " AVC_VERSION);
    return 0;
  }
  GError *error = nullptr;
  if (gst_init_check(nullptr, nullptr, &error) == FALSE) {
    std::fprintf(stderr, "avchaosd: GStreamer does not start: %s\n", error != nullptr ? error->message : "");
    g_clear_error(&error);
    return 1;
  }
  const int code = run(config);
  gst_deinit();  // the leaks tracer looks here
  return code;
}
