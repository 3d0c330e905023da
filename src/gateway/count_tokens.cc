// count_tokens: who would answer counts. The engine by its own tokenizer, Anthropic by its own
// service; where neither can be reached the estimate must do, as the count only steers a client's
// own compaction. Beside the count stands who would answer now and how much that target takes, so
// that a client can cut its work to size.
#include <algorithm>
#include <optional>
#include <string>

#include "gateway/answer_headers.h"
#include "gateway/attempt.h"
#include "gateway/gateway.h"
#include "gateway/vendor_route.h"
#include "router/resolve.h"

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

// Who would be asked first, and its window where it is known.
void name_target(const router::Plan& plan, const Upstreams& upstreams, HeaderList& headers) {
  if (plan.candidates.empty()) return;
  const router::Candidate& first = plan.candidates.front();
  const router::ProviderFacts& provider = upstreams.policy.providers[first.target.provider];
  headers.emplace_back("x-nightlight-target",
                       header_value(router::spelled(provider, first.target.model)));
  headers.emplace_back("x-nightlight-target-tier", router::name(first.target.tier));
  if (first.facts.context_tokens) {
    headers.emplace_back("x-nightlight-window", std::to_string(*first.facts.context_tokens));
  }
}

// Anthropic's own service counts what it may see. A request that names its targets is shown to
// nobody else.
bool may_ask_vendor(const Turn& turn, const VendorProvider& vendor, const router::Plan& plan,
                    const Upstreams& upstreams) {
  if (turn.facts.route == nullptr) return true;
  return !plan.candidates.empty() &&
         upstreams.providers[plan.candidates.front().target.provider].get() == vendor.provider;
}

// The first target that would be asked now, if it is on this machine.
const router::Candidate* here_first(const router::Plan& plan, const Upstreams& upstreams) {
  if (plan.candidates.empty() || !is_here(upstreams.policy, plan.candidates.front())) {
    return nullptr;
  }
  return &plan.candidates.front();
}

}  // namespace

http::asio::awaitable<std::optional<std::string>> Gateway::count_elsewhere(
    Turn& turn, const Upstreams& upstreams, const router::Plan& plan) {
  provider::Try attempt;
  attempt.operation = provider::Operation::count_tokens;
  attempt.client.head = &turn.exchange.head();
  attempt.head_until = turn.started + kCountTokensWait;
  if (const router::Candidate* here = here_first(plan, upstreams)) {
    provider::Provider& provider = *upstreams.providers[here->target.provider];
    const Result<LocalBody> body = composed_body(turn, upstreams, *here);
    if (!body) co_return std::nullopt;
    turn.compacted = body->note.dropped;
    turn.facts.input_tokens = std::max(turn.facts.input_tokens, body->note.tokens_before);
    if (provider.setting().engine != nullptr) {
      attempt.body = body->bytes;
      const auto count = co_await counted(provider, attempt, turn.cancel);
      co_return count ? std::optional<std::string>(restated(*count)) : std::nullopt;
    }
  }
  const auto vendor = vendor_provider(upstreams, DialectId::anthropic, turn.credential);
  if (!vendor || parts_.health.offline(turn.started)) co_return std::nullopt;
  if (!may_ask_vendor(turn, *vendor, plan, upstreams)) co_return std::nullopt;
  attempt.client.pass_headers = true;
  attempt.client.pass_credential = vendor->client_credential;
  attempt.body = turn.exchange.body();
  co_return co_await counted(*vendor->provider, attempt, turn.cancel);
}

http::asio::awaitable<void> Gateway::count_tokens(http::Exchange& exchange) {
  const std::shared_ptr<const Upstreams> upstreams = upstreams_;
  Turn turn(exchange, DialectId::anthropic);
  turn.started = parts_.loop.now();
  const Result<void> read = read_turn(turn, parts_.options.tokens, upstreams->policy);
  http::Answer answer;
  if (!read) {
    answer = error_answer(DialectId::anthropic, read.error(), "");
  } else {
    const router::Plan plan =
        router::plan(turn.facts, upstreams->policy, parts_.health, turn.started);
    const std::optional<std::string> count = co_await count_elsewhere(turn, *upstreams, plan);
    answer.body = count.value_or(stated(turn.facts.input_tokens));
    if (!count) answer.headers.emplace_back("x-nightlight-tier", "estimate");
    name_target(plan, *upstreams, answer.headers);
    if (!turn.compacted.empty()) {
      answer.headers.emplace_back("x-nightlight-compacted", header_value(turn.compacted));
    }
  }
  const Result<void> sent = co_await exchange.respond(answer);
  if (!sent) exchange.abort();
}

}  // namespace nl::gateway
