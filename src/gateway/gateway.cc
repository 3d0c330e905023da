#include "gateway/gateway.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/random.h"
#include "gateway/models.h"
#include "gateway/vendor_route.h"

namespace nl::gateway {
namespace {

using dialect::DialectId;

// The user-agent of Nightlight's own command line begins so.
constexpr std::string_view kOwnAgent = "nightlight/";
constexpr std::size_t kPathShown = 100;  // bytes of a wrong path

std::int64_t unix_ms(WallTime wall) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(wall.time_since_epoch()).count();
}

http::Answer alive() {
  http::Answer answer;
  answer.body = R"({"status":"ok"})";
  return answer;
}

Error no_route(const RouteMatch& route) {
  if (route.wrong_method) {
    return Error(ErrorCode::bad_request, "this path does not take that method", 405);
  }
  if (route.path.ends_with("/responses")) {
    return Error(ErrorCode::not_found,
                 "the Responses API is not served yet; use /v1/chat/completions or /v1/messages",
                 404);
  }
  return Error(ErrorCode::not_found,
               fmt::format("nothing is served at {}: /v1/messages, /v1/chat/completions and "
                           "/v1/models are, so a base URL is this address, with /v1 or without",
                           std::string_view(route.path).substr(0, kPathShown)),
               404);
}

// A client of the Gemini API shows what stands in an error of that API's own shape.
http::Answer gemini_not_served() {
  http::Answer answer;
  answer.status = 404;
  answer.body = R"({"error":{"code":404,"message":"the Gemini API is not served yet; use )"
                R"(/v1/chat/completions or /v1/messages","status":"NOT_FOUND"}})";
  return answer;
}

bool is_gemini(std::string_view path) {
  return path.starts_with("/v1beta/") || path.starts_with("/v1beta1/") ||
         path.ends_with(":generateContent") || path.ends_with(":streamGenerateContent");
}

}  // namespace

http::Answer error_answer(DialectId dialect, const Error& error, std::string_view id) {
  http::Answer answer;
  answer.status = error.status == 0 ? 500 : error.status;
  answer.body = dialect::dialect(dialect).error_body(error, id);
  return answer;
}

Gateway::Gateway(const GatewayParts& parts, std::shared_ptr<const Upstreams> upstreams)
    : parts_(parts), upstreams_(std::move(upstreams)) {}

void Gateway::replace_upstreams(std::shared_ptr<const Upstreams> upstreams) {
  upstreams_ = std::move(upstreams);
}

std::optional<http::Answer> Gateway::admit(const http::RequestHead& head,
                                           std::string_view local_address) {
  const RouteMatch route = match_route(head);
  if (const auto error = check_admission(head, route.kind, local_address, parts_.options)) {
    return error_answer(route.dialect, *error, "");
  }
  if (route.kind == RouteKind::upgrade) {
    // Codex offers a WebSocket first and goes on over HTTP at once after a 426 (PROTOCOLS 2).
    const Error error(ErrorCode::bad_request, "WebSocket is not spoken here", 426);
    return error_answer(route.dialect, error, "");
  }
  if (route.kind == RouteKind::unknown || route.wrong_method) {
    if (is_gemini(route.path)) return gemini_not_served();
    return error_answer(route.dialect, no_route(route), "");
  }
  return std::nullopt;
}

http::Answer Gateway::refuse(const Error& error, std::string_view target) {
  return error_answer(dialect_for_path(target), error, "");
}

http::asio::awaitable<void> Gateway::handle(http::Exchange& exchange) {
  RouteMatch route = match_route(exchange.head());
  switch (route.kind) {
    case RouteKind::messages:
    case RouteKind::chat_completions:
      return answer_turn(exchange, route.dialect);
    case RouteKind::count_tokens:
      return count_tokens(exchange);
    case RouteKind::vendor:
      return pass_to_vendor(exchange, std::move(route));
    case RouteKind::models:
    case RouteKind::alive:
    case RouteKind::own:
    case RouteKind::upgrade:
    case RouteKind::unknown:
      break;
  }
  return answer_here(exchange, std::move(route));
}

