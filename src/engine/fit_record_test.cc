#include "engine/fit_record.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "http/test_loop.h"

namespace nl::engine {
namespace {

const FitKey kKey{"/m/a.gguf:5:1", "/p:9:2"};

LaunchPlan plan_of(std::uint64_t bytes, std::uint32_t context) {
  LaunchPlan plan;
  plan.memory_bytes_needed = bytes;
  plan.context_tokens = context;
  return plan;
}

FitEntry failed(const FitKey& key, std::uint64_t bytes, std::uint32_t context) {
  FitEntry entry = entry_for(key, plan_of(bytes, context), WallTime());
  entry.reason = "out of\tmemory\nreally";
  return entry;
}

class FitRecordTest : public testing::Test {
 protected:
  std::string path() const { return folder_.path() + "/fit"; }
  http::TempFolder folder_;
};

TEST_F(FitRecordTest, WhatFailedBoundsTheNextPlan) {
  FitRecord record(path());
  EXPECT_EQ(record.memory_bytes_most(kKey), 0U);
  ASSERT_TRUE(record.add(failed(kKey, 8000, 32768)));
  EXPECT_EQ(record.memory_bytes_most(kKey), 7000U);
  ASSERT_TRUE(record.add(failed(kKey, 4000, 8192)));
  const FitRecord again(path());
  EXPECT_EQ(again.memory_bytes_most(kKey), 3500U);
  EXPECT_EQ(again.failure(kKey)->context_tokens, 8192U);
  EXPECT_EQ(again.failure(kKey)->reason, "out of memory really");
}

TEST_F(FitRecordTest, ANewerModelOrProgramBeginsAfresh) {
  FitRecord record(path());
  ASSERT_TRUE(record.add(failed(kKey, 8000, 32768)));
  EXPECT_EQ(record.memory_bytes_most({"/m/a.gguf:5:2", kKey.program}), 0U);
  EXPECT_EQ(record.memory_bytes_most({kKey.model, "/p:9:3"}), 0U);
}

TEST_F(FitRecordTest, ForgettingClearsTheFile) {
  FitRecord record(path());
  ASSERT_TRUE(record.forget());
  ASSERT_TRUE(record.add(failed(kKey, 8000, 32768)));
  ASSERT_TRUE(record.forget());
  EXPECT_FALSE(std::filesystem::exists(path()));
  EXPECT_EQ(FitRecord(path()).memory_bytes_most(kKey), 0U);
}

TEST_F(FitRecordTest, WhatWorkedIsKnownByItsPlanAndKeepsItsRates) {
  FitRecord record(path());
  FitEntry entry = entry_for(kKey, plan_of(8000, 16384), WallTime());
  entry.what = FitEntry::What::worked;
  entry.read = 84.5;
  entry.write = 18.25;
  ASSERT_TRUE(record.add(entry));
  const FitRecord again(path());
  EXPECT_EQ(again.memory_bytes_most(kKey), 0U);
  EXPECT_TRUE(again.worked(kKey, plan_of(0, 16384)));
  EXPECT_FALSE(again.worked(kKey, plan_of(0, 8192)));
  ASSERT_TRUE(again.rates_of(kKey.model));
  EXPECT_EQ(again.rates_of(kKey.model)->read, 84.5);
  EXPECT_FALSE(again.rates_of("/m/b.gguf"));
}

TEST_F(FitRecordTest, TheSameTwiceIsOneEntry) {
  FitRecord record(path());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(record.add(failed(kKey, 8000, 32768)));
  EXPECT_EQ(record.entries().size(), 1U);
}

TEST_F(FitRecordTest, ItNeverGrowsWithoutEnd) {
  FitRecord record(path());
  for (std::uint64_t i = 1; i <= 150; ++i) ASSERT_TRUE(record.add(failed(kKey, i, 8192)));
  EXPECT_EQ(FitRecord(path()).entries().size(), 100U);
  EXPECT_EQ(FitRecord(path()).failure(kKey)->memory_bytes, 150U);
}

TEST_F(FitRecordTest, JunkCountsAsNothing) {
  for (const char* text :
       {"", "nightlight fit 2\nfailed\ta\tb\t1\t2\t3\t4\t5\t6\tx\n", "\n\n\n",
        "nightlight fit 1\nfailed\tshort\n\t\t\nneither\t1\t2\t3\t4\t5\t6\t7\t8\t9"}) {
    std::ofstream(path(), std::ios::binary) << text;
    EXPECT_TRUE(FitRecord(path()).entries().empty()) << text;
  }
  FitRecord nowhere("");
  EXPECT_FALSE(nowhere.remembers());
  EXPECT_TRUE(nowhere.add(failed(kKey, 8000, 32768)));
  EXPECT_EQ(nowhere.memory_bytes_most(kKey), 7000U) << "for as long as it lives";
  EXPECT_TRUE(FitRecord("").entries().empty());
}

TEST(FitEntry, SaysWhatHappened) {
  FitEntry entry = failed(kKey, 19'300'000'000, 32768);
  entry.reason = "out of memory";
  EXPECT_EQ(describe(entry),
            "32768 tokens in 2 slots (19.3 GB) failed on 1970-01-01: out of memory");
}

}  // namespace
}  // namespace nl::engine
