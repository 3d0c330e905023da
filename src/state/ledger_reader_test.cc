#include <gtest/gtest.h>

#include "state/ledger.h"
#include "state/ledger_fixture.h"

namespace nl::state {
namespace {

class LedgerReaderTest : public testing::Test, public LedgerFixture {};

TEST_F(LedgerReaderTest, ARequestIsFoundByItsIdByAPrefixOrAsTheLast) {
  open();
  record(row("req_aaaa1111", 10));
  record(row("req_aaaa2222", 30));
  record(row("req_bbbb3333", 20));
  record(row("req_bb%_", 5));
  ledger->flush(5000);
  EXPECT_EQ(reader().request("req_bbb")->id, "req_bbbb3333");
  EXPECT_EQ(reader().request("req_aaaa1")->id, "req_aaaa1111");
  EXPECT_EQ(reader().request("last")->id, "req_aaaa2222");
  EXPECT_EQ(reader().request("req_bb%_")->id, "req_bb%_");
  EXPECT_EQ(reader().request("req_aaaa").error().code, ErrorCode::not_found);
  EXPECT_EQ(reader().request("req_a").error().code, ErrorCode::not_found);
  EXPECT_EQ(reader().request("req_zzzzzz").error().code, ErrorCode::not_found);
  EXPECT_EQ(reader().request("").error().code, ErrorCode::not_found);
  ASSERT_EQ(reader().latest(2)->size(), 2U);
  EXPECT_EQ(reader().latest(2)->at(1).id, "req_bbbb3333");
}

TEST_F(LedgerReaderTest, AQuestionBeforeThereIsALedgerIsNotFound) {
  EXPECT_EQ(reader().latest(1).error().code, ErrorCode::not_found);
  EXPECT_EQ(reader().check().error().code, ErrorCode::not_found);
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(LedgerReaderTest, TotalsAddUp) {
  open();
  record(row("req_1", 100));
  RequestRow moved = row("req_2", 200);
  moved.tier = "router";
  moved.provider = "openrouter";
  moved.model = "anthropic/claude-opus";
  moved.paid_failover = true;
  moved.cost_micro_usd = 1000;
  moved.usage.cache_read = 5;
  record(moved);
  RequestRow unpriced = row("req_3", 300);
  unpriced.cost_micro_usd = -1;
  record(unpriced);
  RequestRow failed = row("req_4", 400);
  failed.outcome = "exhausted";
  failed.status = 503;
  failed.provider = failed.tier = failed.model = "";
  failed.usage = {};
  failed.cost_micro_usd = -1;
  record(failed);
  RequestRow callers = failed;
  callers.id = "req_5";
  callers.outcome = "status";
  callers.status = 400;
  record(callers);
  record(row("req_6", 5000));  // outside
  ledger->flush(5000);

  const auto totals = reader().totals(0, 1000);
  ASSERT_TRUE(totals);
  EXPECT_EQ(totals->requests, 5);
  EXPECT_EQ(totals->errors, 1);
  EXPECT_EQ(totals->failovers, 1);
  EXPECT_EQ(totals->cost_micro_usd, 1550);
  EXPECT_EQ(totals->unpriced, 1);
  EXPECT_EQ(totals->input_tokens, 35);
  EXPECT_EQ(totals->output_tokens, 60);
  ASSERT_EQ(totals->by_target.size(), 2U);
  EXPECT_EQ(totals->by_target[0].provider, "anthropic");
  EXPECT_EQ(totals->by_target[0].requests, 2);
  EXPECT_EQ(totals->by_target[1].cost_micro_usd, 1000);
  EXPECT_EQ(*reader().paid_failover_since(0), 1000);
  EXPECT_EQ(*reader().paid_failover_since(201), 0);
}

TEST_F(LedgerReaderTest, SumsAndCountsATimeWithoutTheCostlyQuestions) {
  open();
  for (int i = 0; i < 5; ++i) record(row("req_" + std::to_string(i), 100 * i));
  ledger->flush(5000);
  const auto sums = reader().sums(100, 400);
  ASSERT_TRUE(sums) << sums.error().message;
  EXPECT_EQ(sums->requests, 3);
  EXPECT_EQ(sums->cost_micro_usd, 3 * 550);
  EXPECT_TRUE(sums->by_target.empty());
  EXPECT_EQ(*reader().count_since(100, 10), 4);
  EXPECT_EQ(*reader().count_since(100, 2), 2);
}

TEST_F(LedgerReaderTest, DarkTimeIsTheUnionOfTheTimesInWhichAPreferredProviderFailed) {
  open();
  int count = 0;
  const auto at = [&](std::int64_t started, const char* provider, const char* preferred,
                      const char* outcome) {
    RequestRow made = row("req_" + std::to_string(count++), started);
    made.provider = provider;
    made.preferred = std::string(preferred) + "/m";
    made.outcome = outcome;
    made.duration_ms = 50;
    record(made);
  };
  at(1000, "a", "a", "ok");
  at(2000, "b", "a", "ok");  // a is dark from here
  at(2500, "", "a", "exhausted");
  at(2600, "", "a", "client_gone");  // says nothing
  at(2800, "c", "b", "ok");          // b is dark too
  at(3000, "a", "a", "ok");          // a: 2000..3000
  at(3500, "b", "b", "ok");          // b: 2800..3500
  at(5000, "", "a", "exhausted");    // never ends: until its own end, 5050
  ledger->flush(5000);
  EXPECT_EQ(reader().totals(0, 10'000)->dark_ms, 1500 + 50);
  EXPECT_EQ(reader().totals(0, 2900)->dark_ms, 550 + 50);  // both are open: as far as is known
  EXPECT_EQ(reader().totals(0, 1500)->dark_ms, 0);
}

}  // namespace
}  // namespace nl::state
