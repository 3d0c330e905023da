#include "gateway/vendor_route.h"

#include <string>

#include "gateway/answer_headers.h"
#include "gateway/gateway.h"
#include "gateway/wishes.h"
#include "router/resolve.h"

namespace nl::gateway {
namespace {

using dialect::DialectId;

router::Vendor vendor_of(DialectId dialect) {
  switch (dialect) {
    case DialectId::anthropic:
      return router::Vendor::anthropic;
    case DialectId::openai_chat:
      return router::Vendor::openai;
    case DialectId::ollama:
      break;
  }
  return router::Vendor::other;
}

// An upstream's answer as it is, whole: these routes' answers are small, or files within the limit.
http::asio::awaitable<Result<std::string>> read_all(http::Call& call, Instant until) {
  constexpr std::size_t kLimit = 64u << 20;
  std::string body;
  for (;;) {
    Result<std::string_view> piece = co_await call.read(until);
    if (!piece) co_return std::unexpected(std::move(piece.error()));
    if (piece->empty()) co_return body;
    if (body.size() + piece->size() > kLimit) {
      co_return fail(ErrorCode::protocol, "the answer is larger than its limit", 502);
    }
    body.append(*piece);
  }
}

}  // namespace

std::optional<VendorProvider> vendor_provider(const Upstreams& upstreams, DialectId dialect,
                                              const ClientCredential& credential) {
  const router::Vendor wanted = vendor_of(dialect);
  for (std::size_t i = 0; i < upstreams.providers.size(); ++i) {
    const router::ProviderFacts& facts = upstreams.policy.providers[i];
    if (facts.vendor != wanted) continue;
    router::RequestFacts any;
    any.dialect = facts.dialect;
    if (router::refused(facts, any, upstreams.policy) != nullptr) continue;
    VendorProvider found;
    found.provider = upstreams.providers[i].get();
    found.index = i;
    found.client_credential = !facts.has_key;
    if (facts.has_key || (facts.takes_client_credential && credential.vendor == wanted)) {
      return found;
    }
  }
  return std::nullopt;
}

http::asio::awaitable<void> forward_to_vendor(http::Exchange& exchange, const RouteMatch& route,
                                              VendorProvider vendor, Instant until) {
  provider::ClientSide client;
  client.head = &exchange.head();
  client.pass_headers = true;
  client.pass_credential = vendor.client_credential;
  http::Cancel cancel;
  auto call = co_await vendor.provider->forward(client, route.path, exchange.body(), cancel, until);
  http::Answer answer;
  if (!call) {
    answer = error_answer(route.dialect, Error(call.error().code, call.error().message, 502), "");
  } else {
    const http::ResponseHead& head = (*call)->head();
    answer.status = head.status;
    answer.content_type =
        header_value(head.headers.find("content-type").value_or("application/json"));
    answer.headers = provider::informative_headers(head.headers);
    for (auto& [name, value] : answer.headers) vendor.provider->hide_credentials(value, client);
    if (const auto coding = head.headers.find("content-encoding")) {
      answer.headers.emplace_back("content-encoding", header_value(*coding));
    }
    Result<std::string> body = co_await read_all(**call, until);
    if (body) {
      answer.body = std::move(*body);
      if (answer.status >= 400) vendor.provider->hide_credentials(answer.body, client);
    } else {
      answer = error_answer(route.dialect, Error(body.error().code, body.error().message, 502), "");
    }
  }
  const Result<void> sent = co_await exchange.respond(answer);
  if (!sent) exchange.abort();
}

http::asio::awaitable<void> Gateway::pass_to_vendor(http::Exchange& exchange, RouteMatch route) {
  const std::shared_ptr<const Upstreams> upstreams = upstreams_;
  const ClientCredential credential =
      client_credential(exchange.head(), route.dialect, parts_.options.tokens);
  const auto vendor = vendor_provider(*upstreams, route.dialect, credential);
  Error error(ErrorCode::not_found,
              "this path is passed on to the vendor alone, and no provider of its dialect has a "
              "credential; set its key, or use /v1/chat/completions or /v1/messages",
              404);
  if (vendor) {
    const Result<void> wished = leaves_to(exchange.head(), upstreams->policy, vendor->index);
    if (wished) {
      const Instant until = parts_.loop.now() + parts_.options.total;
      co_await forward_to_vendor(exchange, route, *vendor, until);
      co_return;
    }
    error = wished.error();
  }
  const http::Answer answer = error_answer(route.dialect, error, "");
  const Result<void> sent = co_await exchange.respond(answer);
  if (!sent) exchange.abort();
}

}  // namespace nl::gateway
