// What requests cost, in micro-dollars: the sums of planner.h.
#include <algorithm>
#include <cassert>

#include "router/planner.h"

namespace nl::router {

namespace {

// Stands in where no price is known: an unknown price must not look cheap.
constexpr chat::Price kUnknownPrice{5'000'000, 25'000'000, 5'000'000, 5'000'000};

}  // namespace

std::int64_t cost_micro_usd(const chat::Price& price, std::int64_t input, std::int64_t output) {
  constexpr std::int64_t kMillion = 1'000'000;
  assert(input >= 0 && output >= 0 && price.input >= 0 && price.output >= 0);
  // Parts per million are taken before the sum, so that no product of two large numbers is formed.
  const auto part = [](std::int64_t tokens, std::int64_t rate) {
    const std::int64_t whole = tokens / kMillion;
    const std::int64_t rest = tokens % kMillion;
    return whole * rate + (rest * rate + kMillion - 1) / kMillion;
  };
  return part(input, price.input) + part(output, price.output);
}

std::int64_t estimated_cost_micro_usd(const chat::ModelFacts& model, const RequestFacts& facts) {
  const std::int64_t output =
      facts.max_tokens > 0 ? std::min(facts.max_tokens, kOutputBudgeted) : kOutputBudgeted;
  return cost_micro_usd(model.price.value_or(kUnknownPrice), facts.input_tokens, output);
}

}  // namespace nl::router
