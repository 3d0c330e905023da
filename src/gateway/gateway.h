// Gateway: the way of a request, readable in order in gateway.cc.
//
// admit (Host, Origin, token, route) -> decode -> plan -> reserve -> attempt -> commit point ->
// relay -> settle. One Gateway per loop; health, ledger, spend guard and waiting room are shared.
// Answers every route of the two dialects and hands its own routes (/nightlight/...) to OwnRoutes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/admission.h"
#include "gateway/failover.h"
#include "gateway/options.h"
#include "gateway/spend.h"
#include "gateway/tally.h"
#include "gateway/upstreams.h"
#include "http/client.h"
#include "http/server.h"
#include "router/health.h"
#include "state/ledger.h"

namespace nl::gateway {

// Answers what is about the gateway itself; admin implements it.
class OwnRoutes {
 public:
  virtual ~OwnRoutes() = default;
  // The answer to `path` (begins "/nightlight/"), or nothing when there is no such route.
  virtual std::optional<http::Answer> answer(std::string_view path) = 0;
};

struct GatewayParts {
  http::Loop& loop;
  router::Health& health;
  state::Ledger& ledger;
  SpendGuard& spend;
  WaitingRoom& waiting;
  Tally& tally;
  OwnRoutes& own;
  const GatewayOptions& options;
};

class Gateway final : public http::Handler {
 public:
  Gateway(const GatewayParts& parts, std::shared_ptr<const Upstreams> upstreams);

  // Used by requests that begin from now on.
  void replace_upstreams(std::shared_ptr<const Upstreams> upstreams);

  std::optional<http::Answer> admit(const http::RequestHead& head,
                                    std::string_view local_address) override;
  http::asio::awaitable<void> handle(http::Exchange& exchange) override;
  http::Answer refuse(const Error& error, std::string_view target) override;

 private:
  http::asio::awaitable<void> answer_turn(http::Exchange& exchange, dialect::DialectId dialect);
  http::asio::awaitable<void> count_tokens(http::Exchange& exchange);
  // The body that states the count, from the engine or the vendor; nothing when neither gave one.
  http::asio::awaitable<std::optional<std::string>> count_elsewhere(Turn& turn,
                                                                    const Upstreams& upstreams,
                                                                    const router::Plan& plan);
  http::asio::awaitable<void> pass_to_vendor(http::Exchange& exchange, RouteMatch route);
  // What needs no upstream.
  http::asio::awaitable<void> answer_here(http::Exchange& exchange, RouteMatch route);
  // Lets the observer, if there is one, see the turn and its answer.
  void watch(Turn& turn, const std::shared_ptr<const Upstreams>& upstreams);
  void show_answer(Turn& turn);
  void settle(Turn& turn);

  GatewayParts parts_;
  std::shared_ptr<const Upstreams> upstreams_;
};

// The error `error` as a complete answer in `dialect`.
http::Answer error_answer(dialect::DialectId dialect, const Error& error, std::string_view id);

}  // namespace nl::gateway
