#include "app/money.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "dialect/json_writer.h"

namespace nl::app {
namespace {

constexpr double kMsPerHour = 3'600'000;
constexpr double kDaysPerMonth = 365.25 / 12;

std::string usd(std::int64_t micro_usd) {
  const double value = static_cast<double>(micro_usd) / 1e6;
  return micro_usd > 0 && micro_usd < 10'000 ? fmt::format("${:.4f}", value)
                                             : fmt::format("${:.2f}", value);
}

std::string fees_text(const config::PlanConfig& plan) {
  std::string text;
  for (const auto& [name, fee] : plan.flat_fees) {
    text += fmt::format("{}{} {} a month", text.empty() ? "" : ", ", name, usd(fee));
  }
  return text.empty() ? "none said: [plan] fees = { claude = 100 }" : text;
}

}  // namespace

Money count_money(const MoneyFacts& facts, const config::PlanConfig& plan) {
  Money money;
  money.days = static_cast<double>(facts.to_unix_ms - facts.from_unix_ms) / kMsPerHour / 24;
  std::int64_t fees = 0;
  for (const auto& [name, fee] : plan.flat_fees) fees += fee;
  money.fees_micro_usd =
      static_cast<std::int64_t>(static_cast<double>(fees) * money.days / kDaysPerMonth);
  money.metered_micro_usd = facts.totals.cost_micro_usd;
  money.past_limit_micro_usd = facts.past_limit_micro_usd;
  money.unpriced = facts.totals.unpriced;
  money.stretched_hours = static_cast<double>(facts.stretched_ms) / kMsPerHour;
  for (const state::Totals::ByTarget& item : facts.totals.by_target) {
    if (item.tier == "local") money.local_hours += static_cast<double>(item.busy_ms) / kMsPerHour;
  }
  money.electricity_kwh = money.local_hours * plan.watts / 1000;
  money.electricity_micro_usd =
      static_cast<std::int64_t>(money.electricity_kwh * plan.usd_per_kwh * 1e6);
  return money;
}

std::string money_text(const Money& money, const config::PlanConfig& plan) {
  std::string text;
  const auto row = [&text](std::string_view label, const std::string& value,
                           const std::string& why) {
    fmt::format_to(std::back_inserter(text), "{:<13} {:>9}{}{}\n", label, value,
                   why.empty() ? "" : "  ", why);
  };
  fmt::format_to(std::back_inserter(text), "The last {:.1f} days\n", money.days);
  row("flat fees", usd(money.fees_micro_usd), fees_text(plan));
  row("metered", usd(money.metered_micro_usd),
      money.unpriced == 0 ? "pay per token, all of it"
                          : fmt::format("{} without a known price {} not in it", money.unpriced,
                                        money.unpriced == 1 ? "is" : "are"));
  row("past a limit", usd(money.past_limit_micro_usd),
      "of that in the place of a flat subscription");
  row("stretched", fmt::format("{:.1f} h", money.stretched_hours),
      "your preferred model was out and work went on");
  if (plan.watts > 0) {
    row("electricity", usd(money.electricity_micro_usd),
        fmt::format("{:.2f} h of local answers, measured, at {:.0f} W and ${:.2f} a kWh",
                    money.local_hours, plan.watts, plan.usd_per_kwh));
  } else {
    row("electricity", "not said",
        fmt::format("{:.2f} h of local answers; [plan] watts = 60 counts them", money.local_hours));
  }
  const std::int64_t all =
      money.fees_micro_usd + money.metered_micro_usd + money.electricity_micro_usd;
  row("together", usd(all), "");
  if (money.stretched_hours >= 0.1) {
    const double extra =
        static_cast<double>(money.past_limit_micro_usd + money.electricity_micro_usd);
    row("each hour", usd(static_cast<std::int64_t>(extra / money.stretched_hours)),
        "past the limit, fees aside");
  }
  return text;
}

std::string money_json(const Money& money) {
  std::string text;
  dialect::JsonWriter json(text);
  const auto dollars_of = [](std::int64_t micro) { return static_cast<double>(micro) / 1e6; };
  json.begin_object()
      .number("days", money.days)
      .number("flat_fees_usd", dollars_of(money.fees_micro_usd))
      .number("metered_usd", dollars_of(money.metered_micro_usd))
      .number("past_limit_usd", dollars_of(money.past_limit_micro_usd))
      .integer("unpriced", money.unpriced)
      .number("stretched_hours", money.stretched_hours)
      .number("local_hours", money.local_hours)
      .number("electricity_kwh", money.electricity_kwh)
      .number("electricity_usd", dollars_of(money.electricity_micro_usd))
      .end_object();
  return text + "\n";
}

}  // namespace nl::app
