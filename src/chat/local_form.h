// LocalForm: what becomes of a request for a model on this machine: short enough, and the same
// bytes whenever it is asked.
//
// Called by the gateway's attempt at a local target and, ahead of time, by the mirror that keeps
// the local tier warm: both must get the same form, so both call form() with the same input. What
// was decided for a conversation is remembered, so the form of turn n+1 begins with the form of
// turn n unless something had to be left out anew. Any thread. A FormedRequest owns what was
// changed; everything else in it points where the given request's views point.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chat/request.h"

namespace nl::chat {

// The model that a form is for.
struct LocalTarget {
  std::string model;                       // the target's own name for it
  std::int64_t window_tokens = 0;          // 0 = unknown: nothing is left out for its size
  std::int64_t reply_tokens = 0;           // kept free for the answer
  bool images = false;                     // reads them
  bool sound = false;                      // hears it
  std::vector<std::string> tools_allowed;  // empty = all; else only these stay declared
};

struct LocalFormInput {
  const Request& request;
  std::uint64_t conversation = 0;  // what stays the same from turn to turn
  std::string_view client_agent;   // its user-agent: picks the profile
  const LocalTarget& target;
};

enum class Fit : std::uint8_t {
  fits,       // in the window, with room for the answer
  too_large,  // what must stay whole does not fit: a larger window or the client's own compaction
};

// What was done, for the answer's header and for `why`.
struct LocalNote {
  std::string profile;             // empty = none
  std::int64_t tokens_before = 0;  // of the request as the client sent it
  std::int64_t tokens_after = 0;
  bool exact = false;   // counted by the target's tokenizer; else an estimate on the safe side
  std::string dropped;  // "12 tool results shortened, 1 image not seen"; empty = nothing
};

struct FormedRequest {
  Request request;
  LocalNote note;
  Fit fit = Fit::fits;
};

// A text whose exact count would help, and the name under which to tell it.
struct Uncounted {
  std::uint64_t key = 0;
  std::string escaped;  // the inside of a JSON string
};

// Work for a local model with nothing else to do: the standing summary of a conversation. `request`
// owns its bytes; its answer's text goes to finish_idle().
struct IdleWork {
  std::uint64_t conversation = 0;
  std::uint64_t mark = 0;  // which of the conversation's summaries
  Request request;
};

class LocalForm {
 public:
  virtual ~LocalForm() = default;
  virtual FormedRequest form(const LocalFormInput& input) = 0;

  // The largest texts of `input` that are only estimated, where their exact size may matter; at
  // most `most`. Empty while the request is far below the window.
  virtual std::vector<Uncounted> uncounted(const LocalFormInput& input, std::size_t most) = 0;
  // What the tokenizer of `model` says of a text.
  virtual void count(std::string_view model, std::uint64_t key, std::int64_t tokens) = 0;
  // What the target counted for a whole form that note.tokens_after stated. A larger figure makes
  // estimates for `model` larger from now on.
  virtual void measured(std::string_view model, std::int64_t stated, std::int64_t counted) = 0;

  // The next summary worth making for `model`, newest conversation first; nothing = no work.
  virtual std::optional<IdleWork> idle_work(std::string_view model) = 0;
  // The summary is used from the next time on that turns have to be left out. An empty one says
  // that none could be made: it is not asked for again until the conversation has grown.
  virtual void finish_idle(const IdleWork& work, std::string_view summary) = 0;
  // The work was broken off: it is offered again.
  virtual void return_idle(IdleWork work) = 0;
};

}  // namespace nl::chat
