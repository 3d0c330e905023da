// count_tokens: who would answer counts. The engine by its own tokenizer, Anthropic by its own
// service; where neither can be reached the estimate must do, as the count only steers a client's
// own compaction.
#include <algorithm>
#include <optional>
#include <string>

#include "gateway/answer_headers.h"
#include "gateway/attempt.h"
#include "gateway/gateway.h"
#include "gateway/vendor_route.h"

namespace nl::gateway {
namespace {

constexpr std::chrono::seconds kCountTokensWait{10};
constexpr std::size_t kCountBytesMax = 4096;

using dialect::DialectId;

// The answer of `provider` that states a count; nothing when none came.
http::asio::awaitable<std::optional<std::string>> counted(provider::Provider& provider,
                                                          provider::Try attempt,
                                                          http::Cancel& cancel) {
  auto opened = co_await provider.open(attempt, cancel);
  auto* opening = std::get_if<provider::Opening>(&opened);
  if (opening == nullptr) co_return std::nullopt;
  std::string body;
  while (body.size() < kCountBytesMax) {
    const Result<std::string_view> piece = co_await opening->read(attempt.head_until);
    if (!piece) co_return std::nullopt;
    if (piece->empty()) break;
    body.append(*piece);
  }
  dialect::Document document;
  if (!document.parse(body)) co_return std::nullopt;
  if (!document.root()["input_tokens"].integer()) co_return std::nullopt;
  co_return body;
}

std::string stated(std::int64_t tokens) {
  return "{\"input_tokens\":" + std::to_string(tokens) + "}";
}

// The engine's answer says more than its count, in another vendor's words.
std::string restated(const std::string& body) {
  dialect::Document document;
  const bool sound = document.parse(body).has_value();
  return stated(sound ? document.root()["input_tokens"].integer().value_or(0) : 0);
}

// The first target that would be asked now, if it is the engine.
const router::Candidate* engine_first(const router::Plan& plan, const Upstreams& upstreams) {
  if (plan.candidates.empty()) return nullptr;
  const router::Candidate& first = plan.candidates.front();
  const provider::Provider& provider = *upstreams.providers[first.target.provider];
  return provider.setting().engine != nullptr ? &first : nullptr;
}

}  // namespace

http::asio::awaitable<std::optional<std::string>> Gateway::count_elsewhere(
    Turn& turn, const Upstreams& upstreams) {
  provider::Try attempt;
  attempt.operation = provider::Operation::count_tokens;
  attempt.client.head = &turn.exchange.head();
  attempt.head_until = turn.started + kCountTokensWait;
  const router::Plan plan = router::plan(turn.facts, upstreams.policy, parts_.health, turn.started);
  if (const router::Candidate* engine = engine_first(plan, upstreams)) {
    provider::Provider& provider = *upstreams.providers[engine->target.provider];
    const Result<LocalBody> body = composed_body(turn, upstreams, *engine);
    if (!body) co_return std::nullopt;
    attempt.body = body->bytes;
    const auto count = co_await counted(provider, attempt, turn.cancel);
    co_return count ? std::optional<std::string>(restated(*count)) : std::nullopt;
  }
  const auto vendor = vendor_provider(upstreams, DialectId::anthropic, turn.credential);
  if (!vendor || parts_.health.offline(turn.started)) co_return std::nullopt;
  attempt.client.pass_headers = true;
  attempt.client.pass_credential = vendor->client_credential;
  attempt.body = turn.exchange.body();
  co_return co_await counted(*vendor->provider, attempt, turn.cancel);
}

http::asio::awaitable<void> Gateway::count_tokens(http::Exchange& exchange) {
  const std::shared_ptr<const Upstreams> upstreams = upstreams_;
  Turn turn(exchange, DialectId::anthropic);
  turn.started = parts_.loop.now();
  const Result<void> read = read_turn(turn, parts_.options.tokens);
  http::Answer answer;
  if (!read) {
    answer = error_answer(DialectId::anthropic, read.error(), "");
  } else {
    const std::optional<std::string> count = co_await count_elsewhere(turn, *upstreams);
    answer.body = count.value_or(stated(turn.facts.input_tokens));
    if (!count) answer.headers.emplace_back("x-nightlight-tier", "estimate");
  }
  const Result<void> sent = co_await exchange.respond(answer);
  if (!sent) exchange.abort();
}

}  // namespace nl::gateway