http::asio::awaitable<void> Gateway::answer_here(http::Exchange& exchange, RouteMatch route) {
  http::Answer answer;
  switch (route.kind) {
    case RouteKind::models:
      answer = models_answer(upstreams_->policy, route, route.dialect);
      break;
    case RouteKind::alive:
      answer = alive();
      break;
    case RouteKind::own:
      if (auto own = parts_.own.answer(route.path)) {
        answer = std::move(*own);
      } else {
        answer = error_answer(route.dialect, no_route(route), "");
      }
      break;
    case RouteKind::messages:
    case RouteKind::chat_completions:
    case RouteKind::count_tokens:
    case RouteKind::vendor:
    case RouteKind::upgrade:
    case RouteKind::unknown:
      answer = error_answer(route.dialect, no_route(route), "");
      break;
  }
  const Result<void> sent = co_await exchange.respond(answer);
  if (!sent) exchange.abort();
}

http::asio::awaitable<void> Gateway::answer_turn(http::Exchange& exchange, DialectId dialect) {
  // Decode: the whole body is validated before anything of it is used.
  Turn turn(exchange, dialect);
  turn.started = parts_.loop.now();
  turn.started_wall = parts_.loop.clock().wall();
  turn.id = ordered_id(unix_ms(turn.started_wall), kTurnIdPrefix);
  const std::shared_ptr<const Upstreams> upstreams = upstreams_;
  const Result<void> read = read_turn(turn, parts_.options.tokens, upstreams->policy);
  if (!read) {
    const http::Answer refusal = error_answer(dialect, read.error(), turn.id);
    const Result<void> sent = co_await exchange.respond(refusal);
    if (!sent) exchange.abort();
    co_return;
  }

  // Plan, reserve, attempt, commit, relay: until somebody has answered or nobody can.
  const FailoverParts failover_parts{*upstreams, parts_.health, parts_.spend, parts_.waiting,
                                     parts_.options};
  if (!turn.direct) watch(turn, upstreams);
  Failover failover(turn, failover_parts);
  co_await failover.run();

  show_answer(turn);
  settle(turn);
}

void Gateway::watch(Turn& turn, const std::shared_ptr<const Upstreams>& upstreams) {
  if (upstreams->observer == nullptr) return;
  turn.upstreams = upstreams;
  turn.observer = upstreams->observer;
  turn.kept.emplace();
}

void Gateway::show_answer(Turn& turn) {
  if (turn.observer == nullptr || turn.row.outcome != "ok" || !turn.kept->whole()) return;
  SeenAnswer seen;
  seen.answer = std::move(*turn.kept);
  seen.local = turn.row.tier == router::name(router::Tier::local);
  seen.usage = turn.row.usage;
  turn.observer->answered(seen_turn(turn), std::move(seen));
}

void Gateway::settle(Turn& turn) {
  state::RequestRow& row = turn.row;
  row.id = turn.id;
  row.started_unix_ms = unix_ms(turn.started_wall);
  row.duration_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(parts_.loop.now() - turn.started)
          .count();
  row.dialect = dialect::name(turn.dialect.id());
  row.client = std::string(turn.facts.client_agent.substr(0, 80));
  row.conversation = std::to_string(turn.facts.conversation);
  row.model_asked = turn.model.substr(0, 200);
  row.stream = turn.request.stream;
  if (moved(row)) {
    log::info("{} answered by {} {}/{}: {}", row.id, row.tier, row.provider, row.model, row.reason);
  } else if (row.outcome != "ok" && row.outcome != "client_gone" && row.status >= 500) {
    log::warn("{} not answered: {}", row.id, row.reason);
  }
  parts_.tally.count(row);
  // Our own commands ask at once what their request has come to.
  if (turn.facts.client_agent.starts_with(kOwnAgent)) {
    parts_.tally.keep(row, std::move(turn.compacted));
  }
  parts_.ledger.record(row);
}

}  // namespace nl::gateway
