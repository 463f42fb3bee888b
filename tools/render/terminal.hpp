// Where the text goes: a terminal, whose last lines are redrawn in place at most four times a second, or anything
// else (a file, a CI log), which gets plain lines a few seconds apart.
#pragma once

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "tools/render/text.hpp"

namespace avc::tools::render {

class Terminal {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Terminal(std::FILE *out);  // looks at what it is: a tty, NO_COLOR, TERM=dumb
  ~Terminal();                        // leaves the block as it is, with the cursor below it
  Terminal(const Terminal &) = delete;
  Terminal &operator=(const Terminal &) = delete;

  bool is_tty() const { return tty_; }
  std::size_t columns() const;  // 0: not a terminal, any width will do
  const Paint &paint() const { return paint_; }

  void line(const std::string &text);  // stays; above the block, if there is one
  void text(const std::string &text);  // as it is, may have many lines; ends the block

  // The block, drawn anew; skipped if the last drawing was under a quarter of a second ago, unless it must be shown.
  void block(const std::vector<std::string> &lines, Clock::time_point now, bool must = false);
  void end_block();  // what was drawn stays

 private:
  void draw(const std::vector<std::string> &kept, const std::vector<std::string> &block);

  std::FILE *out_;
  bool tty_;
  Paint paint_;
  std::vector<std::string> drawn_;
  Clock::time_point drawn_at_{};
};

}  // namespace avc::tools::render
