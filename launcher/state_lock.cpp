#include "launcher/state_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace avc::launcher {

Result<StateLock> StateLock::take(const std::string &directory) {
  const std::string path = directory + "/lock";
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return Error{"--state-dir", path + ": " + std::strerror(errno)};
  StateLock lock(file);
  if (flock(file, LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno == EWOULDBLOCK)
    return Error{"--state-dir", directory + " is in use by another avchaosd; give each one a directory of its own"};
  return Error{"--state-dir", path + ": " + std::strerror(errno)};
}

StateLock::~StateLock() {
  if (file_ >= 0) close(file_);
}

}  // namespace avc::launcher
