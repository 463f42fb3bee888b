#include "launcher/http/rate_limit.hpp"

#include <algorithm>

namespace avc::launcher::http {

bool RateLimit::admit(const std::string &client, double now) {
  if (buckets_.size() >= kClients && !buckets_.contains(client)) {
    // Full buckets say nothing; if every one of so many clients is busy, the flood is not worth remembering either.
    std::erase_if(buckets_, [&](const auto &entry) {
      return entry.second.level + (now - entry.second.at) * per_second_ >= burst_;
    });
    if (buckets_.size() >= kClients) buckets_.clear();
  }
  auto &bucket = buckets_.try_emplace(client, Bucket{burst_, now}).first->second;
  bucket.level = std::min(burst_, bucket.level + (now - bucket.at) * per_second_);
  bucket.at = now;
  if (bucket.level < 1) return false;
  bucket.level -= 1;
  return true;
}

}  // namespace avc::launcher::http
