#include "tools/common/child.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/common/exit_code.hpp"

namespace avc::tools {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

std::vector<char *> pointers(std::vector<std::string> &words) {
  std::vector<char *> out;
  for (auto &word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

// Between fork and exec only calls that are safe there; everything was prepared before.
[[noreturn]] void become(const char *program, char **argv, char **envp, int out, int log, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // the parent was gone before the line above took hold
  setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int null = open("/dev/null", O_RDONLY);
  if (null >= 0) dup2(null, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execve(program, argv, envp);
  _exit(127);
}

}  // namespace

Child::Child(const std::filesystem::path &program, const std::vector<std::string> &arguments,
             const std::vector<std::string> &environment, const std::filesystem::path &error_log)
    : log_(error_log) {
  std::vector<std::string> words{program.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> variables = environment;
  for (char **e = environ; *e; ++e) {
    const std::string_view entry(*e);
    const auto name = entry.substr(0, entry.find('=') + 1);
    bool replaced = false;
    for (const auto &own : environment) replaced |= own.starts_with(name);
    if (!replaced) variables.emplace_back(entry);
  }
  auto argv = pointers(words);
  auto envp = pointers(variables);
  int pipe_ends[2];
  const int log = open(error_log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (log < 0 || pipe2(pipe_ends, O_CLOEXEC) < 0) {
    const int why = errno;
    if (log >= 0) close(log);
    throw Failure(Exit::no_start, "cannot start " + program.string() + ": " + std::strerror(why));
  }
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) become(words[0].c_str(), argv.data(), envp.data(), pipe_ends[1], log, parent);
  const int why = errno;
  close(pipe_ends[1]);
  close(log);
  out_ = pipe_ends[0];
  if (pid_ < 0) {
    close(out_);
    throw Failure(Exit::no_start, "cannot start " + program.string() + ": " + std::strerror(why));
  }
}

Child::~Child() {
  end();
  close(out_);
}

std::optional<std::string> Child::read_line(milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  for (;;) {
    if (const auto at = buffered_.find('\n'); at != std::string::npos) {
      std::string line = buffered_.substr(0, at);
      buffered_.erase(0, at + 1);
      return line;
    }
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now()).count();
    pollfd wait{out_, POLLIN, 0};
    const int ready = left > 0 ? poll(&wait, 1, static_cast<int>(left)) : 0;
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return std::nullopt;
    char chunk[512];
    const ssize_t got = read(out_, chunk, sizeof chunk);
    if (got <= 0) return std::nullopt;
    buffered_.append(chunk, static_cast<std::size_t>(got));
  }
}

bool Child::reap(int flags) {
  if (status_) return true;
  int status = 0;
  pid_t got = 0;
  do got = waitpid(pid_, &status, flags);
  while (got < 0 && errno == EINTR);
  if (got == 0) return false;
  status_ = got == pid_ ? status : 0;
  return true;
}

bool Child::running() {
  // What it still prints is thrown away, so that it never waits for us to read.
  for (pollfd wait{out_, POLLIN, 0}; poll(&wait, 1, 0) > 0;) {
    char chunk[4096];
    if (read(out_, chunk, sizeof chunk) <= 0) break;
  }
  return !reap(WNOHANG);
}

void Child::end(milliseconds patience) {
  if (reap(WNOHANG)) return;
  kill(pid_, SIGTERM);
  for (const auto deadline = Clock::now() + patience; Clock::now() < deadline;) {
    if (reap(WNOHANG)) return;
    std::this_thread::sleep_for(milliseconds(10));
  }
  kill(pid_, SIGKILL);
  reap(0);
}

std::string Child::how_it_ended() const {
  if (!status_) return "is running";
  if (WIFSIGNALED(*status_)) return "ended by signal " + std::to_string(WTERMSIG(*status_));
  return "exited with " + std::to_string(WEXITSTATUS(*status_));
}

std::string Child::last_words() const {
  std::ifstream in(log_);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);)
    if (!line.empty()) lines.push_back(line);
  std::string out;
  for (std::size_t i = lines.size() > 5 ? lines.size() - 5 : 0; i < lines.size(); ++i) out += "\n  " + lines[i];
  return out;
}

}  // namespace avc::tools
