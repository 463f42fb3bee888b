// chaosdegrader between two pads of our own, with the settings of a net::Impairment, read from its decision log.
//
// Time is a test clock that follows the packets handed in and never overtakes them, so that what the element holds
// leaves on its context's thread while packets come in.
#pragma once

#include <glib/gstdio.h>

#include <condition_variable>
#include <mutex>

#include "core/net/settings.hpp"
#include "core/net/trace_models.hpp"
#include "tests/core/net/models.hpp"
#include "tests/elements/bench.hpp"

namespace avc::test {

struct Logged {
  std::string stream, fate;
  guint64 n = 0;
  std::int64_t delay_ns = 0, copy_delay_ns = -1;
  std::int64_t bit = -1, copy_bit = -1;
  guint64 sequence = 0;

  bool dropped() const { return fate != "sent" && fate != "duplicated" && fate != "corrupted"; }
};

// A field of one of our own JSON lines, as text; empty if there is none.
inline std::string field_of(const std::string &line, std::string_view name) {
  std::size_t key = line.find(name);  // our values never hold a field's name
  while (key != std::string::npos && (line[key - 1] != '"' || line[key + name.size()] != '"'))
    key = line.find(name, key + 1);
  if (key == std::string::npos) return "";
  auto from = key + name.size() + 2;
  const bool quoted = line[from] == '"';
  from += quoted;
  return line.substr(from, line.find_first_of(quoted ? "\"" : ",}", from) - from);
}

inline std::vector<std::string> lines_of(const std::string &path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

// By stream and n: so sorted, logs of the same packets and seed are identical.
inline std::vector<std::string> sorted(std::vector<std::string> lines) {
  std::vector<std::tuple<std::string, guint64, std::string>> keyed;
  for (auto &line : lines) {
    const std::string stream = field_of(line, "stream"), n = field_of(line, "n");
    keyed.emplace_back(stream, std::stoull(n), std::move(line));
  }
  std::sort(keyed.begin(), keyed.end());
  for (std::size_t i = 0; i < lines.size(); i++) lines[i] = std::move(std::get<2>(keyed[i]));
  return lines;
}

inline std::int64_t nanoseconds_in(const std::string &microseconds) {
  return microseconds.empty() ? -1 : std::llround(std::stod(microseconds) * 1000);
}
inline std::int64_t whole_in(const std::string &text) { return text.empty() ? -1 : std::stoll(text); }

inline std::vector<Logged> read_log(const std::string &path) {
  std::vector<Logged> log;
  for (const std::string &line : lines_of(path)) {
    log.push_back({field_of(line, "stream"), field_of(line, "fate"), std::stoull(field_of(line, "n")),
                   nanoseconds_in(field_of(line, "delay_us")), nanoseconds_in(field_of(line, "copy_delay_us")),
                   whole_in(field_of(line, "bit")), whole_in(field_of(line, "copy_bit")),
                   std::stoull(field_of(line, "seq"))});
  }
  std::sort(log.begin(), log.end(),
            [](const Logged &a, const Logged &b) { return std::tie(a.stream, a.n) < std::tie(b.stream, b.n); });
  return log;
}

// Every setting that is not as a new link's becomes a property.
inline void set_link(GstElement *element, const net::Impairment &wanted) {
  const auto set = [&](std::string name, const std::string &value) {
    std::replace(name.begin(), name.end(), '_', '-');
    gst_util_set_object_arg(G_OBJECT(element), name.c_str(), value.c_str());
  };
  const net::Impairment defaults;
  if (wanted.delay_table) set("delay-table", kTable);
  for (const net::Setting &setting : net::settings()) {
    const double value = setting.get(wanted);
    if (value == setting.get(defaults)) continue;
    char text[40];
    std::snprintf(text, sizeof text, "%.17g", value);
    set(std::string(setting.name),
        setting.is_number() ? text : std::string(setting.words[static_cast<std::size_t>(value)]));
  }
  if (!wanted.loss_pattern.empty()) set("loss-pattern", wanted.loss_pattern.text());
  for (const auto name : net::built_in_traces())
    if (wanted.link_trace == net::built_in_trace(name)) set("link-trace", std::string(name));
}

class LinkBench {
 public:
  struct Arrived {
    GstClockTime at;
    guint16 sequence;
  };

  LinkBench(const net::Impairment &settings, const std::string &log, guint64 seed, guint participant = 1001,
            const std::string &context = "", GstClock *clock = nullptr, const std::string &replay = "")
      : clock_(clock ? share(clock) : take(gst_test_clock_new())), element_(make()) {
    set_link(element_.get(), settings);
    g_object_set(element_.get(), "seed", seed, "context", context.c_str(), nullptr);
    if (!log.empty()) g_object_set(element_.get(), "decision-log", log.c_str(), nullptr);
    if (!replay.empty()) g_object_set(element_.get(), "replay-log", replay.c_str(), nullptr);
    gst_element_set_clock(element_.get(), clock_.get());
    connect();
    ck_assert_int_eq(gst_element_set_state(element_.get(), GST_STATE_PLAYING), GST_STATE_CHANGE_SUCCESS);
    send(gst_event_new_stream_start("link"));
    send(gst_event_new_caps(take(gst_caps_from_string("application/x-rtp")).get()));
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    send(gst_event_new_segment(&segment));
    send(give(make_event(ParticipantInfo{participant, kSsrc, kAudioSsrc, 96, 111, 0})));
  }
  ~LinkBench() {
    gst_element_set_state(element_.get(), GST_STATE_NULL);
    gst_pad_set_active(src_.get(), FALSE);
    gst_pad_set_active(sink_.get(), FALSE);
  }

  GstElement *element() const { return element_.get(); }
  GstTestClock *test_clock() const { return GST_TEST_CLOCK(clock_.get()); }

  // A packet whose payload is shared with all others.
  static Ptr<GstBuffer> packet(guint64 n, GstClockTime pts, std::size_t bytes = 1000, bool audio = false,
                               guint32 timestamp = 0) {
    static std::array<guint8, 10'000> payload{};
    const rtp::Fields fields{static_cast<std::uint8_t>(audio ? 111 : 96),
                             false,
                             false,
                             static_cast<std::uint16_t>(n),
                             timestamp,
                             audio ? kAudioSsrc : kSsrc};
    auto buffer = take(gst_buffer_new_allocate(nullptr, rtp::kFixedHeaderSize, nullptr));
    std::array<std::uint8_t, rtp::kFixedHeaderSize> header;
    rtp::write_fixed_header(header, fields);
    gst_buffer_fill(buffer.get(), 0, header.data(), header.size());
    const std::size_t rest = bytes - rtp::kFixedHeaderSize;
    gst_buffer_append_memory(buffer.get(), gst_memory_new_wrapped(GST_MEMORY_FLAG_READONLY, payload.data(),
                                                                  payload.size(), 0, rest, nullptr, nullptr));
    GST_BUFFER_PTS(buffer.get()) = pts;
    return buffer;
  }

  void push(Ptr<GstBuffer> buffer) { ck_assert_int_eq(gst_pad_push(src_.get(), give(std::move(buffer))), GST_FLOW_OK); }
  void push(Ptr<GstBufferList> list) {
    ck_assert_int_eq(gst_pad_push_list(src_.get(), give(std::move(list))), GST_FLOW_OK);
  }
  void send(GstEvent *event) { ck_assert(gst_pad_push_event(src_.get(), event)); }
  // To where the packets are, or a little behind.
  void advance(GstClockTime to) {
    if (gst_clock_get_time(clock_.get()) < to) gst_test_clock_set_time(test_clock(), to);
    GstClockID next = nullptr;
    while (gst_test_clock_peek_next_pending_id(test_clock(), &next)) {
      const bool due = gst_clock_id_get_time(next) <= to;
      gst_clock_id_unref(next);
      if (!due) break;
      if (auto *done = gst_test_clock_process_next_clock_id(test_clock())) gst_clock_id_unref(done);
    }
  }
  // Ends the stream, lets all time pass and waits until the end is out.
  void finish() {
    end();
    play_out();
  }
  void end() { send(gst_event_new_eos()); }
  void play_out() {
    const auto ended = [this] {
      const std::lock_guard hold(mutex_);
      return ended_;
    };
    if (GST_IS_TEST_CLOCK(clock_.get())) {
      advance(gst_clock_get_time(clock_.get()) + 4 * 3600 * GST_SECOND);
      while (!ended()) {
        if (gst_test_clock_timed_wait_for_multiple_pending_ids(test_clock(), 1, 1, nullptr))
          gst_test_clock_crank(test_clock());
      }
    }
    std::unique_lock hold(mutex_);
    changed_.wait(hold, [this] { return ended_; });
  }
  // After finish().
  void stop() { gst_element_set_state(element_.get(), GST_STATE_NULL); }
  std::size_t arrived_count() {
    const std::lock_guard hold(mutex_);
    return arrived_.size();
  }
  const std::vector<Arrived> &arrived() const { return arrived_; }  // after finish()

 private:
  static Ptr<GstElement> make() {
    auto *element = gst_element_factory_make("chaosdegrader", nullptr);
    ck_assert(element != nullptr);
    return take(GST_ELEMENT(gst_object_ref_sink(element)));
  }

  void connect() {
    src_ = take(GST_PAD(gst_object_ref_sink(gst_pad_new("src", GST_PAD_SRC))));
    sink_ = take(GST_PAD(gst_object_ref_sink(gst_pad_new("sink", GST_PAD_SINK))));
    gst_pad_set_element_private(sink_.get(), this);
    gst_pad_set_chain_function(sink_.get(), [](GstPad *pad, GstObject *, GstBuffer *buffer) noexcept {
      static_cast<LinkBench *>(gst_pad_get_element_private(pad))->take_in(buffer);
      gst_buffer_unref(buffer);
      return GST_FLOW_OK;
    });
    gst_pad_set_event_function(sink_.get(), [](GstPad *pad, GstObject *, GstEvent *event) noexcept -> gboolean {
      auto *bench = static_cast<LinkBench *>(gst_pad_get_element_private(pad));
      if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) {
        const std::lock_guard hold(bench->mutex_);
        bench->ended_ = true;
        bench->changed_.notify_all();
      }
      gst_event_unref(event);
      return TRUE;
    });
    const auto in = take(gst_element_get_static_pad(element_.get(), "sink"));
    const auto out = take(gst_element_get_static_pad(element_.get(), "src"));
    ck_assert_int_eq(gst_pad_link(src_.get(), in.get()), GST_PAD_LINK_OK);
    ck_assert_int_eq(gst_pad_link(out.get(), sink_.get()), GST_PAD_LINK_OK);
    gst_pad_set_active(sink_.get(), TRUE);
    gst_pad_set_active(src_.get(), TRUE);
  }

  void take_in(GstBuffer *buffer) {
    std::array<guint8, 2> sequence{};
    gst_buffer_extract(buffer, 2, sequence.data(), sequence.size());
    const GstClockTime now = gst_clock_get_time(clock_.get()) - gst_element_get_base_time(element_.get());
    const std::lock_guard hold(mutex_);
    arrived_.push_back({now, static_cast<guint16>(sequence[0] << 8 | sequence[1])});
  }

  Ptr<GstClock> clock_;
  Ptr<GstElement> element_;
  Ptr<GstPad> src_, sink_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Arrived> arrived_;
  bool ended_ = false;
};

// A folder of this process for logs, gone at the end.
class LogFolder {
 public:
  LogFolder() {
    GError *error = nullptr;
    gchar *made = g_dir_make_tmp("avchaos-link-XXXXXX", &error);
    ck_assert_msg(made != nullptr, "%s", error ? error->message : "");
    path_ = made;
    g_free(made);
  }
  ~LogFolder() {
    for (const auto &file : files_) g_unlink(file.c_str());
    g_rmdir(path_.c_str());
  }
  LogFolder(const LogFolder &) = delete;
  LogFolder &operator=(const LogFolder &) = delete;
  std::string fresh() {
    files_.push_back(path_ + "/" + std::to_string(files_.size()) + ".jsonl");
    return files_.back();
  }

 private:
  std::string path_;
  std::vector<std::string> files_;
};

}  // namespace avc::test
