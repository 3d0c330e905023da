#include "gateway/last_word.h"

#include <fmt/format.h>

namespace nl::gateway {
namespace {

// What to do where a cloud was left out for want of a key: a login belongs to the client that has
// it, and this one brought none.
std::string key_fix(const router::Plan& plan) {
  for (const router::Skipped& skipped : plan.skipped) {
    if (skipped.why != "no key") continue;
    const std::string provider = skipped.target.substr(0, skipped.target.find('/'));
    return fmt::format(
        "give {} a key (its variable where `nightlight up` starts; a Claude "
        "subscription login serves Claude Code alone, as `nightlight run claude`), "
        "or ",
        provider);
  }
  return "";
}

LastWord word_for(const Turn& turn, Error error, std::string lines) {
  LastWord word;
  word.answer.status = error.status;
  word.answer.header_lines = std::move(lines);
  word.answer.body = turn.dialect.error_body(error, turn.id);
  word.error = std::move(error);
  return word;
}

bool says_too_long(const Error& error) {
  return error.message.find("too long") != std::string::npos ||
         error.message.find("context") != std::string::npos ||
         error.message.find("maximum") != std::string::npos;
}

// Numbers that the server stated, in each vendor's own words: Claude Code compacts by them, SDKs
// look for the code.
void word_as_too_long(const Turn& turn, const dialect::UpstreamError& said, Error& error) {
  if (!said.prompt_tokens || !said.window_tokens) return;
  switch (turn.dialect.id()) {
    case dialect::DialectId::anthropic:
      error.message = fmt::format("prompt is too long: {} tokens > {} maximum", *said.prompt_tokens,
                                  *said.window_tokens);
      return;
    case dialect::DialectId::openai_chat:
      error.message = fmt::format(
          "This model's maximum context length is {} tokens. However, your messages resulted in {} "
          "tokens. Please reduce the length of the messages.",
          *said.window_tokens, *said.prompt_tokens);
      return;
    case dialect::DialectId::ollama:
      return;
  }
}

// What to do so that there is a third tier.
std::string local_fix(const router::Policy& policy) {
  constexpr const char* kGetOne =
      "get a local model for this machine (`nightlight pull`, or `nightlight up --model "
      "FILE.gguf`)";
  for (const router::ProviderFacts& provider : policy.providers) {
    if (provider.self_test) return kGetOne;
    if (provider.name == "engine") return "`nightlight status` says what the engine lacks";
    if (provider.local) return "start the local model server " + provider.name;
  }
  return kGetOne;
}

}  // namespace

LastWord caller_fault(const Turn& turn, const Answerer& who, const provider::Provider& provider,
                      const AttemptResult& result) {
  const bool refused = result.refusal != nullptr;
  const int status = result.error->status >= 400 ? result.error->status : 502;
  HeaderList vendor;
  if (refused && provider.setting().own_client_headers) vendor = result.refusal->headers;
  Error error = *result.error;
  error.status = status;
  if (refused && !result.refusal->upstream.message.empty()) {
    error.message = result.refusal->upstream.message;
  }
  LastWord word = word_for(turn, std::move(error), answer_lines(turn, who, vendor));
  const bool same =
      provider.dialect().id() == turn.dialect.id() && provider.setting().engine == nullptr;
  if (same && refused && !result.refusal->body.empty()) {
    word.answer.body = result.refusal->body;
    if (!result.refusal->content_type.empty()) {
      word.answer.content_type = header_value(result.refusal->content_type);
    }
  }
  return word;
}

LastWord incapable(const Turn& turn, const AttemptResult& result) {
  Error error = *result.error;
  if (result.refusal && !result.refusal->upstream.message.empty()) {
    error.message = result.refusal->upstream.message;
  }
  if (error.status < 400 || error.status >= 500) error.status = 400;
  error.code = ErrorCode::bad_request;
  if (result.refusal) word_as_too_long(turn, result.refusal->upstream, error);
  // The words by which clients know to compact (PROTOCOLS 1.11, 2).
  if (error.status != 404 && says_too_long(error) &&
      error.message.find("prompt is too long") == std::string::npos &&
      turn.dialect.id() == dialect::DialectId::anthropic) {
    error.message = "prompt is too long: " + error.message;
  }
  Answerer nobody;
  nobody.attempts = static_cast<int>(turn.row.attempts.size());
  std::string lines = answer_lines(turn, nobody, {});
  lines.append("x-should-retry: false\r\n");
  return word_for(turn, std::move(error), std::move(lines));
}

LastWord untranslatable(const Turn& turn) {
  Error error(ErrorCode::bad_request,
              "something in this request cannot be said in the dialect of any configured provider: "
              "a role, a tool or a setting that only its own dialect knows",
              400);
  Answerer nobody;
  nobody.attempts = 0;
  std::string lines = answer_lines(turn, nobody, {});
  lines.append("x-should-retry: false\r\n");
  return word_for(turn, std::move(error), std::move(lines));
}

LastWord exhausted(const Turn& turn, const router::Plan& plan, const router::Policy& policy,
                   const std::string& failures) {
  std::string why = failures;
  for (const router::Skipped& skipped : plan.skipped) {
    if (why.size() > 1500) break;
    if (failures.find(skipped.target + ":") != std::string::npos) continue;
    why += fmt::format("{}{}: {}", why.empty() ? "" : "; ", skipped.target, skipped.why);
  }
  if (why.empty()) why = "no provider is configured";
  Error error(
      ErrorCode::exhausted,
      fmt::format("no tier can answer now ({}). Fix: {}{}; `nightlight check` shows the plan "
                  "and `nightlight status` what is out",
                  why, key_fix(plan), local_fix(policy)),
      503);
  Answerer nobody;
  nobody.attempts = static_cast<int>(turn.row.attempts.size());
  std::string lines = answer_lines(turn, nobody, {});
  lines.append(fmt::format("retry-after: {}\r\n", obeyed_retry_after(turn)));
  return word_for(turn, std::move(error), std::move(lines));
}

http::asio::awaitable<void> say(Turn& turn, ClientStream& client, LastWord word) {
  turn.row.status = word.answer.status;
  if (client.head_sent()) {
    turn.row.status = 200;
    co_await client.fail_stream(word.error);
    co_return;
  }
  const Result<void> sent = co_await turn.exchange.respond(word.answer);
  if (!sent) turn.client_gone = true;
}

}  // namespace nl::gateway
