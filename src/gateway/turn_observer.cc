#include "gateway/turn_observer.h"

#include "gateway/attempt.h"

namespace nl::gateway {
namespace {

bool can_read_ahead(const provider::Setting& setting) {
  return setting.engine != nullptr || setting.dialect == dialect::DialectId::ollama;
}

}  // namespace

Result<std::string> LocalAim::read_ahead(const chat::Request& request) const {
  const provider::Provider& provider = *upstreams->providers[candidate.target.provider];
  LocalBodyInput input{request,
                       conversation,
                       client_agent,
                       upstreams->policy,
                       candidate,
                       provider,
                       upstreams->local_form.get()};
  input.purpose = dialect::Purpose::read_ahead;
  Result<LocalBody> body = local_body(input);
  if (!body) return std::unexpected(std::move(body.error()));
  switch (body->fit) {
    case chat::Fit::fits:
      break;
    case chat::Fit::too_large:
      return fail(ErrorCode::unsupported, "it does not fit the window of the local model");
  }
  return std::move(body->bytes);
}

SeenTurn seen_turn(const Turn& turn) {
  return SeenTurn{turn.id,
                  turn.request,
                  turn.exchange.body(),
                  turn.dialect.id(),
                  turn.facts.conversation,
                  turn.facts.client_agent,
                  turn.row.label,
                  turn.local ? &*turn.local : nullptr};
}

std::optional<LocalAim> local_aim(const Turn& turn, const router::Plan& plan) {
  const Upstreams& upstreams = *turn.upstreams;
  for (const router::Candidate& candidate : plan.candidates) {
    const router::ProviderFacts& facts = upstreams.policy.providers[candidate.target.provider];
    const provider::Provider& provider = *upstreams.providers[candidate.target.provider];
    if (!facts.local || facts.self_test || !can_read_ahead(provider.setting())) continue;
    if (local_mode(turn.request, upstreams.policy, candidate) == router::OnLocal::hold) continue;
    return LocalAim{turn.upstreams, candidate, turn.facts.conversation,
                    std::string(turn.facts.client_agent)};
  }
  return std::nullopt;
}

}  // namespace nl::gateway
