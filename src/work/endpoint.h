// Endpoint: a question to the running gateway, asked as any other client of it would ask.
//
// What `ask`, the recipes and `tasks` stand on: they reach a model only here, through the whole way
// of a request. Speaks Anthropic Messages, streaming, and afterwards takes from the gateway's own
// record who answered and at what price. Blocking, with a loop of its own; Ctrl-C ends an answer
// and comes back as an Error. One thread per Endpoint; several may be asked at once on threads of
// their own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "documents/document.h"
#include "http/client.h"

namespace nl::work {

// Where the gateway is.
struct Address {
  http::Endpoint endpoint;
  std::string headers;  // header lines with CRLF each: the gateway's token, where it asks for one
  std::string name;     // for people: "http://127.0.0.1:2300"
};

struct Prompt {
  std::string system;
  std::string text;
  std::vector<documents::Image> images;
  std::string model;  // what the client asks for; empty = the best of whoever answers
  std::uint32_t max_tokens = 4096;
  // x-nightlight-route: "", "@local", "@frontier", "@router", "provider/model", "provider",
  // "offline"
  std::string route;
  std::string task;         // x-nightlight-task: a label; empty = none
  std::string json_schema;  // not empty: the answer is JSON of this schema
};

struct Reply {
  std::string text;
  std::string tier, provider, model;
  std::string reason;  // why it was not the preferred target; empty = it was
  std::string request_id;
  std::string stop_reason;  // "end_turn", "max_tokens", "refusal", ...
  std::string compacted;    // what the gateway left out to fit a local window; empty = nothing
  std::uint64_t input_tokens = 0;
  std::uint64_t output_tokens = 0;
  bool usage_estimated = false;
  std::optional<double> cost_usd;  // by the gateway's record; nothing = not known
  Duration first_token{};          // to the first text
  Duration whole{};
};

// What a prompt would be to whoever is asked first now.
struct Count {
  std::int64_t tokens = 0;
  bool estimated = false;  // else counted by the target's own tokenizer
  std::string target;      // "engine/gemma4:e4b"; empty = nobody could answer now
  std::string tier;
  std::optional<std::int64_t> window;  // in tokens, where it is known
  std::string compacted;               // what would be left out of it there; empty = nothing
};

struct EndpointLimits {
  Duration head = std::chrono::seconds(120);     // the gateway itself speaks up after 10 s
  Duration silence = std::chrono::seconds(120);  // it sends fillers all the while
  Duration whole = std::chrono::hours(2);
  Duration quiet = std::chrono::seconds(2);  // without a word, until when_quiet() tells of it
  std::size_t answer_bytes_max = 16u << 20;
};

using OnText = std::function<void(std::string_view)>;
// `target`: whom the gateway named last, as in Count; may be empty.
using OnQuiet = std::function<void(const std::string& target)>;

// What can be asked: the gateway, or a test's own words.
class Asker {
 public:
  virtual ~Asker() = default;
  // Asks and waits for the whole answer; `on_text` gets its text as it comes and may be empty.
  // Errors: connect (no gateway there), status (refused, with the gateway's own words),
  // stream_error and truncated (broke off), timeout, too_large, cancelled (Ctrl-C).
  virtual Result<Reply> answer(const Prompt& prompt, const OnText& on_text) = 0;
  // Counts the prompt without asking it. Errors: as answer().
  virtual Result<Count> count(const Prompt& prompt) = 0;
};

class Endpoint final : public Asker {
 public:
  explicit Endpoint(Address address, EndpointLimits limits = {});
  ~Endpoint() override;
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  Result<Reply> answer(const Prompt& prompt, const OnText& on_text) override;
  // Calls `on_quiet`, once in all, when nothing has come for EndpointLimits::quiet: a person should
  // know what is waited for.
  void when_quiet(OnQuiet on_quiet);
  // The id that the gateway gave to what answer() asked last, whatever became of it; empty = none.
  const std::string& last_request_id() const;
  Result<Count> count(const Prompt& prompt) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

enum class BodyFor : std::uint8_t { answer, count };

// The body of `prompt` in the dialect, for tests. Bytes that are no UTF-8 become U+FFFD.
std::string prompt_body(const Prompt& prompt, BodyFor purpose);

}  // namespace nl::work
