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

// Over the old block, line by line and in one write, so that nothing flickers.
void Terminal::draw(const std::vector<std::string> &kept, const std::vector<std::string> &block) {
  std::string out = drawn_.empty() ? "" : "\x1b[" + std::to_string(drawn_.size()) + "A\r";
  const char *const end = drawn_.empty() ? "\n" : "\x1b[K\n";
  for (const auto &line : kept) out += line + end;
  for (const auto &line : block) out += line + end;
  if (!drawn_.empty()) out += "\x1b[J";
  std::fwrite(out.data(), 1, out.size(), out_);
  std::fflush(out_);
  drawn_ = block;
}

void Terminal::line(const std::string &text) { draw({text}, std::vector<std::string>(drawn_)); }

void Terminal::text(const std::string &text) {
  end_block();
  std::fwrite(text.data(), 1, text.size(), out_);
  std::fflush(out_);
}

void Terminal::block(const std::vector<std::string> &lines, Clock::time_point now, bool must) {
  if (!tty_ || (!must && !drawn_.empty() && now - drawn_at_ < kRedraw)) return;
  draw({}, lines);
  drawn_at_ = now;
}

void Terminal::end_block() { drawn_.clear(); }

}  // namespace avc::tools::render
