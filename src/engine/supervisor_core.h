// Supervisor::Core: the life of the child as one coroutine, told from top to bottom.
//
// look -> (absent: wait and look again) -> (nobody asked: wait) -> start -> await health -> guard
// -> end -> pause -> look. Everything but the board is used on the loop's thread only; slow work is
// done by one thread of its own. The fork is made by the loop's thread, which is the child's parent
// in the eyes of the system. supervisor_core.cc has the life, supervisor_look.cc the looks at a
// child that runs, supervisor_requests.cc what others ask and see.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <optional>
#include <utility>

#include "engine/child.h"
#include "engine/restart_policy.h"
#include "engine/supervisor.h"

namespace nl::engine {

class Supervisor::Core {
 public:
  Core(http::Loop& loop, Wanted wanted, SupervisorOptions options);

  // The whole life. `core` is kept alive by this coroutine.
  static http::asio::awaitable<void> run(std::shared_ptr<Core> core);

  http::Loop& loop() { return loop_; }
  const std::shared_ptr<EngineBoard>& board() const { return board_; }
  const SupervisorLimits& limits() const { return limits_; }

  // Requests; loop thread.
  void ask();
  void start();
  void halt();
  void use(Wanted wanted);
  void report_stall();
  void report_answer() { policy_.answered(); }
  void begin_hand_over();
  bool has_handed_over() const { return handed_over_; }
  std::optional<HandedChild> take_handed() { return std::exchange(handed_, std::nullopt); }
  // Kills the child, ends the slow work and the coroutine. Waits for the worker thread.
  void close();

 private:
  // How a watch over a child ended.
  struct Ending {
    enum class Kind : std::uint8_t { ready, failed, halted, replaced, handed_over };
    Kind kind;
    std::string reason;
    Ending(Kind what, std::string why) : kind(what), reason(std::move(why)) {}
  };
  struct Reply {
    bool answered = false;
    int status = 0;
    std::string body;
  };

  http::asio::awaitable<void> turn();
  http::asio::awaitable<void> live(Prepared prepared);
  // A new child, or the one that was handed to us.
  http::asio::awaitable<Result<Spawned>> obtain(const Prepared& prepared);
  // Ends the child that was handed to us.
  http::asio::awaitable<void> dismiss();
  void give_away(Child& child);
  // Memory ran out under `plan`: the next start asks for less.
  void ask_for_less(LaunchPlan plan);
  http::asio::awaitable<Ending> await_ready(Child& child);
  http::asio::awaitable<Ending> guard(Child& child);
  // One look at a child that was ready; nothing = it is well.
  http::asio::awaitable<std::optional<Ending>> check(Child& child);
  http::asio::awaitable<std::optional<Ending>> check_stall();
  http::asio::awaitable<void> end(Child& child, Ending::Kind kind);
  http::asio::awaitable<std::optional<Ending>> consider_change();
  // Keeps new requests back until the running ones are answered, for a while at most.
  http::asio::awaitable<void> let_finish(Child& child);
  http::asio::awaitable<Reply> get(std::string path, Duration within);
  http::asio::awaitable<void> pause(Instant until);
  // Runs `work` on the worker thread.
  template <typename Result, typename Work>
  http::asio::awaitable<Result> off_loop(Work work);
  std::optional<Ending> interrupted(const Child& child) const;

  void show(Condition condition, std::string reason);
  void describe(const Prepared& prepared);
  void note_failure(std::string reason);

  http::Loop& loop_;
  SupervisorLimits limits_;
  Start start_;
  Wanted wanted_;
  std::optional<Wanted> next_;  // asked for by use(), not looked at yet
  Preparation preparation_;     // worker thread only, but for stop()
  http::Client client_;
  http::Wakeup wake_;
  RestartPolicy policy_;
  ProgressWatch progress_;
  EngineState state_;
  std::shared_ptr<EngineBoard> board_;
  Child* child_ = nullptr;
  int starts_ = 0;
  int misses_ = 0;
  bool asked_ = false;
  bool halted_ = false;
  bool stall_reported_ = false;
  bool closing_ = false;
  pid_t begun_ = -1;                    // a child between its fork and its program
  std::optional<HandedChild> adopted_;  // handed to us, not looked at yet
  bool handing_over_ = false;
  bool handed_over_ = false;
  std::optional<HandedChild> handed_;  // by us
  std::string fingerprint_;            // of what runs
  int own_steps_down_ = 0;             // of what is wanted, without the child handed to us
  std::function<void(const Wanted&)> remember_;
  std::string last_reason_;
  http::asio::thread_pool worker_;
};

}  // namespace nl::engine
