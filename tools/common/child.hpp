// A child process that cannot outlive us: it is told to end and waited for, made to end if it does not, and the
// kernel ends it should we be killed ourselves. It has a process group of its own, so that Ctrl-C in the terminal
// reaches us alone and we decide what becomes of it. Its standard error goes to a file.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace avc::tools {

class Child {
 public:
  // `environment` holds additional NAME=VALUE. Throws Failure(no_start).
  Child(const std::filesystem::path &program, const std::vector<std::string> &arguments,
        const std::vector<std::string> &environment, const std::filesystem::path &error_log);
  ~Child();  // as end()
  Child(const Child &) = delete;
  Child &operator=(const Child &) = delete;

  // The next line of its standard output; nothing at its end, or when it did not come in time.
  std::optional<std::string> read_line(std::chrono::milliseconds patience);
  // SIGTERM, then SIGKILL when `patience` is over. Harmless when it is gone already.
  void end(std::chrono::milliseconds patience = std::chrono::seconds(5));
  bool running();                    // to be asked now and then: also empties its standard output
  std::string how_it_ended() const;  // "exited with 1", "ended by signal 11"; valid once running() is false
  std::string last_words() const;    // the last lines of its standard error

 private:
  bool reap(int flags);

  pid_t pid_ = -1;
  int out_ = -1;
  std::string buffered_;
  std::optional<int> status_;
  std::filesystem::path log_;
};

}  // namespace avc::tools
