#include "state/ledger.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <thread>
#include <vector>

#include "state/ledger_fixture.h"
#include "state/sqlite.h"

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

TEST_F(LedgerTest, AnOnlyAttemptThatWentWellIsReadBackFromItsRequest) {
  open();
  RequestRow plain = row("req_plain000");
  plain.attempts.resize(1);
  AttemptRow& only = plain.attempts.front();
  only.number = 1;
  only.outcome = "ok";
  only.tier = plain.tier;
  only.provider = plain.provider;
  only.model = plain.model;
  only.usage = plain.usage;
  only.cost_micro_usd = plain.cost_micro_usd;
  only.failure_class.clear();
  only.reason.clear();
  only.status = 200;
  only.started_ms = 3;
  only.duration_ms = 40;
  only.first_content_ms = 12;
  record(plain);
  plain.id = "req_told0000";
  plain.attempts.front().reason = "slow";  // what its request does not say
  record(plain);
  ledger->flush(5000);
  Database database;
  ASSERT_EQ(database.open(path, SQLITE_OPEN_READONLY), SQLITE_OK);
  Statement kept;
  ASSERT_EQ(kept.prepare(database, "SELECT COUNT(*) FROM kept_attempts"), SQLITE_OK);
  ASSERT_EQ(kept.step(), SQLITE_ROW);
  EXPECT_EQ(kept.number(0), 1);
  for (const char* id : {"req_plain000", "req_told0000"}) {
    const auto read = reader().request(id);
    ASSERT_TRUE(read) << read.error().message;
    ASSERT_EQ(read->attempts.size(), 1U);
    const AttemptRow& attempt = read->attempts.front();
    EXPECT_EQ(attempt.outcome, "ok");
    EXPECT_EQ(attempt.provider, plain.provider);
    EXPECT_EQ(attempt.status, 200);
    EXPECT_EQ(attempt.started_ms, 3);
    EXPECT_EQ(attempt.duration_ms, 40);
    EXPECT_EQ(attempt.first_content_ms, 12);
    EXPECT_EQ(attempt.usage, plain.usage);
    EXPECT_EQ(attempt.cost_micro_usd, plain.cost_micro_usd);
  }
}

TEST_F(LedgerTest, AFileOfTheFirstVersionIsUpgraded) {
  open();
  RequestRow old = row("req_old00000");
  old.attempts.resize(2);
  record(old);
  ledger->flush(5000);
  ledger.reset();
  Database database;
  ASSERT_EQ(database.open(path, SQLITE_OPEN_READWRITE), SQLITE_OK);
  ASSERT_EQ(database.run("DROP VIEW attempts; ALTER TABLE kept_attempts RENAME TO attempts;"
                         "ALTER TABLE requests DROP COLUMN only_attempt_status;"
                         "ALTER TABLE requests DROP COLUMN only_attempt_started_ms;"
                         "ALTER TABLE requests DROP COLUMN only_attempt_duration_ms;"
                         "ALTER TABLE requests DROP COLUMN only_attempt_first_content_ms;"
                         "PRAGMA user_version = 1"),
            SQLITE_OK);
  database.close();
  open();
  EXPECT_EQ(note, "");
  old.id = "req_new00000";
  record(old);
  ledger->flush(5000);
  for (const char* id : {"req_old00000", "req_new00000"}) {
    const auto read = reader().request(id);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->attempts.size(), 2U);
  }
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
