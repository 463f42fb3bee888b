#include "launcher/http/gate.hpp"

#include <strings.h>

namespace avc::launcher::http {

bool same_secret(std::string_view given, std::string_view secret) {
  // The length of the secret is not part of the secret; the loop always walks the whole of it.
  unsigned difference = given.size() == secret.size() ? 0 : 1;
  for (std::size_t i = 0; i < secret.size(); ++i) {
    const char other = i < given.size() ? given[i] : '\0';
    difference |= static_cast<unsigned char>(secret[i]) ^ static_cast<unsigned char>(other);
  }
  return difference == 0;
}

bool Gate::admits(Access access, std::string_view header) const {
  const std::string &secret = access == Access::metrics ? metrics_token : token;
  if (access == Access::open || secret.empty()) return true;
  constexpr std::string_view kScheme = "bearer ";
  if (header.size() <= kScheme.size() || strncasecmp(header.data(), kScheme.data(), kScheme.size()) != 0) return false;
  const std::string_view given = header.substr(kScheme.size());
  return same_secret(given, secret) || (access == Access::metrics && !token.empty() && same_secret(given, token));
}

}  // namespace avc::launcher::http
