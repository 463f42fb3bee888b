// The same seed decides the same: the decision log, sorted by stream and n, does not depend on how packets are
// batched, on how many contexts send them, on how many processes share the participants, or on the processor.
// For every model of the link, and for spikes that come early or late.
//
//   link_determinism                      the tests
//   link_determinism --carry TASK FOLDER  carries out one worker's share and writes a log for each model
//   link_determinism --under COMMAND...   compares a run under a command (valgrind) with one without
#include <glib/gstdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "tests/elements/link_bench.hpp"

#include "core/participant/partition.hpp"
#include "tests/core/net/models.hpp"

using namespace avc;
using namespace avc::test;

namespace {

constexpr std::uint32_t kFirst = 1001, kParticipants = 3;

struct Task {
  guint64 seed = 42;
  std::size_t batch = 1;  // packets of a frame handed in together; 0: the whole frame
  int contexts = 1;       // shared by all participants; 0: one for each
  unsigned partition = 0, partitions = 1;
  unsigned frames = 40;  // of 20 ms
  bool spikes_early = true;

  std::string text() const {
    std::ostringstream out;
    out << seed << ' ' << batch << ' ' << contexts << ' ' << partition << ' ' << partitions << ' ' << frames << ' '
        << spikes_early;
    return out.str();
  }
  static Task parse(const std::string &text) {
    std::istringstream in(text);
    Task task;
    in >> task.seed >> task.batch >> task.contexts >> task.partition >> task.partitions >> task.frames >>
        task.spikes_early;
    return task;
  }
};

constexpr std::string_view kWithSpikes = "spikes on a queue";

std::vector<Model> models() {
  auto all = every_model();
  all.push_back({std::string(kWithSpikes), {.delay_ms = 20, .bandwidth_kbps = 9000}});
  return all;
}

Ptr<GstBuffer> sender_report(guint32 ssrc, GstClockTime pts) {
  Octets bytes(28);
  bytes[0] = 0x80;
  bytes[1] = 200;
  bytes[3] = 6;
  for (int i = 0; i < 4; i++) bytes[4 + i] = static_cast<std::uint8_t>(ssrc >> (24 - 8 * i));
  return buffer_of(bytes, pts);
}

// A participant's part: 17 to 23 video packets each 20 ms, an audio packet between them, a report now and then.
class Participant {
 public:
  Participant(LinkBench &bench, std::uint32_t id) : bench_(bench), id_(id) {}

  void frame(unsigned number, std::size_t batch) {
    const GstClockTime pts = ms(number * 20);
    const std::size_t packets = 17 + (number * 5 + id_) % 7;
    if (batch == 0) batch = packets;
    for (std::size_t i = 0; i < packets;) {
      const std::size_t together = std::min(batch, packets - i);
      if (together == 1) {
        bench_.push(video(number, pts));
      } else {
        auto list = take(gst_buffer_list_new());
        for (std::size_t k = 0; k < together; k++) gst_buffer_list_add(list.get(), give(video(number, pts)));
        bench_.push(std::move(list));
      }
      i += together;
    }
    bench_.push(LinkBench::packet(audio_++, pts + ms(7), 160, true, number * 960));
    if (number % 10 == 3) bench_.push(sender_report(kSsrc, pts + ms(8)));
  }

 private:
  Ptr<GstBuffer> video(unsigned frame, GstClockTime pts) {
    auto packet = LinkBench::packet(video_, pts, 700 + video_ * 37 % 500, false, frame * 1800);
    video_++;
    if (frame % 12 != 0) GST_BUFFER_FLAG_SET(packet.get(), GST_BUFFER_FLAG_DELTA_UNIT);
    return packet;
  }

