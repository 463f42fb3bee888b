// The daemon a command talks to: one that runs already, or a child of our own on a free loopback port with a state
// directory that goes when we go.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/common/child.hpp"
#include "tools/common/files.hpp"
#include "tools/common/http_client.hpp"

namespace avc::tools {

class Server {
 public:
  // A daemon at `base_url`; throws Failure(no_start) when none answers. AVCHAOS_TOKEN is sent along.
  static Server at(const std::string &base_url);
  // A child of ours that may play media files from these directories, started with these flags too; throws
  // Failure(no_start) when it cannot be found or does not get ready.
  static Server own(const std::vector<std::filesystem::path> &media_directories = {},
                    const std::vector<std::string> &more_flags = {});
  // Whether a daemon (and not something else) answers at this URL.
  static bool answers(const std::string &base_url);

  HttpClient &http() { return *http_; }
  const std::string &url() const { return http_->base_url(); }
  bool is_own() const { return child_ != nullptr; }
  // Of a child of ours: what is to be kept of it has to be taken before we go.
  std::optional<std::filesystem::path> state_directory() const;
  // Why there is no daemon any more; nothing while it runs, or when it is not ours to know.
  std::optional<std::string> death();

 private:
  Server() = default;

  std::unique_ptr<TemporaryDirectory> state_;  // outlives the child
  std::unique_ptr<Child> child_;
  std::unique_ptr<HttpClient> http_;
};

}  // namespace avc::tools
