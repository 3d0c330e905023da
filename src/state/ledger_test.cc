#include "state/ledger.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <thread>
#include <vector>

#include "state/ledger_fixture.h"

namespace nl::state {
namespace {

class LedgerTest : public testing::Test, public LedgerFixture {};

TEST_F(LedgerTest, GivesBackWhatWasRecorded) {
  open();
  EXPECT_EQ(note, "");
  RequestRow full = row("req_abcdefgh");
  full.client = "claude-cli/2.1";
  full.conversation = "c1";
  full.label = "code_review";
  full.stream = true;
  full.reason = "429 weekly limit";
  full.plan_note = "openai/gpt-5.5: no key";
  full.usage.cache_read = 0;
  full.usage.reasoning = 7;
  full.usage_estimated = true;
  full.paid_failover = true;
  AttemptRow first;
  first.tier = "frontier";
  first.provider = "anthropic";
  first.model = "claude-opus";
  first.outcome = "status";
  first.status = 429;
  first.failure_class = "quota";
  first.reason = "429 weekly limit";
  first.duration_ms = 80;
  AttemptRow second = first;
  second.number = 2;
  second.outcome = "ok";
  second.first_content_ms = 0;
  second.usage.input = 10;
  second.cost_micro_usd = 0;
  full.attempts = {first, second};
  record(full);
  ledger->flush(5000);

  const auto read = reader().request("req_abcdefgh");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->client, "claude-cli/2.1");
  EXPECT_EQ(read->label, "code_review");
  EXPECT_TRUE(read->stream);
  EXPECT_EQ(read->plan_note, "openai/gpt-5.5: no key");
  EXPECT_EQ(read->usage.input, 10);
  EXPECT_EQ(read->usage.cache_read, 0);
  EXPECT_FALSE(read->usage.cache_write);
  EXPECT_EQ(read->usage.reasoning, 7);
  EXPECT_TRUE(read->usage_estimated);
  EXPECT_TRUE(read->paid_failover);
  EXPECT_EQ(read->cost_micro_usd, 550);
  ASSERT_EQ(read->attempts.size(), 2U);
  EXPECT_EQ(read->attempts[0].status, 429);
  EXPECT_EQ(read->attempts[0].failure_class, "quota");
  EXPECT_EQ(read->attempts[0].first_content_ms, -1);
  EXPECT_EQ(read->attempts[0].cost_micro_usd, -1);
  EXPECT_EQ(read->attempts[1].number, 2);
  EXPECT_EQ(read->attempts[1].first_content_ms, 0);
  EXPECT_EQ(read->attempts[1].cost_micro_usd, 0);
  EXPECT_TRUE(reader().check());
}

TEST_F(LedgerTest, TheFileAndItsFoldersAreTheOwnersAlone) {
  open();
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  ASSERT_EQ(::stat(fs::path(path).parent_path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700U);
}

TEST_F(LedgerTest, ARequestIsWrittenOnce) {
  open();
  RequestRow again = row("req_same00");
  again.attempts.resize(1);
  record(again);
  ledger->flush(5000);
  again.outcome = "timeout";
  record(again);
  record(again);
  ledger->flush(5000);
  const auto rows = reader().latest(10);
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 1U);
  EXPECT_EQ(rows->front().outcome, "ok");
  EXPECT_EQ(rows->front().attempts.size(), 1U);
}

TEST_F(LedgerTest, ClosingWritesWhatIsQueuedAndReopeningKeepsIt) {
  open();
  for (int i = 0; i < 1000; ++i) record(row("req_" + std::to_string(i)));
  ledger.reset();
  EXPECT_EQ(reader().latest(2000)->size(), 1000U);
  open();
  record(row("req_more"));
  ledger->flush(5000);
  EXPECT_EQ(reader().latest(2000)->size(), 1001U);
}

TEST_F(LedgerTest, ManyThreadsRecordWhileOthersRead) {
  open();
  std::vector<std::thread> threads;
  for (int id = 0; id < 3; ++id) {
    threads.emplace_back([this, id] {
      for (int i = 0; i < 500; ++i) {
        record(row("req_" + std::to_string(id) + "_" + std::to_string(i)));
      }
    });
  }
  threads.emplace_back([this] {
    for (int i = 0; i < 20; ++i) {
      EXPECT_TRUE(reader().totals(0, 1'000'000));
      EXPECT_TRUE(reader().latest(5));
    }
  });
  for (std::thread& thread : threads) thread.join();
  ledger->flush(10'000);
  EXPECT_EQ(reader().totals(0, 1'000'000)->requests, 1500);
  EXPECT_EQ(ledger->dropped(), 0U);
}

}  // namespace
}  // namespace nl::state
