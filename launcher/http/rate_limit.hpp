// Requests per second and client: a token bucket each, for a bounded number of clients. A client that is not
// remembered starts with a full bucket. Time is handed in.
#pragma once

#include <string>
#include <unordered_map>

namespace avc::launcher::http {

class RateLimit {
 public:
  RateLimit(double per_second, double burst) : per_second_(per_second), burst_(burst) {}

  bool admit(const std::string &client, double now_seconds);

  static constexpr std::size_t kClients = 4096;

 private:
  struct Bucket {
    double level, at;
  };

  double per_second_, burst_;
  std::unordered_map<std::string, Bucket> buckets_;
};

}  // namespace avc::launcher::http
