#include "gateway/failover.h"

#include <algorithm>

#include "base/log.h"
#include "gateway/last_word.h"

namespace nl::gateway {
namespace {

using router::Action;
using router::CredentialSource;
using router::FailureClass;

std::int64_t ms(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

std::int64_t cost_of(const router::Candidate& candidate, const chat::Usage& usage) {
  if (!candidate.facts.price) return -1;
  const chat::Price& price = *candidate.facts.price;
  const std::int64_t fresh = usage.input.value_or(0);
  chat::Price cached = price;
  cached.input = price.cache_read;
  chat::Price written = price;
  written.input = price.cache_write == 0 ? price.input : price.cache_write;
  return router::cost_micro_usd(price, fresh, usage.output.value_or(0)) +
         router::cost_micro_usd(cached, usage.cache_read.value_or(0), 0) +
         router::cost_micro_usd(written, usage.cache_write.value_or(0), 0);
}

}  // namespace

Failover::Failover(Turn& turn, const FailoverParts& parts)
    : turn_(turn), parts_(parts), client_(turn, parts.options) {}

std::string Failover::target_name(const router::Target& target) const {
  return parts_.upstreams.policy.providers[target.provider].name + "/" + target.model;
}

bool Failover::is_named(const router::Target& target, std::string_view name) const {
  const std::string& provider = parts_.upstreams.policy.providers[target.provider].name;
  return name.size() == provider.size() + 1 + target.model.size() && name.starts_with(provider) &&
         name[provider.size()] == '/' && name.ends_with(target.model);
}

std::uint64_t Failover::credential_mark(const router::Candidate& candidate) const {
  switch (candidate.credential) {
    case CredentialSource::client:
      return turn_.credential.mark;
    case CredentialSource::configured:
      return parts_.upstreams.policy.providers[candidate.target.provider].key_mark;
    case CredentialSource::none_needed:
      return 0;
  }
  return 0;
}

router::Plan Failover::make_plan() {
  turn_.facts.failover_spent_micro_usd = parts_.spend.spent();
  router::Plan plan = router::plan(turn_.facts, parts_.upstreams.policy, parts_.health,
                                   turn_.exchange.loop().now());
  turn_.row.label = plan.label;
  turn_.row.preferred = plan.preferred;
  turn_.row.plan_note.clear();
  for (const router::Candidate& candidate : plan.candidates) {
    const std::string& provider = parts_.upstreams.policy.providers[candidate.target.provider].name;
    turn_.row.plan_note.append(provider).append("/").append(candidate.target.model).append(" (");
    turn_.row.plan_note.append(candidate.why).append(")\n");
  }
  for (const router::Skipped& skipped : plan.skipped) {
    turn_.row.plan_note.append("not ").append(skipped.target).append(": ");
    turn_.row.plan_note.append(skipped.why).append("\n");
  }
  if (reason_.empty()) reason_ = why_not_preferred(plan);
  return plan;
}

// What health or budget left out, or what moved the preferred target behind others.
std::string Failover::why_not_preferred(const router::Plan& plan) const {
  if (plan.candidates.empty()) return {};
  if (is_named(plan.candidates.front().target, plan.preferred)) return {};
  for (const router::Skipped& skipped : plan.skipped) {
    if (skipped.target == plan.preferred) return skipped.target + ": " + skipped.why;
  }
  const bool offline = parts_.health.offline(turn_.exchange.loop().now());
  return plan.preferred + (offline ? ": no network" : ": broke off in this conversation");
}

http::asio::awaitable<void> Failover::run() {
  router::Plan plan = make_plan();
  if (turn_.observer != nullptr) {
    turn_.local = local_aim(turn_, plan);
    turn_.observer->began(seen_turn(turn_));
  }
  for (;;) {
    const After after = co_await walk(plan);
    if (after == After::done || turn_.client_gone) break;
    const bool planned_again = co_await wait_for_target(plan);
    if (turn_.client_gone) break;
    if (!planned_again) {
      co_await say_exhausted(plan);
      break;
    }
    plan = make_plan();
  }
  if (turn_.client_gone) {
    turn_.row.outcome = "client_gone";
    turn_.exchange.abort();
  }
}

http::asio::awaitable<Failover::After> Failover::walk(router::Plan& plan) {
  bool tried_again = false;
  for (std::size_t i = 0; i < plan.candidates.size(); ++i) {
    if (turn_.client_gone) co_return After::done;
    if (excluded(plan.candidates[i])) continue;
    const Step step = co_await try_candidate(plan, i);
    if (step == Step::done) co_return After::done;
    if (step == Step::again && !tried_again) {
      tried_again = true;
      --i;
    } else {
      tried_again = false;
    }
    // No way out of this machine: what is on it goes first among the rest.
    if (parts_.health.offline(turn_.exchange.loop().now())) {
      const auto local = [&](const router::Candidate& candidate) {
        return parts_.upstreams.policy.providers[candidate.target.provider].local;
      };
      const auto rest = plan.candidates.begin() + static_cast<std::ptrdiff_t>(i + 1);
      std::stable_partition(rest, plan.candidates.end(), local);
    }
  }
  co_return After::exhausted;
}

bool Failover::excluded(const router::Candidate& candidate) const {
  if (local_mode(turn_.request, parts_.upstreams.policy, candidate) == router::OnLocal::hold)
    return true;
  const auto is_it = [&](const std::string& name) { return is_named(candidate.target, name); };
  if (std::ranges::any_of(without_, is_it)) return true;
  return window_above_ && candidate.facts.context_tokens &&
         *candidate.facts.context_tokens <= *window_above_;
}

bool Failover::another_after(const router::Plan& plan, std::size_t index) const {
  for (std::size_t i = index + 1; i < plan.candidates.size(); ++i) {
    if (!excluded(plan.candidates[i])) return true;
  }
  return false;
}

Answerer Failover::answerer(const router::Candidate& candidate,
                            const std::string& preferred) const {
  Answerer who;
  who.tier = router::name(candidate.target.tier);
  who.provider = parts_.upstreams.policy.providers[candidate.target.provider].name;
  who.model = candidate.target.model;
  who.attempts = attempts_;
  if (!is_named(candidate.target, preferred)) {
    who.reason = reason_.empty() ? candidate.why : reason_;
  }
  return who;
}

http::asio::awaitable<Failover::Step> Failover::try_candidate(const router::Plan& plan,
                                                              std::size_t index) {
  const router::Candidate& candidate = plan.candidates[index];
  const router::ProviderFacts& facts = parts_.upstreams.policy.providers[candidate.target.provider];
  const std::uint64_t mark = credential_mark(candidate);
  if (!parts_.health.begin(facts, candidate.target, mark, turn_.exchange.loop().now()) &&
      !candidate.last_resort && !turn_.direct) {
    may_pass(candidate);  // another request has just taken the only probe
    co_return Step::next;
  }
  ++attempts_;
  const SpendGuard::Held held = parts_.spend.reserve(
      candidate.paid_failover ? router::estimated_cost_micro_usd(candidate.facts, turn_.facts) : 0);
  const AttemptSetup setup{parts_.upstreams, candidate, parts_.options,
                           answerer(candidate, plan.preferred),
                           another_after(plan, index) ? Backup::another_target : Backup::none};
  AttemptResult result = co_await run_attempt(turn_, client_, setup);
  const state::AttemptRow& row = record(candidate, result);
  // Without a known price the estimate stands: an unknown price must not look free.
  std::int64_t paid = 0;
  if (candidate.paid_failover) paid = row.cost_micro_usd < 0 ? held.micro_usd : row.cost_micro_usd;
  parts_.spend.settle(held, paid);
  if (turn_.client_gone) {
    parts_.health.abandoned(facts, candidate.target, mark);
    co_return Step::done;
  }
  if (!result.error) {
    settle_success(candidate, result);
    co_return Step::done;
  }
  co_return co_await after_failure(plan, index, std::move(result));
}

// A flat fee and this machine's own model cost nothing more per answer.
bool Failover::is_metered(const router::Candidate& candidate) const {
  if (parts_.upstreams.policy.providers[candidate.target.provider].billing !=
      router::Billing::metered) {
    return false;
  }
  return candidate.credential != CredentialSource::client || !turn_.credential.subscription;
}

state::AttemptRow& Failover::record(const router::Candidate& candidate,
                                    const AttemptResult& result) {
  state::AttemptRow row;
  row.number = attempts_;
  row.tier = router::name(candidate.target.tier);
  row.provider = parts_.upstreams.policy.providers[candidate.target.provider].name;
  row.model = candidate.target.model;
  row.duration_ms = ms(result.took);
  row.started_ms = ms(result.ended - turn_.started) - row.duration_ms;
  row.outcome = result.error ? name(result.error->code) : "ok";
  row.status = result.error ? result.error->status : 200;
  if (result.tap.first_content) {
    row.first_content_ms = ms(*result.tap.first_content - turn_.started) - row.started_ms;
  }
  row.usage = result.tap.usage;
  const bool produced = result.tap.content_events > 0;
  if (produced && !row.usage.output) row.usage.output = result.tap.content_bytes / 4 + 1;
  if (produced && row.usage.input_total() == 0) row.usage.input = turn_.facts.input_tokens;
  turn_.row.usage_estimated = produced && (!result.tap.usage.output || result.tap.ended_by_us);
  const bool used = produced || !result.error;
  row.cost_micro_usd = used && is_metered(candidate) ? cost_of(candidate, row.usage) : 0;
  // What a broken attempt cost is paid all the same.
  if (used) {
    std::int64_t& total = turn_.row.cost_micro_usd;
    total = row.cost_micro_usd < 0 ? total : std::max<std::int64_t>(total, 0) + row.cost_micro_usd;
    turn_.row.paid_failover = turn_.row.paid_failover || candidate.paid_failover;
  }
  turn_.row.attempts.push_back(std::move(row));
  return turn_.row.attempts.back();
}

void Failover::settle_success(const router::Candidate& candidate, const AttemptResult& result) {
  const router::ProviderFacts& facts = parts_.upstreams.policy.providers[candidate.target.provider];
  const Instant now = result.ended;
  const std::uint64_t mark = credential_mark(candidate);
  parts_.health.succeeded(facts, candidate.target, mark, now);
  const router::Seen seen = seen_of(candidate, facts, result);
  const auto wall_now =
      turn_.started_wall + std::chrono::duration_cast<WallTime::duration>(now - turn_.started);
  if (const auto verdict = router::decide_after_success(seen, wall_now)) {
    parts_.health.failed(facts, candidate.target, mark, *verdict, now);
    log::warn("{} answered but {}", facts.name, verdict->reason);
  }
  const state::AttemptRow& row = turn_.row.attempts.back();
  turn_.row.outcome = "ok";
  turn_.row.status = 200;
  turn_.row.tier = row.tier;
  turn_.row.provider = row.provider;
  turn_.row.model = row.model;
  turn_.row.usage = row.usage;
  turn_.row.reason.clear();
  if (!is_named(candidate.target, turn_.row.preferred)) turn_.row.reason = reason_;
}

http::asio::awaitable<Failover::Step> Failover::after_failure(const router::Plan& plan,
                                                              std::size_t index,
                                                              AttemptResult result) {
  const router::Candidate& candidate = plan.candidates[index];
  const router::ProviderFacts& facts = parts_.upstreams.policy.providers[candidate.target.provider];
  const Instant now = turn_.exchange.loop().now();
  const std::uint64_t mark = credential_mark(candidate);
  const router::Seen seen = seen_of(candidate, facts, result);
  const router::Verdict verdict = router::decide(seen, turn_.exchange.loop().clock().wall());
  parts_.health.failed(facts, candidate.target, mark, verdict, now);
  state::AttemptRow& row = turn_.row.attempts.back();
  row.failure_class = router::name(verdict.failure);
  row.reason = verdict.reason;
  const std::string what = target_name(candidate.target) + ": " + verdict.reason;
  // Whoever is tried again and again while a request waits fails the same way each time.
  if (failures_.find(what) == std::string::npos)
    failures_ += (failures_.empty() ? "" : "; ") + what;
  if (reason_.empty()) reason_ = what;
  log::info("{} attempt {} failed: {} ({})", turn_.id, attempts_, what, result.error->message);
  if (!verdict.known) {
    log::warn("unknown failure shape from {}: status {} type '{}' code '{}'", facts.name,
              seen.status, seen.type, seen.error_code);
  }
  if (client_.committed()) {
    // The client's own resume must not meet the same target first. opencode resumes only where the
    // words of an error say that it may.
    parts_.health.demote(turn_.facts.conversation, facts.name, now);
    const std::string word = "the answer broke off: " + verdict.reason;
    const Error said(ErrorCode::stream_error, word + "; you can retry your request", 500);
    co_await client_.fail_stream(said);
    turn_.row.outcome = name(result.error->code);
    turn_.row.status = 200;
    turn_.row.tier = row.tier;
    turn_.row.provider = row.provider;
    turn_.row.model = row.model;
    turn_.row.usage = row.usage;
    turn_.row.reason = reason_;
    co_return Step::done;
  }
  const bool client_token = candidate.credential == CredentialSource::client &&
                            verdict.failure == FailureClass::credential && seen.status == 401;
  if (client_token && parts_.health.first_rejection(mark, now)) {
    co_return co_await return_refusal(candidate, std::move(result));
  }
  if (turn_.direct) co_return co_await return_refusal(candidate, std::move(result));
  switch (verdict.action) {
    case Action::give_up:
      co_return co_await return_refusal(candidate, std::move(result));
    case Action::retry_then_next:
      may_pass(candidate);
      co_return Step::again;
    case Action::next_target:
      // What this machine lacks does not come by waiting.
      if (seen.code != ErrorCode::config) may_pass(candidate);
      co_return Step::next;
    case Action::larger_window:
      window_above_ = std::max(window_above_.value_or(0),
                               candidate.facts.context_tokens.value_or(turn_.facts.input_tokens));
      break;
    case Action::drop_thinking:
      if (turn_.thinking == dialect::SignedThinking::remove) break;
      turn_.thinking = dialect::SignedThinking::remove;
      co_return Step::again;
    case Action::other_model:
      break;
  }
  without_.push_back(target_name(candidate.target));
  telling_ = std::move(result);
  co_return Step::next;
}

http::asio::awaitable<Failover::Step> Failover::return_refusal(const router::Candidate& candidate,
                                                               AttemptResult result) {
  const Answerer who = answerer(candidate, turn_.row.preferred);
  const provider::Provider& provider = *parts_.upstreams.providers[candidate.target.provider];
  const LastWord word = caller_fault(turn_, who, provider, result);
  turn_.row.outcome = name(result.error->code);
  turn_.row.reason = reason_;
  co_await say(turn_, client_, word);
  co_return Step::done;
}

http::asio::awaitable<void> Failover::say_exhausted(const router::Plan& plan) {
  turn_.row.reason = reason_;
  turn_.row.outcome = name(plan.no_form ? ErrorCode::bad_request : ErrorCode::exhausted);
  if (plan.no_form) {
    const LastWord word = untranslatable(turn_);
    co_await say(turn_, client_, word);
    co_return;
  }
  const LastWord word = must_tell(plan)
                            ? incapable(turn_, *telling_)
                            : exhausted(turn_, plan, parts_.upstreams.policy, failures_);
  co_await say(turn_, client_, word);
}

}  // namespace nl::gateway
