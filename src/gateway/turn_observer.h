// TurnObserver: who reads along. The gateway tells it of every request and every whole answer.
//
// Offered by the gateway, connected by app to what keeps the local tier warm; null = nobody, and
// then nothing is copied. Called on the loop of the request, so it must return at once: it copies
// what it keeps (the views die with the call) and works elsewhere. The one thing that waits is
// make_way(), before a try at a model on this machine.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "chat/kept_answer.h"
#include "gateway/local_form.h"
#include "gateway/upstreams.h"
#include "http/loop.h"

namespace nl::gateway {

struct Turn;

// How this machine's model would be asked in a conversation: all but the request itself. A value
// that may be kept and used on another thread.
struct LocalAim {
  std::shared_ptr<const Upstreams> upstreams;
  router::Candidate candidate;
  std::uint64_t conversation = 0;
  std::string client_agent;

  const std::string& provider() const {
    return upstreams->policy.providers[candidate.target.provider].name;
  }
  // The body that a real request would be, for a model that is to read it ahead of time. Errors: as
  // local_body(), and unsupported where the conversation does not fit.
  Result<std::string> read_ahead(const chat::Request& request) const;
};

struct SeenTurn {
  std::string_view id;
  const chat::Request& request;  // views into `body`
  std::string_view body;         // the client's bytes, in `dialect`
  dialect::DialectId dialect;
  std::uint64_t conversation;
  std::string_view client;  // its user-agent
  std::string_view label;   // the task it looks like
  const LocalAim* local;    // null = no model on this machine would be asked
};

// Who gave an answer, and what it had read already.
struct SeenAnswer {
  chat::KeptAnswer answer;
  bool local = false;
  chat::Usage usage;
};

class TurnObserver {
 public:
  virtual ~TurnObserver() = default;
  // A request was planned; it has not been sent anywhere yet.
  virtual void began(const SeenTurn& turn) = 0;
  // The client has the whole answer.
  virtual void answered(const SeenTurn& turn, SeenAnswer answer) = 0;
  // A try at a model on this machine begins as soon as this returns: at once where nothing reads
  // ahead, else when that has let go, after at most the time of a batch or two. Each call is
  // followed by one local_ended().
  virtual http::asio::awaitable<void> make_way(http::Loop& caller, std::uint64_t conversation) = 0;
  virtual void local_ended() = 0;
};

// What the observer is shown of `turn`.
SeenTurn seen_turn(const Turn& turn);

// The aim at the first candidate of `plan` that is a model on this machine whose bodies we compose
// and that can read ahead; nothing where there is none.
std::optional<LocalAim> local_aim(const Turn& turn, const router::Plan& plan);

}  // namespace nl::gateway
