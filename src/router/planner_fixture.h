// PlannerFixture: the world of the planner's tests. Anthropic, OpenAI and OpenRouter with keys and
// a local engine in three tiers; verbs that make a target ill or bring a subscription.
//
// For tests alone.
#pragma once

#include <string>
#include <vector>

#include "router/planner.h"

namespace nl::router {

using chat::ModelClass;
using std::chrono::hours;
using std::chrono::seconds;

inline chat::ModelFacts model(const std::string& name, ModelClass size, std::int64_t context) {
  chat::ModelFacts facts;
  facts.name = name;
  facts.size = size;
  facts.context_tokens = context;
  facts.price = chat::Price{5'000'000, 25'000'000, 500'000, 6'250'000};
  return facts;
}

class PlannerFixture {
 protected:
  enum : std::size_t { kAnthropic, kOpenAi, kOpenRouter, kEngine };

  PlannerFixture() {
    ProviderFacts anthropic;
    anthropic.name = "anthropic";
    anthropic.vendor = Vendor::anthropic;
    anthropic.dialect = 0;
    anthropic.has_key = true;
    anthropic.in_config = true;
    anthropic.key_mark = 1;
    anthropic.own_prefixes = {"claude-"};
    anthropic.models = {model("claude-opus-5-5", ModelClass::large, 1'000'000),
                        model("claude-sonnet-5", ModelClass::medium, 1'000'000),
                        model("claude-haiku-4-5", ModelClass::small, 200'000)};
    ProviderFacts openai;
    openai.name = "openai";
    openai.vendor = Vendor::openai;
    openai.dialect = 1;
    openai.has_key = true;
    openai.in_config = true;
    openai.key_mark = 2;
    openai.own_prefixes = {"gpt-", "o3"};
    openai.models = {model("gpt-5.5", ModelClass::large, 400'000),
                     model("gpt-5.6-luna", ModelClass::medium, 400'000),
                     model("gpt-5-mini", ModelClass::small, 400'000)};
    ProviderFacts openrouter;
    openrouter.name = "openrouter";
    openrouter.vendor = Vendor::openrouter;
    openrouter.dialect = 1;
    openrouter.tier = Tier::router;
    openrouter.has_key = true;
    openrouter.key_mark = 3;
    openrouter.models = {model("anthropic/claude-opus-5.5", ModelClass::large, 1'000'000),
                         model("google/gemini-3.8-flash", ModelClass::small, 1'000'000)};
    ProviderFacts engine;
    engine.name = "engine";
    engine.vendor = Vendor::local;
    engine.dialect = 1;
    engine.tier = Tier::local;
    engine.keyless = true;
    engine.local = true;
    engine.billing = Billing::free;
    engine.models = {model("gemma-4-26b", ModelClass::large, 32'768)};
    engine.models[0].images = false;
    policy.providers = {anthropic, openai, openrouter, engine};
    policy.tiers[0] = {alone(kAnthropic), alone(kOpenAi)};
    policy.tiers[1] = {alone(kOpenRouter)};
    policy.tiers[2] = {alone(kEngine)};
    facts.model = "claude-opus-5-5";
  }

  static TargetSpec alone(std::size_t provider) { return {std::nullopt, provider, ""}; }
  static TargetSpec exactly(std::size_t provider, const std::string& name) {
    return {std::nullopt, provider, name};
  }
  static TargetSpec tier(Tier value) { return {value, 0, ""}; }

  Plan make() const { return plan(facts, policy, health, now); }
  std::vector<std::string> order(const Plan& made) const {
    std::vector<std::string> names;
    for (const Candidate& candidate : made.candidates) {
      names.push_back(policy.providers[candidate.target.provider].name + "/" +
                      candidate.target.model);
    }
    return names;
  }
  std::vector<std::string> order() const { return order(make()); }
  static std::string why_not(const Plan& made, const std::string& target) {
    for (const Skipped& skipped : made.skipped) {
      if (skipped.target == target) return skipped.why;
    }
    return "not skipped";
  }
  void hold(std::size_t provider, FailureClass failure, Duration time) {
    Verdict verdict;
    verdict.failure = failure;
    verdict.scope = Scope::key;
    verdict.cooldown = time;
    verdict.reason = "429 weekly limit";
    health.failed(policy.providers[provider], Target{provider, "any", Tier::frontier},
                  policy.providers[provider].key_mark, verdict, now);
  }
  void break_down(std::size_t provider, const std::string& name) {
    Verdict verdict;
    verdict.reason = "500 server error";
    for (int i = 0; i < 5; ++i) {
      health.failed(policy.providers[provider], Target{provider, name, Tier::frontier},
                    policy.providers[provider].key_mark, verdict, now);
    }
  }
  void subscribe() {
    policy.providers[kAnthropic].has_key = false;
    policy.providers[kAnthropic].takes_client_credential = true;
    facts.client_vendor = Vendor::anthropic;
    facts.client_subscription = true;
    facts.client_mark = 77;
  }

  using Names = std::vector<std::string>;

  Policy policy;
  RequestFacts facts;
  Health health;
  Instant now{hours(9)};
};

}  // namespace nl::router
