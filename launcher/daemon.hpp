// Owns everything the process has, in the order in which it starts and, backwards, ends.
#pragma once

#include <memory>
#include <string>

#include "core/result.hpp"
#include "launcher/api/context.hpp"
#include "launcher/config.hpp"
#include "launcher/http/router.hpp"
#include "launcher/http/server.hpp"
#include "launcher/rtsp/server.hpp"
#include "launcher/state_lock.hpp"

namespace avc::launcher {

class Daemon {
 public:
  explicit Daemon(const Config &config);
  ~Daemon();
  Daemon(const Daemon &) = delete;
  Daemon &operator=(const Daemon &) = delete;

  // Makes the state directory, listens, and gives the base URL.
  Result<std::string> start();
  // Stops all tests in order and writes their results; nothing is accepted any more.
  void stop(results::EndReason reason);

  api::Context &context() { return *context_; }
  const rtsp::Server *rtsp() const { return rtsp_.get(); }  // none: it was not asked for

 private:
  Config config_;
  StateLock lock_;
  rtsp::Mounts mounts_;
  std::unique_ptr<api::Context> context_;
  std::unique_ptr<rtsp::Server> rtsp_;
  std::unique_ptr<http::Router> router_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace avc::launcher
