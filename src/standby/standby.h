// Standby: keeps the local tier warm: the engine reads along while the cloud serves.
//
// Has a thread and a loop of its own; what the gateway's loops call (turn_began, turn_answered,
// make_way, local_ended) copies, posts and returns. aim() says who is kept warm, and may say so
// anew at any time, as when a model has been pulled. Reads ahead only while it pays: the engine
// answers, no local request runs or has just run, and in Mode::automatic mains power and a load
// below the bound. With everything read, the model writes standing summaries. A real local request
// closes the reading's connection first and begins once the engine has let go of it. Texts stay in
// memory. stop() it before the engine and the callers' loops end; what they call may be called
// until it is destroyed.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chat/local_form.h"
#include "engine/supervisor.h"
#include "provider/provider.h"
#include "standby/conversation_book.h"
#include "standby/surroundings.h"

namespace nl::standby {

enum class Mode : std::uint8_t { automatic, on, off };

struct StandbyOptions {
  Mode mode = Mode::automatic;
  BookLimits book;
  Duration rest_after_local = std::chrono::seconds(2);
  double load_max = 1.0;  // per core, the engine's own work left out
};

// For people; a copy.
struct StandbyState {
  bool reading = false;
  std::string paused;  // why nothing is read; empty = nothing speaks against it
  double read_rate = 0;
  std::size_t conversations_max = 0;  // may be read ahead for
  std::size_t capacity = 0;           // the engine keeps up with, at its rate
  std::vector<ConversationState> conversations;
  std::uint64_t readings = 0;   // done
  std::uint64_t preempted = 0;  // closed for a real request
  std::uint64_t rereads = 0;    // the engine was started anew
  std::uint64_t summaries = 0;  // standing ones that the model has written
  std::int64_t tokens_read = 0;
  // Of the last real answer of the local tier: its prompt, and what of it was there.
  std::int64_t last_local_tokens = 0;
  std::int64_t last_local_cached = 0;
};

// Who is kept warm: the server on this machine that a real request would be put to.
struct Target {
  provider::Setting setting;             // its Setting::engine is not looked at
  engine::Supervisor* engine = nullptr;  // says where a supervised one is; null for any other
  // Whose standing summaries it writes when there is nothing to read; null = nobody's. `asked` is
  // how it is asked for one; its model is the one that the forms know.
  std::shared_ptr<chat::LocalForm> forms;
  dialect::EncodeOptions asked;
};

class Standby {
 public:
  // Reads to nobody until aim() names somebody.
  Standby(const Clock& clock, StandbyOptions options, std::unique_ptr<Surroundings> surroundings);
  ~Standby();
  Standby(const Standby&) = delete;
  Standby& operator=(const Standby&) = delete;

  void begin();
  // Ends the reading at hand and the thread.
  void stop();

  // From now on; nothing = nobody. The same server in the same place keeps what was read to it.
  // One thread.
  void aim(std::optional<Target> target);

  // Any thread. The provider's name; empty = nobody.
  std::string target() const;
  void turn_began(SeenTurn turn);
  void turn_answered(std::string turn_id, chat::KeptAnswer answer);
  void local_answered(std::int64_t tokens, std::int64_t cached);
  boost::asio::awaitable<void> make_way(http::Loop& caller, std::uint64_t conversation);
  void local_ended();
  StandbyState snapshot() const;

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace nl::standby
