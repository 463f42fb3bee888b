// Who may call: bearer tokens.
#pragma once

#include <string>
#include <string_view>

#include "launcher/http/route.hpp"

namespace avc::launcher::http {

struct Gate {
  std::string token;          // empty: nobody is asked
  std::string metrics_token;  // empty: /metrics is open

  bool admits(Access access, std::string_view authorization_header) const;
};

// Takes the same time whichever character differs, so that a token cannot be guessed piece by piece.
bool same_secret(std::string_view given, std::string_view secret);

}  // namespace avc::launcher::http
