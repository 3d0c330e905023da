#include "admin/status.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/version.h"
#include "chat/text.h"

namespace nl::admin {
namespace {

using router::BreakerState;
using router::Tier;

std::string quoted(std::string_view text) {
  std::string out = "\"";
  chat::append_escaped(out, text);
  return out += '"';
}

const char* name(BreakerState state) {
  switch (state) {
    case BreakerState::closed:
      return "up";
    case BreakerState::open:
      return "down";
    case BreakerState::half_open:
      return "probing";
  }
  return "down";
}

std::int64_t seconds_until(Instant at, Instant now) {
  if (at <= now) return 0;
  return std::chrono::duration_cast<std::chrono::seconds>(at - now).count() + 1;
}

constexpr std::string_view kRequests = "/nightlight/requests/";

double usd(std::int64_t micro_usd) {
  return static_cast<double>(micro_usd) / 1e6;
}

// What one turn has come to; the ledger will have the same figures.
std::string request_json(const gateway::KeptRow& kept) {
  const state::RequestRow& row = kept.row;
  const std::string cost =
      row.cost_micro_usd < 0 ? "null" : fmt::format("{:.6f}", usd(row.cost_micro_usd));
  return fmt::format(
      R"({{"id":{},"outcome":{},"tier":{},"provider":{},"model":{},"preferred":{},"reason":{},)"
      R"("label":{},"compacted":{},"attempts":{},"input_tokens":{},"output_tokens":{},)"
      R"("usage_estimated":{},"cost_usd":{},"paid_failover":{}}})",
      quoted(row.id), quoted(row.outcome), quoted(row.tier), quoted(row.provider),
      quoted(row.model), quoted(row.preferred), quoted(row.reason), quoted(row.label),
      quoted(kept.compacted), row.attempts.size(), row.usage.input_total(),
      row.usage.output.value_or(0), row.usage_estimated, cost, row.paid_failover);
}

}  // namespace

Status::Status(const StatusParts& parts) : parts_(parts), started_(parts.clock.now()) {}

void Status::set_upstreams(std::shared_ptr<const gateway::Upstreams> upstreams) {
  const std::lock_guard<std::mutex> lock(mutex_);
  upstreams_ = std::move(upstreams);
}

std::shared_ptr<const gateway::Upstreams> Status::upstreams() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return upstreams_;
}

std::optional<http::Answer> Status::answer(std::string_view path) {
  http::Answer answer;
  if (path == "/nightlight/status") {
    answer.body = status_json();
    return answer;
  }
  if (!path.starts_with(kRequests)) return std::nullopt;
  const auto kept = parts_.tally.kept(path.substr(kRequests.size()));
  if (!kept) return std::nullopt;
  answer.body = request_json(*kept);
  return answer;
}

// Whether the engine could answer: one that is not there, or that was given up, cannot.
std::string_view engine_fault(const engine::EngineState& state) {
  switch (state.condition) {
    case engine::Condition::absent:
      return "absent";
    case engine::Condition::failed:
      return "down";
    case engine::Condition::looking:
    case engine::Condition::stopped:
    case engine::Condition::starting:
    case engine::Condition::ready:
    case engine::Condition::stopping:
      return "";
  }
  return "";
}

// A tier is up while one of its providers has nothing against it, absent when it has no provider
// with a credential or none at all.
std::string Status::tiers_json(const router::Policy& policy) {
  const Instant now = parts_.clock.now();
  const std::vector<router::TargetState> states = parts_.health.snapshot(now);
  std::string out;
  for (const Tier tier : {Tier::frontier, Tier::router, Tier::local}) {
    std::string targets;
    int usable = 0;
    int down = 0;
    for (const router::TargetSpec& spec : policy.tiers[static_cast<int>(tier)]) {
      const router::ProviderFacts& facts = policy.providers[spec.provider];
      bool able = facts.has_key || facts.takes_client_credential || facts.keyless;
      std::string state = able ? "up" : "no key";
      std::string reason;
      if (facts.self_test) {
        able = false;
        state = "self-test only";
        reason = "`nightlight pull` gets a model that fits this machine";
      } else if (facts.name == "engine" && engine_ != nullptr) {
        const engine::EngineState now_is = engine_->snapshot();
        if (const std::string_view fault = engine_fault(now_is); !fault.empty()) {
          able = fault != "absent";
          state = fault;
          reason = now_is.reason;
        }
      }
      std::int64_t ready_in = 0;
      for (const router::TargetState& known : states) {
        if (known.provider != facts.name || known.state == BreakerState::closed) continue;
        if (!spec.model.empty() && !known.model.empty() && known.model != spec.model) continue;
        state = name(known.state);
        reason = known.model.empty() ? known.reason : known.model + ": " + known.reason;
        ready_in = seconds_until(known.ready_at, now);
      }
      usable += able ? 1 : 0;
      down += able && state != "up" ? 1 : 0;
      targets +=
          fmt::format(R"({}{{"provider":{},"model":{},"state":{},"reason":{},"ready_in_s":{}}})",
                      targets.empty() ? "" : ",", quoted(facts.name), quoted(spec.model),
                      quoted(state), quoted(reason), ready_in);
    }
    const char* state = usable == 0     ? "absent"
                        : down == 0     ? "up"
                        : down < usable ? "degraded"
                                        : "down";
    out += fmt::format(R"({}{{"tier":"{}","state":"{}","targets":[{}]}})", out.empty() ? "" : ",",
                       router::name(tier), state, targets);
  }
  return out;
}

