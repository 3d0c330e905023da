// ConversationBook: the live conversations, how far the engine has read each, and what to read
// next.
//
// The scheduling of warm standby as a pure machine: turns and outcomes go in with the time, jobs
// come out. What a client's conversations share (system text and tools) comes first, then the
// conversations by recency, each up to its last known word: the user's turn while the cloud answers
// it, the answer as soon as it is whole. An engine too slow for all of them keeps a few warm rather
// than all lukewarm: those hold a place while they are in use, the others get what time is left.
// Bounded in number and bytes; an idle conversation is forgotten. It keeps texts in memory and
// nowhere else. One thread.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "chat/kept_answer.h"
#include "dialect/dialect.h"
#include "standby/prompt.h"

namespace nl::standby {

// Turns a request into the body that a real one would be, to be read ahead. Any thread.
class Renderer {
 public:
  virtual ~Renderer() = default;
  virtual Result<std::string> render(const chat::Request& request) const = 0;
};

// A turn as the gateway saw it, copied.
struct SeenTurn {
  std::string id;
  std::uint64_t conversation = 0;
  std::string client;  // for people
  std::string body;    // the client's bytes, in `dialect`
  dialect::DialectId dialect = dialect::DialectId::anthropic;
  std::shared_ptr<const Renderer> renderer;
};

struct BookLimits {
  std::size_t conversations_max = 4;  // read ahead for at most so many
  std::size_t bytes_max = 64u << 20;  // of conversations' texts, in all
  Duration idle_max = std::chrono::minutes(30);
};

enum class JobKind : std::uint8_t { prefix, conversation };

// Where the engine is to read. What it reads for the first time while it holds other conversations
// needs an empty place: else it takes the one that begins most alike and overwrites the rest.
enum class Place : std::uint8_t { any, empty };

struct Job {
  JobKind kind = JobKind::conversation;
  std::uint64_t key = 0;
  std::uint64_t conversation = 0;
  Place place = Place::any;
  Prompt prompt;
};

// How a reading went, as the engine counts it.
struct Outcome {
  std::int64_t tokens = 0;  // of the whole prompt
  std::int64_t read = 0;    // of them, those that were not there yet
  std::int64_t read_ms = 0;
};

enum class Point : std::uint8_t { cold, partly, prefix, turn, answer };
const char* name(Point point);

// One conversation, for people.
struct ConversationState {
  std::string client;
  Point point = Point::cold;
  std::int64_t tokens = 0;       // of its prompt, as far as they are known
  std::int64_t warm_tokens = 0;  // of them, those that the engine holds
  Duration idle{};               // since its last turn
  Duration warm_for{};           // since it was read to `point`
  std::string trouble;
};

class ConversationBook {
 public:
  explicit ConversationBook(BookLimits limits) : limits_(limits) {}

  void turn_began(SeenTurn turn, Instant now);
  void turn_answered(const std::string& turn_id, chat::KeptAnswer answer, Instant now);

  // What to read now, or nothing. A job is handed in again by exactly one of the three below it.
  std::optional<Job> next(Instant now);
  void finished(const Job& job, const Outcome& outcome, Instant now);
  void failed(const Job& job, const Error& error, Instant now);
  void interrupted(const Job& job);
  // The engine has read `read` of `tokens` of the job at hand.
  void progress(const Job& job, std::int64_t read, std::int64_t tokens);
  // Whether the job at hand is not worth going on with: its text has changed, or a newer
  // conversation waits and the job would take long.
  bool outdated(const Job& job, Instant now) const;
  // The engine holds nothing any more.
  void forget_warm();
  // The engine did something else meanwhile: what was read is read again, which costs next to
  // nothing where it is still there.
  void doubt_warm();

  std::vector<ConversationState> states(Instant now) const;
  // How many conversations the engine can keep up with, by its rate.
  std::size_t capacity() const;
  // Tokens a second, measured; 0 = not yet.
  double read_rate() const { return rate_; }
  // When a conversation that is held back may be tried again.
  std::optional<Instant> retry_at() const;
  bool has_tool_conversation(Instant now) const;
  // Whether more than one conversation is read ahead for.
  bool has_several(Instant now) const { return ranked(now).size() > 1; }
  std::size_t bytes() const;

 private:
  struct Conversation {
    std::uint64_t key = 0;
    std::uint64_t prefix = 0;
    SeenTurn turn;
    std::optional<chat::KeptAnswer> answer;
    Prompt prompt;                // what there is to read; its body is dropped once it was read
    Point reaches = Point::turn;  // where `prompt` ends
    Mark warm;
    Point point = Point::cold;
    bool worth_it = false;
    std::int64_t tokens = 0;
    std::int64_t warm_tokens = 0;
    Instant active{};
    Instant warm_at{};
    Instant hold_until{};
    int failures = 0;
    std::string trouble;
  };
  struct Prefix {
    Mark mark;
    bool read = false;
    bool refused = false;
    std::int64_t tokens = 0;
  };

  void take_prompt(Conversation& conversation, Prompt prompt);
  void bound(Instant now);
  void assign_places(Instant now);
  bool has_place(std::uint64_t key) const;
  std::vector<Conversation*> ranked(Instant now);
  std::vector<const Conversation*> ranked(Instant now) const;
  Conversation* find(std::uint64_t key);
  const Conversation* find(std::uint64_t key) const;
  bool waits(const Conversation& conversation, Instant now) const;
  static bool refresh(Conversation& conversation);
  Place place_for(const Conversation& conversation) const;

  BookLimits limits_;
  std::list<Conversation> conversations_;  // most recently active first
  std::vector<std::uint64_t> places_;      // keys; at most capacity()
  std::map<std::uint64_t, Prefix> prefixes_;
  double rate_ = 0;
  std::int64_t job_tokens_ = 0;  // of the job at hand
  std::int64_t job_read_ = 0;
};

}  // namespace nl::standby
