// What tests of chaosdegrader share: the element on its bench, lists of packets, files, and how to read its log.
#pragma once

#include "tests/elements/bench.hpp"

#include <glib/gstdio.h>
#include <unistd.h>

namespace avc::test {

struct Bench : PadBench {
  explicit Bench(const std::string &properties) : PadBench("chaosdegrader " + properties) {}
};

inline Ptr<GstBufferList> list_of(std::uint16_t from, std::uint16_t count, GstClockTime pts) {
  auto list = take(gst_buffer_list_new());
  for (std::uint16_t i = 0; i < count; i++) {
    gst_buffer_list_add(list.get(), give(packet_of(video(static_cast<std::uint16_t>(from + i), pts))));
  }
  return list;
}

struct TempFile {
  std::string path;
  TempFile() {
    char *name = nullptr;
    const int fd = g_file_open_tmp("avchaos-XXXXXX", &name, nullptr);
    ck_assert(fd >= 0);
    close(fd);
    path = name;
    g_free(name);
  }
  ~TempFile() { g_unlink(path.c_str()); }
  std::string text() const {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::vector<std::string> lines() const {
    std::ifstream file(path);
    std::vector<std::string> all;
    for (std::string line; std::getline(file, line);) all.push_back(line);
    return all;
  }
};

// A number from a line of the log, or `otherwise`.
inline double number_in(const std::string &line, const std::string &field, double otherwise = -1) {
  const auto at = line.find("\"" + field + "\":");
  return at == std::string::npos ? otherwise : std::stod(line.substr(at + field.size() + 3));
}

// The numbers in lines with this fate.
inline std::vector<std::uint16_t> with_fate(const std::vector<std::string> &lines, const std::string &fate) {
  std::vector<std::uint16_t> numbers;
  for (const auto &line : lines) {
    if (line.find("\"fate\":\"" + fate + "\"") == std::string::npos) continue;
    numbers.push_back(static_cast<std::uint16_t>(std::stoul(line.substr(line.find("\"n\":") + 4))));
  }
  return numbers;
}

inline std::string text_of(GstElement *element, const char *property) {
  GValue value = G_VALUE_INIT;
  g_object_get_property(G_OBJECT(element), property, &value);
  gchar *text = G_VALUE_HOLDS_STRING(&value) ? g_value_dup_string(&value) : gst_value_serialize(&value);
  const std::string copy = text ? text : "";
  g_free(text);
  g_value_unset(&value);
  return copy;
}

inline void expect_text(const std::string &got, const std::string &wanted) {
  ck_assert_msg(got == wanted, "\"%s\" is not \"%s\"", got.c_str(), wanted.c_str());
}

// The texts of all warnings on the bus so far.
inline std::vector<std::string> warnings_on(GstBus *bus) {
  std::vector<std::string> texts;
  while (auto message = take(gst_bus_pop_filtered(bus, GST_MESSAGE_WARNING))) {
    GError *error = nullptr;
    gst_message_parse_warning(message.get(), &error, nullptr);
    texts.emplace_back(error->message);
    g_error_free(error);
  }
  return texts;
}

}  // namespace avc::test
