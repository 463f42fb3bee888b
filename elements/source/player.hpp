// Keeps one source's time: asks its executor to be called when the next frame is due, and carries out there, between
// two frames, whatever other threads have ordered (events, key units, spikes, a clip that is ready). It makes no
// thread of its own and nobody waits for it, except stop().
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "core/runtime/executor.hpp"
#include "core/runtime/guarded.hpp"
#include "elements/source/run.hpp"

namespace avc::source {

class Player {
 public:
  using Outputs = std::vector<std::shared_ptr<Output>>;

  // `settings` outlives the player. An element for GstController's sake.
  Player(GstElement *element, Guarded<Settings> &settings);
  ~Player();

  // State changes of the element.
  void open();                                                                // READY -> PAUSED
  void play(std::shared_ptr<runtime::Executor> executor, Instant base_time);  // PAUSED -> PLAYING
  void pause();                                                               // PLAYING -> PAUSED: does not wait
  void stop();  // PAUSED -> READY, when the pads are inactive: nothing is pushed after it

  // Orders, from any thread.
  void set_clip(std::shared_ptr<const media::Clip> clip);
  void add(std::shared_ptr<Output> output);
  std::shared_ptr<Output> remove(GstPad *pad);
  void send(Ptr<GstEvent> event);                    // to all outputs, in its place between frames
  void request_key_unit(std::optional<guint> ssrc);  // none: whoever asks means us
  void change(SpikeChange change);

  const Counters &counters() const { return counters_; }
  std::shared_ptr<const media::Clip> clip() const;  // none before it is ready

 private:
  struct Orders {
    bool playing = false;
    guint group_id = 0;
    Instant base_time;
    std::shared_ptr<const media::Clip> clip;
    std::shared_ptr<Run> run;
    std::shared_ptr<const Outputs> outputs = std::make_shared<Outputs>();
    std::vector<Ptr<GstEvent>> events;
    std::vector<SpikeChange> changes;
    bool key_unit = false;
    std::optional<guint> key_unit_ssrc;
    bool over = false;  // end of stream has gone
  };
  // The state that one step works with, taken out of the orders so that nothing is held while it pushes.
  struct Step {
    std::shared_ptr<Run> run;
    std::shared_ptr<const Outputs> outputs;
    Instant base_time;
    std::vector<Ptr<GstEvent>> events;
  };

  void turn();
  std::optional<Step> next_step(Instant now);
  void carry_out_orders(Orders &orders);
  bool deliver(const Step &step);
  bool introduce(const Step &step);
  bool emit(const Step &step, Nanos ahead, Instant due, runtime::Executor &executor);
  void end(const Step &step);
  void wake();
  void drop_executor();
  std::shared_ptr<runtime::Executor> executor() const;

  GstElement *element_;
  Guarded<Settings> &settings_;
  Counters counters_;
  mutable Guarded<Orders> orders_;

  // Made and dropped by state changes; the lock is for wake() alone.
  std::shared_ptr<runtime::Executor> executor_;
  std::unique_ptr<runtime::Timer> timer_;
  std::shared_ptr<const Outputs> introduced_;  // the pushing thread's
  mutable std::mutex timer_mutex_;
};

}  // namespace avc::source
