#include <string>

#include "config/parse.h"

namespace nl::config {
namespace {

constexpr double kFeeMost = 100'000;
constexpr double kWattsMost = 10'000;
constexpr double kPriceMost = 100;
constexpr std::size_t kFeesMost = 32;

void read_fees(const toml::table& fees, Parsing& parsing) {
  TableReader reader(fees, "[plan] fees", parsing.mistakes);
  for (const auto& [name, value] : fees) {
    const std::string key(name.str());
    if (parsing.config.plan.flat_fees.size() == kFeesMost) {
      reader.mistake(place_of(value), key, "is one fee too many", "32 are allowed");
      break;
    }
    if (const auto fee = reader.number(key, {0, kFeeMost}, "dollars a month")) {
      parsing.config.plan.flat_fees[key] = static_cast<std::int64_t>(*fee * 1e6);
    }
  }
  reader.finish();
}

}  // namespace

void parse_plan(TableReader& top, Parsing& parsing) {
  const toml::table* table = top.table("plan");
  if (table == nullptr) return;
  TableReader reader(*table, "[plan]", parsing.mistakes);
  PlanConfig& plan = parsing.config.plan;
  if (const toml::table* fees = reader.table("fees")) read_fees(*fees, parsing);
  if (const auto watts = reader.number("watts", {0, kWattsMost}, "watts")) plan.watts = *watts;
  if (const auto price = reader.number("usd_per_kwh", {0, kPriceMost}, "dollars")) {
    plan.usd_per_kwh = *price;
  }
  reader.finish();
}

}  // namespace nl::config
