#include "app/money.h"

#include <gtest/gtest.h>

namespace nl::app {
namespace {

constexpr std::int64_t kHour = 3'600'000;

// Half an average month with a limit that was hit for two hours.
MoneyFacts half_a_month() {
  MoneyFacts facts;
  facts.from_unix_ms = 1'000;
  facts.to_unix_ms = 1'000 + 365 * kHour + kHour / 4;  // 365.25 h = 15.21875 days
  facts.totals.cost_micro_usd = 3'000'000;
  facts.stretched_ms = 2 * kHour;
  facts.totals.unpriced = 1;
  facts.past_limit_micro_usd = 1'000'000;
  facts.totals.by_target = {{"frontier", "anthropic", "m", 9, 0, 0, 0, 7 * kHour},
                            {"local", "engine", "gemma4:e4b", 3, 0, 0, 0, kHour},
                            {"local", "ollama", "gemma3", 1, 0, 0, 0, kHour / 2}};
  return facts;
}

config::PlanConfig plan() {
  config::PlanConfig plan;
  plan.flat_fees = {{"claude", 100'000'000}, {"chatgpt", 20'000'000}};
  plan.watts = 100;
  plan.usd_per_kwh = 0.40;
  return plan;
}

TEST(Money, adds_up_what_was_measured) {
  const Money money = count_money(half_a_month(), plan());
  EXPECT_NEAR(money.days, 15.21875, 1e-9);
  EXPECT_NEAR(static_cast<double>(money.fees_micro_usd), 60'000'000, 1);
  EXPECT_EQ(money.metered_micro_usd, 3'000'000);
  EXPECT_DOUBLE_EQ(money.stretched_hours, 2);
  EXPECT_DOUBLE_EQ(money.local_hours, 1.5) << "local answers alone";
  EXPECT_DOUBLE_EQ(money.electricity_kwh, 0.15);
  EXPECT_EQ(money.electricity_micro_usd, 60'000);
  EXPECT_EQ(money_text(money, plan()),
            "The last 15.2 days\n"
            "flat fees        $60.00  chatgpt $20.00 a month, claude $100.00 a month\n"
            "metered           $3.00  1 without a known price is not in it\n"
            "past a limit      $1.00  of that in the place of a flat subscription\n"
            "stretched         2.0 h  your preferred model was out and work went on\n"
            "electricity       $0.06  1.50 h of local answers, measured, at 100 W and $0.40 a kWh\n"
            "together         $63.06\n"
            "each hour         $0.53  past the limit, fees aside\n");
}

TEST(Money, says_what_it_was_not_told) {
  const std::string text =
      money_text(count_money(MoneyFacts(), config::PlanConfig()), config::PlanConfig());
  EXPECT_NE(text.find("none said: [plan] fees"), std::string::npos) << text;
  EXPECT_NE(text.find("electricity    not said"), std::string::npos) << text;
  EXPECT_EQ(text.find("each hour"), std::string::npos) << "nothing to divide by";
  EXPECT_EQ(
      money_json(count_money(MoneyFacts(), config::PlanConfig())),
      "{\"days\":0,\"flat_fees_usd\":0,\"metered_usd\":0,\"past_limit_usd\":0,\"unpriced\":0,"
      "\"stretched_hours\":0,\"local_hours\":0,\"electricity_kwh\":0,\"electricity_usd\":0}\n");
}

}  // namespace
}  // namespace nl::app
