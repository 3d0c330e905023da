// Turn: everything known of one request while it is being answered.
//
// Made by the gateway after admission, passed by reference along the way, and turned into a ledger
// row at the end. Its views point into the Exchange's body, which outlives it. One loop.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "chat/request.h"
#include "dialect/dialect.h"
#include "gateway/credential.h"
#include "gateway/turn_observer.h"
#include "http/client.h"
#include "http/server.h"
#include "router/planner.h"
#include "state/ledger.h"

namespace nl::gateway {

inline constexpr std::string_view kTurnIdPrefix = "nl_";

struct Turn {
  Turn(http::Exchange& client_exchange, dialect::DialectId dialect_id)
      : exchange(client_exchange), dialect(dialect::dialect(dialect_id)) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  http::Exchange& exchange;
  const dialect::Dialect& dialect;
  std::string id;  // x-nightlight-request-id
  Instant started{};
  WallTime started_wall{};
  dialect::Document document;  // the client's body, parsed
  chat::Request request;
  std::string model;  // as the client spelled it, unescaped
  ClientCredential credential;
  router::RequestFacts facts;
  std::string last_user, system_start;  // what facts' views point to
  http::Cancel cancel;                  // fired when the client has gone
  bool client_gone = false;
  bool direct = false;
  std::optional<router::Route> route;  // the targets that its client named
  std::string compacted;  // what was left out of it for a model on this machine; empty = nothing
  // Set when a target refused the signed thinking of this conversation.
  dialect::SignedThinking thinking = dialect::SignedThinking::keep;
  // A model on this machine has made a call that does not fit: a second one is told as text.
  bool asked_for_call_again = false;
  // It has chosen to answer in words where the request has tools and wants a format: the next try
  // is without tools and forces the format.
  bool format_now = false;
  // Who reads along, or null; the answer is kept for it, and how this machine would be asked.
  TurnObserver* observer = nullptr;
  std::shared_ptr<const Upstreams> upstreams;
  std::optional<chat::KeptAnswer> kept;
  std::optional<LocalAim> local;
  state::RequestRow row;
};

// Fills request, model, credential and facts from the validated body, and what the client's own
// x-nightlight-* headers ask for. Errors: bad_request, 400.
Result<void> read_turn(Turn& turn, const std::vector<Secret>& tokens, const router::Policy& policy);

// The id of an answer that we begin ourselves: the request's, as its dialect spells such ids.
std::string answer_id(const Turn& turn);

// The answer context of a writer for this turn.
dialect::AnswerContext answer_context(const Turn& turn);

}  // namespace nl::gateway
