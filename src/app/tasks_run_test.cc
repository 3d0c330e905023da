#include "app/tasks_run.h"

#include <gtest/gtest.h>

namespace nl::app {
namespace {

using router::Tier;

router::ProviderFacts provider(const std::string& name, Tier tier) {
  router::ProviderFacts facts;
  facts.name = name;
  facts.tier = tier;
  facts.local = tier == Tier::local;
  return facts;
}

router::TargetSpec at(std::size_t index, const std::string& model) {
  router::TargetSpec spec;
  spec.provider = index;
  spec.model = model;
  return spec;
}

router::TargetSpec all_of(Tier tier) {
  router::TargetSpec spec;
  spec.tier = tier;
  return spec;
}

router::Policy policy() {
  router::Policy made;
  made.providers = {provider("anthropic", Tier::frontier), provider("openrouter", Tier::router),
                    provider("engine", Tier::local)};
  return made;
}

work::Task task() {
  work::Task made;
  made.label = "summarisation";
  made.model = "claude-haiku-4-5";
  return made;
}

TEST(TodaysCloud, IsTheTiersWhereNothingElseIsWritten) {
  EXPECT_EQ(todays_cloud(policy(), task()), "@frontier,@router");
}

TEST(TodaysCloud, BeginsWithTheLabelsTargetsThatAreNotHere) {
  router::Policy made = policy();
  made.tasks["summarisation"] = {all_of(Tier::local), at(2, "gemma4:e4b"), at(1, "x/flash"),
                                 at(1, "x/flash")};
  EXPECT_EQ(todays_cloud(made, task()), "openrouter/x/flash,@frontier,@router");
  made.tasks["summarisation"] = {all_of(Tier::local)};
  EXPECT_EQ(todays_cloud(made, task()), "@frontier,@router");
}

TEST(TodaysCloud, IsTheUsersRouteOfTheModelAlone) {
  router::Policy made = policy();
  made.tasks["summarisation"] = {at(1, "x/flash")};
  made.routes = {{"claude-haiku-*", {all_of(Tier::router), all_of(Tier::local)}, false}};
  EXPECT_EQ(todays_cloud(made, task()), "@router");
  made.routes[0].built_in = true;
  EXPECT_EQ(todays_cloud(made, task()), "openrouter/x/flash,@router");
  made.routes = {{"claude-haiku-*", {all_of(Tier::local)}, false}};
  EXPECT_EQ(todays_cloud(made, task()), "@frontier,@router");
}

TEST(TodaysCloud, IsWhatTheTaskSays) {
  work::Task own = task();
  own.cloud = "anthropic";
  EXPECT_EQ(todays_cloud(policy(), own), "anthropic");
}

TEST(LedgerFigures, WithoutALedgerThereAreNone) {
  EXPECT_FALSE(ledger_figures("/no/such/ledger.sqlite", "nl_000000"));
}

}  // namespace
}  // namespace nl::app
