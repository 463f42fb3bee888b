#include "tools/render/terminal.hpp"

#include <cstdlib>
#include <string_view>

#include <sys/ioctl.h>
#include <unistd.h>

namespace avc::tools::render {
namespace {

constexpr std::chrono::milliseconds kRedraw(250);

bool variable_set(const char *name) {
  const char *value = std::getenv(name);
  return value && *value;
}

}  // namespace

Terminal::Terminal(std::FILE *out) : out_(out) {
  const char *term = std::getenv("TERM");
  tty_ = isatty(fileno(out)) && !(term && std::string_view(term) == "dumb");
  paint_.on = tty_ && !variable_set("NO_COLOR");
}

Terminal::~Terminal() { std::fflush(out_); }

std::size_t Terminal::columns() const {
  if (!tty_) return 0;
  winsize size{};
  return ioctl(fileno(out_), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void Terminal::erase() {
  if (!drawn_.empty()) std::fprintf(out_, "\x1b[%zuA\r\x1b[J", drawn_.size());
}

void Terminal::line(const std::string &text) {
  erase();
  std::fprintf(out_, "%s\n", text.c_str());
  for (const auto &line : drawn_) std::fprintf(out_, "%s\n", line.c_str());
  std::fflush(out_);
}

void Terminal::text(const std::string &text) {
  end_block();
  std::fwrite(text.data(), 1, text.size(), out_);
  std::fflush(out_);
}

void Terminal::block(const std::vector<std::string> &lines, Clock::time_point now, bool must) {
  if (!tty_ || (!must && !drawn_.empty() && now - drawn_at_ < kRedraw)) return;
  erase();
  for (const auto &line : lines) std::fprintf(out_, "%s\n", line.c_str());
  std::fflush(out_);
  drawn_ = lines;
  drawn_at_ = now;
}

void Terminal::end_block() { drawn_.clear(); }

}  // namespace avc::tools::render
