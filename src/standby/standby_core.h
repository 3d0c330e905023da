// Standby::Core: the reading ahead as one coroutine on a loop and a thread of its own.
//
// look (does anything speak against it?) -> next job -> read it -> look again. Everything but the
// atomics and the published state is used on the loop's thread only.
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

namespace nl::standby {

class Standby::Core final : private ReadingSink {
 public:
  // A real request that waits for the engine to let go; on its own loop.
  struct Gate {
    explicit Gate(http::Loop& caller) : loop(caller), wakeup(caller) {}
    http::Loop& loop;
    http::Wakeup wakeup;
  };

  Core(const Clock& clock, StandbyOptions options, provider::Setting target,
       engine::Supervisor* engine, std::unique_ptr<Surroundings> surroundings);
  ~Core() override;

  void begin();
  void stop();

  http::Loop& loop() { return loop_; }
  const std::string& target() const { return name_; }
  StandbyState snapshot() const;

  // A local request comes: true where it must wait for its gate. Any thread.
  bool announce_local(std::uint64_t conversation);
  void retire_local();

  // On the loop.
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
  boost::asio::awaitable<void> read(const Job& job);
  boost::asio::awaitable<void> let_in();
  boost::asio::awaitable<void> put_aside();
  void on_progress(std::int64_t read, std::int64_t tokens) override;
  std::string against(Instant now);
  std::string against_surroundings(Instant now);
  std::optional<std::string> against_engine(Instant now);
  void count_time(Instant now);
  void consider();
  void end_reading();
  void settle(const Job& job, const Result<Outcome>& outcome);
  void open_gates();
  void publish();

  const StandbyOptions options_;
  engine::Supervisor* const engine_;
  const std::unique_ptr<Surroundings> surroundings_;
  const std::string name_;
  http::Loop loop_;
  http::Client client_;
  std::unique_ptr<WhereItIs> where_;
  provider::Provider provider_;
  ConversationBook book_;
  http::Wakeup wake_;
  std::thread thread_;
  std::vector<std::shared_ptr<Gate>> gates_;
  const Job* job_ = nullptr;        // being read
  http::Cancel* cancel_ = nullptr;  // of it
  bool begun_ = false;              // the engine has it in a slot
  bool unwanted_ = false;           // it is to end
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
  mutable std::mutex mutex_;                // guards state_
  StandbyState state_;
};

}  // namespace nl::standby