  LinkBench &bench_;
  std::uint32_t id_;
  guint64 video_ = 65'500, audio_ = 0;  // the numbers wrap on the way
};

// Three spikes one in the other. Told at the beginning or right before their packets, it is the same.
constexpr GstClockTime time_of(unsigned frame) { return ms(frame * 20); }

void spikes(LinkBench &bench, unsigned frame, bool early) {
  const struct {
    const char *id, *type;
    unsigned from, to;
    spike::Params params;
  } rows[] = {{"loss", "rtp_packet_loss", 5, 25, {{"loss_percent", 20.0}}},
              {"slow", "bandwidth_limit", 10, 30, {{"bandwidth_kbps", 4000.0}}},
              {"jitter", "network_jitter", 12, 20, {{"base_latency_ms", 30.0}, {"jitter_std_dev_ms", 10.0}}}};
  for (const auto &row : rows) {
    if (frame == (early ? 0 : row.from)) {
      const SpikeStart start{row.id, row.type, time_of(row.from), time_of(row.to), row.params};
      bench.send(give(make_event(start, Direction::downstream)));
    }
    if (frame == (early ? row.to - 3 : row.to))
      bench.send(give(make_event(SpikeEnd{row.id, time_of(row.to)}, Direction::downstream)));
  }
}

void run(const Model &model, const Task &task, const std::string &log) {
  const auto clock = take(gst_test_clock_new());
  std::vector<std::unique_ptr<LinkBench>> benches;
  std::vector<Participant> participants;
  for (const auto id : participant::owned_ids({task.partition, task.partitions}, kFirst, kParticipants)) {
    const std::string context =
        task.contexts == 0 ? "" : "c" + std::to_string(id % static_cast<unsigned>(task.contexts));
    benches.push_back(std::make_unique<LinkBench>(model.settings, log, task.seed, id, context, clock.get()));
    participants.emplace_back(*benches.back(), id);
  }
  for (unsigned frame = 0; frame < task.frames; frame++) {
    for (std::size_t i = 0; i < benches.size(); i++) {
      if (model.name == kWithSpikes) spikes(*benches[i], frame, task.spikes_early);
      participants[i].frame(frame, task.batch);
    }
    if (!benches.empty()) benches.front()->advance(ms(frame * 20));
  }
  for (auto &bench : benches) bench->end();
  for (auto &bench : benches) bench->play_out();
  for (auto &bench : benches) bench->stop();
}

std::string log_path(const std::string &folder, std::size_t model) {
  return folder + "/" + std::to_string(model) + ".jsonl";
}

void carry_out(const Task &task, const std::string &folder) {
  const auto all = models();
  for (std::size_t i = 0; i < all.size(); i++) run(all[i], task, log_path(folder, i));
}

using Logs = std::vector<std::vector<std::string>>;  // by model, sorted

// What several processes (or one, or this one) wrote into their folders.
Logs collect(const std::vector<std::string> &folders) {
  Logs logs;
  for (std::size_t i = 0; i < models().size(); i++) {
    std::vector<std::string> lines;
    for (const auto &folder : folders) {
      const auto part = lines_of(log_path(folder, i));
      lines.insert(lines.end(), part.begin(), part.end());
      g_unlink(log_path(folder, i).c_str());
    }
    logs.push_back(sorted(std::move(lines)));
  }
  for (const auto &folder : folders) g_rmdir(folder.c_str());
  return logs;
}

std::string fresh_folder() {
  gchar *made = g_dir_make_tmp("avchaos-determinism-XXXXXX", nullptr);
  std::string path = made;
  g_free(made);
  return path;
}

Logs here(const Task &task) {
  const std::string folder = fresh_folder();
  carry_out(task, folder);
  return collect({folder});
}

// One process for each task, all at once.
Logs in_processes(const std::vector<Task> &tasks, const std::vector<std::string> &command = {},
                  const char *tunables = nullptr) {
  std::vector<std::string> folders;
  std::vector<GPid> children;
  const char *self = "/proc/self/exe";
  char resolved[4096] = {};
  ck_assert(readlink(self, resolved, sizeof resolved - 1) > 0);
  for (const Task &task : tasks) {
    folders.push_back(fresh_folder());
    std::vector<std::string> words = command;
    words.insert(words.end(), {resolved, "--carry", task.text(), folders.back()});
    std::vector<char *> arguments;
    for (auto &word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    gchar **environment = g_get_environ();
    if (tunables) environment = g_environ_setenv(environment, "GLIBC_TUNABLES", tunables, TRUE);
    GPid child = 0;
    GError *error = nullptr;
    g_spawn_async(nullptr, arguments.data(), environment,
                  static_cast<GSpawnFlags>(G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH), nullptr, nullptr, &child,
                  &error);
    g_strfreev(environment);
    ck_assert_msg(error == nullptr, "%s", error ? error->message : "");
    children.push_back(child);
  }
  for (const GPid child : children) {
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a worker ended with status %d", status);
  }
  return collect(folders);
}

// The reference: packets one by one, one context, one process.
const Logs &reference() {
  static const Logs logs = here({});
  return logs;
}

void same(const Logs &logs, const Logs &wanted) {
  const auto all = models();
  for (std::size_t i = 0; i < all.size(); i++) {
    ck_assert_msg(logs[i].size() == wanted[i].size(), "%s: %zu lines, not %zu", all[i].name.c_str(), logs[i].size(),
                  wanted[i].size());
    for (std::size_t k = 0; k < logs[i].size(); k++)
      ck_assert_msg(logs[i][k] == wanted[i][k], "%s:\n%s\nnot\n%s", all[i].name.c_str(), logs[i][k].c_str(),
                    wanted[i][k].c_str());
  }
}

}  // namespace

// 40 frames of 17 to 23 packets, 40 of audio and 4 reports, from three participants.
GST_START_TEST(every_packet_is_in_the_log_once) {
  for (const auto &lines : reference()) {
    std::set<std::pair<std::string, std::string>> packets;
    for (const auto &line : lines) ck_assert(packets.emplace(field_of(line, "stream"), field_of(line, "n")).second);
    std::size_t expected = 0;
    for (unsigned id = kFirst; id < kFirst + kParticipants; id++)
      for (unsigned frame = 0; frame < 40; frame++) expected += 17 + (frame * 5 + id) % 7 + 1 + (frame % 10 == 3);
    ck_assert_uint_eq(packets.size(), expected);
  }
}
GST_END_TEST

GST_START_TEST(batches_change_nothing) {
  same(here({.batch = 0}), reference());
  same(here({.batch = 7, .spikes_early = false}), reference());
}
GST_END_TEST

GST_START_TEST(contexts_change_nothing) {
  same(here({.batch = 3, .contexts = 2}), reference());
  same(here({.contexts = 0}), reference());
}
GST_END_TEST

// Participants are dealt out as the launcher does it, each process with batches of its own.
GST_START_TEST(three_processes_write_what_one_does) {
  same(in_processes({{.batch = 1, .partition = 0, .partitions = 3},
                     {.batch = 0, .contexts = 2, .partition = 1, .partitions = 3},
                     {.batch = 5, .contexts = 0, .partition = 2, .partitions = 3}}),
       reference());
}
GST_END_TEST

// glibc chooses its mathematical functions by what the processor can do.
GST_START_TEST(an_older_processor_decides_the_same) {
  same(in_processes({{}}, {}, "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX2_Usable,-FMA_Usable,-FMA4"), reference());
}
GST_END_TEST

// What draws nothing is the same for every seed; all else is not. Participants differ likewise.
GST_START_TEST(another_seed_decides_otherwise) {
  const std::set<std::string> without_chance = {
      "drop next",       "loss pattern",       "delay fixed",        "delay, limited",  "limit",
      "rate, with room", "rate, overloaded",   "rate, ATM cells",    "rate, drop head", "rate, CoDel",
      "rate, bursts",    "rate, token bucket", "rate, CoDel and ECN"};
  const auto other = here({.seed = 43});
  const auto all = models();
  for (std::size_t i = 0; i < all.size(); i++) {
    ck_assert_msg((other[i] == reference()[i]) == without_chance.contains(all[i].name), "%s", all[i].name.c_str());
  }
}
GST_END_TEST

// The modes besides the tests run as a test, too, so that they may check something.
std::vector<std::string> arguments;

GST_START_TEST(carries_out_a_workers_share) { carry_out(Task::parse(arguments[1]), arguments[2]); }
GST_END_TEST

GST_START_TEST(another_machine_decides_the_same) {
  const Task task{.batch = 4, .contexts = 2, .frames = 9};
  same(in_processes({task}, {arguments.begin() + 1, arguments.end()}), here(task));
}
GST_END_TEST

int main(int argc, char **argv) {
  arguments.assign(argv + 1, argv + argc);
  const std::string mode = arguments.empty() ? "" : arguments[0];
  g_setenv("CK_FORK", "no", TRUE);  // one process, so that the reference is made once
  if (mode == "--carry") return run_gst("worker", {carries_out_a_workers_share});
  if (mode == "--under") return run_gst("link_determinism", {another_machine_decides_the_same});
  return run_gst("link_determinism", {every_packet_is_in_the_log_once, batches_change_nothing, contexts_change_nothing,
                                      three_processes_write_what_one_does, an_older_processor_decides_the_same,
                                      another_seed_decides_otherwise});
}
