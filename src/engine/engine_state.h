// EngineState: what is known about the engine at a moment, and the board on which it hangs.
//
// The supervisor's loop writes the board; any thread reads it, and coroutines of any loop wait for
// it to change. Nothing is held across a wait. The board outlives its waiters (they co-own it).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "engine/spawn.h"
#include "http/client.h"
#include "http/wakeup.h"

namespace nl::engine {

enum class Condition : std::uint8_t {
  looking,   // just begun: program and model have not been looked at yet
  absent,    // no program or no model; looked for again from time to time
  stopped,   // could be started, nobody has asked for it
  starting,  // the child runs and loads
  ready,     // answers
  failed,    // ended or hung; `trying` tells whether it is started again by itself
  stopping,
};
// The stable name of `condition`, for status and logs.
const char* name(Condition condition);

// What a model takes besides text.
struct Senses {
  bool images = false;
  bool sound = false;
};

struct EngineState {
  Condition condition = Condition::looking;
  std::string reason;   // for people: of absent and failed
  bool trying = false;  // failed: a start follows by itself
  bool halted = false;  // stopped until somebody starts it again
  std::string note;     // for people: what was given up to fit, or why a change was not made
  std::string program;
  std::string program_version;
  std::string model_path;
  std::string model_name;
  bool is_ember = false;
  bool takes_images = false;     // by its files, or by its own word once it has said it
  std::optional<Senses> senses;  // by its own word; nothing = it has not said it
  std::uint32_t context_tokens = 0;
  int slots = 0;
  // Tokens/s, measured with one prompt when the model was loaded for the first time; 0 = not yet.
  double read_rate = 0;
  double write_rate = 0;
  int warm_conversations = 0;  // that can be kept read at that rate; of use when it is known
  NetworkRule network = NetworkRule::open;
  pid_t pid = -1;
  int restarts = 0;  // starts after the first one
  Instant ready_since{};
  std::uint64_t resident_bytes = 0;
  http::Endpoint endpoint;  // a unix socket; of use while ready
};

class EngineBoard {
 public:
  EngineState read() const;
  // Where it answers, when it does: all that a request asks for.
  std::optional<http::Endpoint> endpoint() const;
  std::optional<Senses> senses() const;
  // Writes and wakes every waiter.
  void write(EngineState state);

  // One coroutine's interest in changes; registered for as long as it lives.
  class Watcher {
   public:
    // `loop` is the one on which the coroutine runs.
    Watcher(std::shared_ptr<EngineBoard> board, http::Loop& loop);
    ~Watcher();
    Watcher(const Watcher&) = delete;
    Watcher& operator=(const Watcher&) = delete;
    // Until the board has changed since the last wait, or `until`.
    http::asio::awaitable<void> wait(Instant until);

   private:
    friend class EngineBoard;
    // Shared with a wake-up that is on its way to the loop.
    struct Bell {
      explicit Bell(http::Loop& on) : loop(on), wakeup(on) {}
      http::Loop& loop;
      http::Wakeup wakeup;
    };
    std::shared_ptr<EngineBoard> board_;
    std::shared_ptr<Bell> bell_;
  };

 private:
  mutable std::mutex mutex_;
  EngineState state_;
  std::vector<std::shared_ptr<Watcher::Bell>> bells_;
};

}  // namespace nl::engine
