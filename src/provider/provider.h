// Provider: one try at one upstream: dialect + endpoint + credential + quirks. Never two tries.
//
// open() sends a body and waits for the answer's head; a non-2xx comes back as a Refusal with
// everything a verdict needs, its small body drained so that the connection is kept. A 2xx comes
// back as an Opening whose bytes the relay reads. Headers are built fresh from an allow-list; the
// client's own headers go along only to the vendor they were meant for. Knows no route, no budget,
// no retry. Loop thread; outlives its Openings.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/secret.h"
#include "dialect/dialect.h"
#include "http/client.h"
#include "http/inflate.h"

namespace nl::provider {

// How a credential is carried.
enum class AuthScheme : std::uint8_t { none, bearer, x_api_key };

// What a model takes besides text.
struct Senses {
  bool images = false;
  bool sound = false;
};

// What is on this machine and may have to start first: the supervised engine. Loop thread; outlives
// the providers that name it.
class Readiness {
 public:
  virtual ~Readiness() = default;
  // Where it answers, as soon as it does. Errors: not_found (nothing to start, with the fix),
  // exhausted (given up, with the reason), timeout (still on its way at `until`), cancelled.
  virtual http::asio::awaitable<Result<http::Endpoint>> ready(http::Cancel& cancel,
                                                              Instant until) = 0;
  // A try waited in vain for a token: whoever supervises it looks whether it hangs.
  virtual void report_stall() = 0;
  // What its model takes, by its own word; nothing = it has not said it. Any thread.
  virtual std::optional<Senses> senses() const { return std::nullopt; }
  // It has given a whole answer.
  virtual void report_answer() {}
};

struct Setting {
  std::string name;
  dialect::DialectId dialect = dialect::DialectId::openai_chat;
  http::BaseUrl base;
  Secret key;  // empty: none configured
  AuthScheme auth = AuthScheme::bearer;
  // The client's own headers and marks are meant for this vendor (Anthropic's own service).
  bool own_client_headers = false;
  bool openrouter = false;
  bool local = false;
  // The supervised engine, llama-server: it takes only bodies that we composed, with its own
  // members. `base` then holds no address; readiness says where it is. Null for everyone else.
  Readiness* engine = nullptr;
};

// tokenize: of the engine alone.
enum class Operation : std::uint8_t { generate, count_tokens, tokenize };

// The client's side of a try, as far as it may go along.
struct ClientSide {
  const http::RequestHead* head = nullptr;  // never null
  bool pass_headers = false;     // same vendor and dialect: allow-listed headers go along
  bool pass_credential = false;  // the client's own credential is the one to use
};

struct Refusal {
  Error error;                                               // what happened, for ledger and people
  dialect::UpstreamError upstream;                           // what the body said
  std::vector<std::pair<std::string, std::string>> headers;  // lower-case, allow-listed
  std::string content_type;
  std::string body;  // at most 64 KiB, for returning a caller's fault as it is
};

// A 2xx being read.
struct Opening {
  std::unique_ptr<http::Call> call;
  std::unique_ptr<http::Inflater> inflater;  // null = identity
  bool event_stream = false;
  // The next decoded piece; empty at the end. Errors as http::Call::read, and protocol for a bad
  // or exploding content coding.
  http::asio::awaitable<Result<std::string_view>> read(Instant until);
  // What read() would give without waiting, or nothing.
  std::optional<Result<std::string_view>> read_now() {
    return inflater == nullptr ? call->read_now() : std::nullopt;
  }

 private:
  http::asio::awaitable<Result<std::string_view>> read_inflated(Instant until);
};

// A refusal is rare and large: it stands apart, so that nobody carries its room along.
using Opened = std::variant<Opening, std::unique_ptr<Refusal>>;

struct Try {
  Operation operation = Operation::generate;
  ClientSide client;
  std::string_view body;
  bool stream = false;
  Instant head_until{};
};

class Provider {
 public:
  Provider(http::Client& client, Setting setting);

  http::asio::awaitable<Opened> open(Try attempt, http::Cancel& cancel);

  // Replaces every credential of a try in `text`: some servers repeat it in their errors.
  void hide_credentials(std::string& text, const ClientSide& client) const;

  const Setting& setting() const { return setting_; }
  const dialect::Dialect& dialect() const { return dialect::dialect(setting_.dialect); }

  // Sends any other allow-listed route of this vendor straight through: the same method, path,
  // query and body. The Call is the answer, whatever its status.
  http::asio::awaitable<Result<std::unique_ptr<http::Call>>> forward(ClientSide client,
                                                                     std::string_view path,
                                                                     std::string_view body,
                                                                     http::Cancel& cancel,
                                                                     Instant head_until);

 private:
  std::string target_for(const Try& attempt) const;
  // What an answer that is none says, its body drained.
  http::asio::awaitable<std::unique_ptr<Refusal>> read_refusal(Opening& opening,
                                                               const Try& attempt);

  http::Client& client_;
  Setting setting_;
};

// The header lines of a try (CRLF each): everything but Host and Content-Length.
std::string header_lines(const Setting& setting, const ClientSide& client, bool stream);

// The answer's headers that inform a verdict or may go back to the client, lower-cased.
std::vector<std::pair<std::string, std::string>> informative_headers(const http::Headers& headers);

}  // namespace nl::provider
