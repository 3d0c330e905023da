#include "gateway/local_attempt.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace nl::gateway {
namespace {

constexpr std::size_t kTokensAnswerMax = 16u << 20;

// How many tokens the engine says `escaped` is; nothing when it does not say.
http::asio::awaitable<std::optional<std::int64_t>> tokens_of(provider::Provider& provider,
                                                             std::string escaped, Turn& turn,
                                                             Instant until) {
  const std::string body = "{\"content\":\"" + escaped + "\"}";
  provider::Try attempt;
  attempt.operation = provider::Operation::tokenize;
  attempt.client.head = &turn.exchange.head();
  attempt.body = body;
  attempt.head_until = until;
  auto opened = co_await provider.open(attempt, turn.cancel);
  auto* opening = std::get_if<provider::Opening>(&opened);
  if (opening == nullptr) co_return std::nullopt;
  std::string answer;
  while (answer.size() < kTokensAnswerMax) {
    const Result<std::string_view> piece = co_await opening->read(until);
    if (!piece) co_return std::nullopt;
    if (piece->empty()) break;
    answer.append(*piece);
  }
  dialect::Document document;
  if (!document.parse(answer)) co_return std::nullopt;
  const dialect::Value tokens = document.root()["tokens"];
  if (!tokens.is_array()) co_return std::nullopt;
  co_return static_cast<std::int64_t>(tokens.size());
}

}  // namespace

http::asio::awaitable<void> count_texts(Turn& turn, const Upstreams& upstreams,
                                        const router::Candidate& candidate) {
  provider::Provider& provider = *upstreams.providers[candidate.target.provider];
  chat::LocalForm* form = upstreams.local_form.get();
  if (turn.direct || form == nullptr || provider.setting().engine == nullptr) co_return;
  const chat::LocalTarget target =
      local_target(turn.request, upstreams.policy, candidate, provider);
  const std::vector<chat::Uncounted> texts = form->uncounted(
      {turn.request, turn.facts.conversation, turn.facts.client_agent, target}, kCountTextsMax);
  const Instant until = turn.exchange.loop().now() + kCountWithin;
  for (const chat::Uncounted& text : texts) {
    if (turn.client_gone || turn.exchange.loop().now() >= until) co_return;
    const std::optional<std::int64_t> tokens =
        co_await tokens_of(provider, text.escaped, turn, until);
    // One that the engine refuses keeps its estimate; the others are asked for all the same.
    if (tokens) form->count(target.model, text.key, *tokens);
  }
}

provider::Refusal too_large(const router::Candidate& candidate, const chat::LocalNote& note) {
  const std::int64_t window = candidate.facts.context_tokens.value_or(0);
  const std::int64_t tokens = std::max(note.tokens_before, window + 1);
  provider::Refusal refusal;
  refusal.upstream.type = "exceed_context_size_error";
  refusal.upstream.message = fmt::format(
      "what must stay whole of this request does not fit the local model's window: {} tokens > {}",
      tokens, window);
  refusal.upstream.prompt_tokens = tokens;
  refusal.upstream.window_tokens = window;
  refusal.error = Error(ErrorCode::status, refusal.upstream.message, 400);
  return refusal;
}

void tell_form(Turn& turn, const router::Candidate& candidate, const chat::LocalNote& note) {
  if (note.profile.empty() && note.dropped.empty()) return;
  turn.row.plan_note +=
      fmt::format("form {}: {} -> {} tokens{}{}{}{}\n", candidate.target.model, note.tokens_before,
                  note.tokens_after, note.exact ? "" : " (estimated)",
                  note.profile.empty() ? "" : ", profile " + note.profile,
                  note.dropped.empty() ? "" : "; ", note.dropped);
}

}  // namespace nl::gateway
