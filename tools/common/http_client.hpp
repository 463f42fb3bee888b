// A REST client over libsoup that waits for the reply. While it waits the main context runs, so signals and event
// streams are served; nothing here starts a thread. Failures are one line that names the URL.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "tools/common/exit_code.hpp"
#include "tools/common/ptr.hpp"

namespace avc::tools {

struct Reply {
  unsigned status = 0;
  std::string body;

  bool ok() const { return status >= 200 && status < 300; }
};

class HttpClient {
 public:
  // base_url without the path, "http://HOST:PORT". An empty token sends no authorization.
  explicit HttpClient(std::string base_url, std::string token = {});

  const std::string &base_url() const { return base_url_; }
  const std::string &token() const { return token_; }

  // Any HTTP status is a Reply; an Error means that there was none.
  Result<Reply> request(const char *method, const std::string &path, std::string_view json = {},
                        std::chrono::seconds patience = std::chrono::seconds(30));

  // As request(), but anything except 2xx throws Failure: without a reply `unreachable`, else by failure_of().
  Reply expect(const char *method, const std::string &path, std::string_view json = {}, Exit unreachable = Exit::other);

 private:
  std::string base_url_, token_;
  Ptr<SoupSession> session_;
};

// What a problem document (or a plain text body) says, in one line: "field: detail".
std::string problem_line(const Reply &reply);
Exit exit_of_status(unsigned status);

// Checks and normalises what a user gave as a base URL (a missing scheme is added, slashes at the end go).
Result<std::string> normal_base_url(const std::string &text);

// The message with our headers on it; null if the URL cannot be parsed.
Ptr<SoupMessage> make_message(const char *method, const std::string &url, const std::string &token);

}  // namespace avc::tools
