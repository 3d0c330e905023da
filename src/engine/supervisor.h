// Supervisor: owns the engine's child: finds it, starts it, watches it, starts it again.
//
// Lives on one loop; ready(), snapshot() and the requests (start, use, report_stall) may come from
// any thread. The child answers on a unix socket in a private folder. Its crash, hang or appetite
// for memory costs the gateway nothing: nothing here waits for the child or the disk with the loop
// standing still. What is missing (program, model) is looked for again, as both may be on their
// way. Destroy it before its loop, on the loop's thread or while the loop does not run: that kills
// the child, unless it has been handed over. The child belongs to the loop's thread and dies with
// it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "engine/engine_state.h"
#include "engine/handover.h"
#include "engine/launch.h"
#include "engine/preparation.h"
#include "engine/progress_watch.h"
#include "http/client.h"
#include "http/loop.h"

namespace nl::engine {

enum class Start : std::uint8_t { eager, on_demand };

struct SupervisorLimits {
  Duration look_every = std::chrono::seconds(2);  // for a missing program or model
  Duration start_within = std::chrono::seconds(300);
  Duration ready_poll = std::chrono::milliseconds(50);
  Duration health_every = std::chrono::seconds(5);
  Duration health_within = std::chrono::seconds(5);
  int misses_max = 3;
  ProgressLimits progress;
  Duration stall_check = std::chrono::seconds(5);  // how long a reported stall is looked at
  Duration stop_grace = std::chrono::seconds(5);
  Duration finish_within = std::chrono::seconds(30);  // running requests, when the model changes
  Duration restart_first = std::chrono::milliseconds(500);
  Duration restart_most = std::chrono::seconds(30);
};

struct SupervisorOptions {
  Start start = Start::on_demand;
  PreparationOptions preparation;
  SupervisorLimits limits;
  // A child of an earlier image of this process: taken over if it is what would be started, else
  // ended.
  std::optional<HandedChild> adopt;
};

class Supervisor {
 public:
  Supervisor(http::Loop& loop, Wanted wanted, SupervisorOptions options);
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // Starts an engine that is not running and waits until it answers, at most until `until`; through
  // restarts too. `caller` is the loop of the calling coroutine, any one. Errors: not_found (no
  // program or no model, with what to do), exhausted (given up or stopped, with the reason),
  // timeout (still on its way, with what it is doing).
  http::asio::awaitable<Result<http::Endpoint>> ready(http::Loop& caller, Instant until);
  EngineState snapshot() const;
  std::optional<Senses> senses() const;

  // Starts it without waiting; also after it was given up or stopped.
  void start();
  // Changes what runs. A model that cannot be used leaves the running one alone; `note` tells why.
  void use(Wanted wanted);
  // A caller waits for a token in vain. The engine is looked at, and restarted if it hangs.
  void report_stall();
  // It has given a whole answer: a run that did so does not count against it when it ends.
  void report_answer();
  // Ends the child in order, until start() is called. Returns when it has ended, or after twice the
  // grace. On the supervisor's loop.
  http::asio::awaitable<void> stop();
  // Lets go of the running child, loading or ready, for a successor in this process; nothing when
  // none runs. Supervises nothing afterwards. On the supervisor's loop.
  http::asio::awaitable<std::optional<HandedChild>> hand_over();

 private:
  class Core;
  // Shared with the supervisor's coroutine and with requests on their way to its loop.
  std::shared_ptr<Core> core_;
};

}  // namespace nl::engine
