// Supervisor::Core: the life of the child as one coroutine, told from top to bottom.
//
// look -> (absent: wait and look again) -> (nobody asked: wait) -> start -> await health -> guard
// -> end -> pause -> look. Everything but the board is used on the loop's thread only; slow work is
// done by one thread of its own. The fork is made by the loop's thread, which is the child's parent
// in the eyes of the system. supervisor_core.cc has the life, supervisor_look.cc the looks at a
// child that runs, supervisor_verify.cc the first of them, supervisor_requests.cc what others ask
// and see.
#pragma once

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <memory>
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
  // Makes `cancel` what drop_question() fires.
  class Asking {
   public:
    Asking(http::Cancel*& place, http::Cancel& cancel) : place_(place) { place_ = &cancel; }
    ~Asking() { place_ = nullptr; }
    Asking(const Asking&) = delete;
    Asking& operator=(const Asking&) = delete;

   private:
    http::Cancel*& place_;
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
  http::asio::awaitable<Reply> post(std::string path, std::string body, Duration within);
  http::asio::awaitable<Reply> send(http::Outgoing outgoing, Duration within);
  // The first load of a model under a plan: does it hold what was planned, and does it answer?
  // supervisor_verify.cc has these.
  http::asio::awaitable<Ending> verify(Child& child, const Prepared& prepared);
  http::asio::awaitable<void> learn_senses();
  http::asio::awaitable<std::string> what_is_wrong(const Prepared& prepared, FitEntry& entry);
  http::asio::awaitable<void> remember(const FitEntry& entry);
  // An end that a smaller plan may mend makes the next one smaller. The ending, with what is known.
  http::asio::awaitable<Ending> consider_less(const Child& child, const Prepared& prepared,
                                              Ending ending);
  http::asio::awaitable<void> remember_failure(const Prepared& prepared, std::string reason);
  void show_rates(const Prepared& prepared, const FitEntry& entry);
  http::asio::awaitable<void> pause(Instant until);
  // Runs `work` on the worker thread.
  template <typename Result, typename Work>
  http::asio::awaitable<Result> off_loop(Work work) {
    struct Errand {
      explicit Errand(http::Loop& loop) : done(loop) {}
      std::optional<Result> result;
      http::Wakeup done;
    };
    // Shared by the worker and this coroutine, which may be gone before the work is done.
    auto errand = std::make_shared<Errand>(loop_);
    http::asio::post(worker_, [errand, work, &loop = loop_]() mutable {
      auto result = std::make_shared<Result>(work());
      http::asio::post(loop.io(), [errand, result] {
        errand->result = std::move(*result);
        errand->done.notify();
      });
    });
    co_await errand->done.wait();
    co_return std::move(*errand->result);
  }
  std::optional<Ending> interrupted(const Child& child) const;
  // Nobody waits for what the child is asked any more.
  void drop_question();

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
  HandedChild running_;                // what a successor would have to know of what runs
  http::Cancel* question_ = nullptr;   // that the child is asked at this moment
  std::string last_reason_;
  http::asio::thread_pool worker_;
};

}  // namespace nl::engine
