// Standby::Core: the reading ahead as one coroutine on a loop and a thread of its own.
//
// look (does anything speak against it?) -> next job -> read it -> look again; with no job, write a
// standing summary. Everything but the atomics and the published state is used on the loop's thread
// only. standby_core.cc has the course, standby_engine.cc what the engine's ways ask for,
// standby_against.cc what speaks against it, standby_summary.cc the summaries.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "standby/reading.h"
#include "standby/standby.h"
#include "standby/summary_writer.h"

namespace nl::standby {

class Standby::Core final : private ReadingSink {
 public:
  // A real request that waits for the engine to let go; on its own loop.
  struct Gate {
    explicit Gate(http::Loop& caller) : loop(caller), wakeup(caller) {}
    http::Loop& loop;
    http::Wakeup wakeup;
  };

  Core(const Clock& clock, StandbyOptions options, std::unique_ptr<Surroundings> surroundings);
  ~Core() override;

  void begin();
  void stop();

  http::Loop& loop() { return loop_; }
  std::string target() const;
  void name_target(std::string name);
  StandbyState snapshot() const;

  // A local request comes: true where it must wait for its gate. Any thread.
  bool announce_local(std::uint64_t conversation);
  void retire_local();

  // On the loop.
  void aim(std::optional<Target> target);
  void turn_began(SeenTurn turn);
  void turn_answered(const std::string& turn_id, chat::KeptAnswer answer);
  void local_answered(std::int64_t tokens, std::int64_t cached);
  void give_way(std::shared_ptr<Gate> gate);
  void local_has_ended();

 private:
  // Where the supervised engine is, without waiting for it.
  class WhereItIs;

  boost::asio::awaitable<void> run();
  boost::asio::awaitable<void> pause(Instant until);
  Instant nothing_until(Instant now) const;
  boost::asio::awaitable<void> read(const Job& job);
  boost::asio::awaitable<void> let_go();
  boost::asio::awaitable<void> let_in();
  boost::asio::awaitable<void> put_aside();
  boost::asio::awaitable<bool> summarise();
  boost::asio::awaitable<Result<Written>> write(const chat::Request& request);
  void on_progress(std::int64_t read, std::int64_t tokens) override;
  std::string against(Instant now);
  std::string against_surroundings(Instant now);
  std::optional<std::string> against_engine(Instant now);
  void count_time(Instant now);
  void turn_to_next();
  void consider();
  void end_reading();
  void settle(const Job& job, const Result<Outcome>& outcome);
  void open_gates();
  void publish();

  // The one to turn to once the reading at hand has ended.
  struct Next {
    std::optional<Target> target;
    bool elsewhere = false;  // what was read counts for nothing there
  };

  const StandbyOptions options_;
  const std::unique_ptr<Surroundings> surroundings_;
  http::Loop loop_;
  http::Client client_;
  std::optional<Next> next_;
  std::optional<Target> target_;  // nobody = nothing is read
  std::unique_ptr<WhereItIs> where_;
  std::unique_ptr<provider::Provider> provider_;
  std::atomic<engine::Supervisor*> engine_{nullptr};  // target_'s
  ConversationBook book_;
  http::Wakeup wake_;
  std::thread thread_;
  std::vector<std::shared_ptr<Gate>> gates_;
  const Job* job_ = nullptr;        // being read
  http::Cancel* cancel_ = nullptr;  // of it
  http::Cancel* aside_ = nullptr;   // of the request that puts others' readings aside
  bool begun_ = false;              // the engine has it in a slot
  bool unwanted_ = false;           // it is to end
  bool writing_ = false;            // a summary, not a reading
  Instant summary_at_{};            // not before
  Instant local_ended_at_{};
  Instant looked_at_{};        // when the surroundings were looked at
  std::string spoke_against_;  // what they said
  Instant counted_at_{};
  double busy_ = 0;  // the part of the last minute in which the engine read for us
  std::int64_t engine_pid_ = -1;
  Instant engine_since_{};
  bool stopping_ = false;
  std::atomic<int> local_{0};
  std::atomic<bool> reading_{false};
  std::atomic<bool> several_{false};        // conversations are kept warm
  std::atomic<std::uint64_t> resident_{0};  // the conversation that the engine worked on last
  std::atomic<bool> switching_{false};      // a local request of another one waits
  mutable std::mutex mutex_;                // guards state_ and name_
  StandbyState state_;
  std::string name_;  // of the provider that is aimed at
};

}  // namespace nl::standby