std::string Status::engine_json(const router::Policy& policy) const {
  const bool self_test = std::any_of(policy.providers.begin(), policy.providers.end(),
                                     [](const auto& facts) { return facts.self_test; });
  if (engine_ == nullptr) return "null";
  const engine::EngineState state = engine_->snapshot();
  return fmt::format(R"({{"state":"{}","reason":{},"note":{},"model":{},"ember":{},"self_test":{},)"
                     R"("context":{},"slots":{},"images":{},"sound":{},"program":{},"pid":{},)"
                     R"("restarts":{},"resident_mb":{},"reads":{:.1f},"writes":{:.1f},"warm":{}}})",
                     engine::name(state.condition), quoted(state.reason), quoted(state.note),
                     quoted(state.model_path), state.is_ember, self_test, state.context_tokens,
                     state.slots, state.takes_images, state.senses && state.senses->sound,
                     quoted(state.program_version), state.pid, state.restarts,
                     state.resident_bytes >> 20, state.read_rate, state.write_rate,
                     state.warm_conversations);
}

void Status::refuse_restart(std::string reason) {
  const std::scoped_lock lock(mutex_);
  ++restarts_refused_;
  refusal_ = std::move(reason);
}

std::string Status::restart_json() const {
  const std::scoped_lock lock(mutex_);
  return fmt::format(R"({{"done":{},"refused":{},"reason":{}}})", restarts_, restarts_refused_,
                     quoted(refusal_));
}

// Numbers and names of clients; nothing of what anybody said.
std::string Status::standby_json() const {
  const std::string target = standby_ == nullptr ? std::string() : standby_->target();
  if (target.empty()) return "null";
  const auto seconds = [](Duration duration) {
    return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
  };
  const standby::StandbyState state = standby_->snapshot();
  std::string conversations;
  for (const standby::ConversationState& one : state.conversations) {
    conversations += fmt::format(
        R"({}{{"client":{},"warm_to":{},"tokens":{},"warm_tokens":{},"idle_s":{},"warm_for_s":{},)"
        R"("trouble":{}}})",
        conversations.empty() ? "" : ",", quoted(one.client), quoted(standby::name(one.point)),
        one.tokens, one.warm_tokens, seconds(one.idle), seconds(one.warm_for), quoted(one.trouble));
  }
  return fmt::format(
      R"({{"target":{},"reading":{},"paused":{},"read_tokens_per_s":{:.1f},)"
      R"("conversations_max":{},"capacity":{},"conversations":[{}],"readings":{},)"
      R"("preempted":{},"rereads":{},"summaries":{},"tokens_read":{},"last_local_tokens":{},)"
      R"("last_local_cached":{}}})",
      quoted(target), state.reading, quoted(state.paused), state.read_rate, state.conversations_max,
      state.capacity, conversations, state.readings, state.preempted, state.rereads,
      state.summaries, state.tokens_read, state.last_local_tokens, state.last_local_cached);
}

std::string Status::status_json() {
  const Instant now = parts_.clock.now();
  const std::shared_ptr<const gateway::Upstreams> current = upstreams();
  const gateway::TallyNumbers today = parts_.tally.numbers();
  std::string listen;
  for (const std::string& address : listen_) {
    listen += (listen.empty() ? "" : ",") + quoted(address);
  }
  std::string notes;
  for (const std::string& note : notes_) notes += (notes.empty() ? "" : ",") + quoted(note);
  return fmt::format(
      R"({{"version":"{}","pid":{},"uptime_s":{},"listen":[{}],"tiers":[{}],)"
      R"("now":{{"tier":{},"provider":{},"model":{},"reason":{}}},)"
      R"("today":{{"requests":{},"errors":{},"failovers":{},"cost_usd":{:.6f},)"
      R"("failover_usd":{:.6f},"failover_cap_usd":{:.2f}}},)"
      R"("engine":{},"standby":{},"restart":{},"offline":{},"ledger_dropped":{},"notes":[{}]}})",
      kVersion, ::getpid(),
      std::chrono::duration_cast<std::chrono::seconds>(now - started_).count(), listen,
      tiers_json(current->policy), quoted(today.tier), quoted(today.provider), quoted(today.model),
      quoted(today.reason), today.requests, today.errors, today.failovers,
      usd(today.cost_micro_usd), usd(parts_.spend.spent()),
      usd(current->policy.failover_cap_micro_usd), engine_json(current->policy), standby_json(),
      restart_json(), parts_.health.offline(now), parts_.ledger.dropped(), notes);
}

}  // namespace nl::admin
