#include "state/ledger_file.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "state/ledger_fixture.h"
#include "state/sqlite.h"

namespace nl::state {
namespace {

constexpr int kVariants = 60;  // of a damaged file

class LedgerFileTest : public testing::Test, public LedgerFixture {};

TEST_F(LedgerFileTest, AFolderInTheFilesPlaceIsPutAside) {
  fs::create_directories(path);
  open();
  EXPECT_NE(note.find("not a file"), std::string::npos) << note;
  EXPECT_TRUE(fs::is_regular_file(path));
}

TEST_F(LedgerFileTest, AFileInTheFoldersPlaceIsAnError) {
  std::ofstream(fs::path(path).parent_path()) << "x";
  EXPECT_EQ(open_ledger(path).error().code, ErrorCode::io);
}

TEST_F(LedgerFileTest, AnOpenFileOfAnotherModeIsClosedToOthers) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path).close();
  fs::permissions(path, fs::perms::all);
  open();
  EXPECT_EQ(note, "");
  EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(LedgerFileTest, AnEmptyFileIsTaken) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path).close();
  open();
  EXPECT_EQ(note, "");
  record(row("req_1"));
  ledger->flush(5000);
  EXPECT_EQ(reader().latest(5)->size(), 1U);
}

TEST_F(LedgerFileTest, GarbageIsPutAside) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path) << std::string(5000, 'x');
  open();
  EXPECT_NE(note.find("put aside"), std::string::npos);
  EXPECT_EQ(files_put_aside(), 1U);
  EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  record(row("req_1"));
  ledger->flush(5000);
  EXPECT_EQ(reader().latest(5)->size(), 1U);
}

TEST_F(LedgerFileTest, ANewerOrForeignDatabaseIsPutAside) {
  fs::create_directories(fs::path(path).parent_path());
  for (const char* sql : {"PRAGMA user_version = 3", "CREATE TABLE requests (x)",
                          "CREATE TABLE other (x); PRAGMA user_version = 1"}) {
    Database database;
    ASSERT_EQ(database.open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE), SQLITE_OK);
    ASSERT_EQ(database.run(sql), SQLITE_OK);
    database.close();
    open();
    EXPECT_NE(note.find("put aside"), std::string::npos) << sql;
    record(row("req_1"));
    ledger->flush(5000);
    EXPECT_EQ(reader().latest(5)->size(), 1U);
    ledger.reset();
    fs::remove(path);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // names carry milliseconds
  }
  EXPECT_EQ(files_put_aside(), 3U);
}

TEST_F(LedgerFileTest, AnyFlippedBytesLeaveAWorkingLedger) {
  open();
  for (int i = 0; i < 300; ++i) record(row("req_" + std::to_string(i)));
  ledger.reset();
  std::string good;
  {
    std::ifstream file(path, std::ios::binary);
    good.assign(std::istreambuf_iterator<char>(file), {});
  }
  ASSERT_GT(good.size(), 8192U);
  std::uint64_t random = 88172645463325252ULL;
  for (int variant = 0; variant < kVariants; ++variant) {
    std::string bad = good;
    for (int flips = 0; flips < 1 + variant % 40; ++flips) {
      random ^= random << 13;
      random ^= random >> 7;
      random ^= random << 17;
      const std::size_t reach = variant % 3 == 0 ? 200 : bad.size();
      bad[random % reach] = static_cast<char>(random >> 32);
    }
    if (variant % 7 == 0) bad.resize(random % bad.size());
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bad;
    const auto begin = std::chrono::steady_clock::now();
    open();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
    record(row("req_new" + std::to_string(variant)));
    ledger->flush(5000);
    ledger.reset();
    const auto found = reader().request("req_new" + std::to_string(variant));
    EXPECT_TRUE(found) << variant << ": " << note;
    for (const auto& entry : fs::directory_iterator(fs::path(path).parent_path())) {
      fs::remove(entry.path());
    }
  }
}

TEST_F(LedgerFileTest, ALockedFileDelaysRowsAndLosesNone) {
  open();
  record(row("req_before"));
  ledger->flush(5000);
  Database holder;
  ASSERT_EQ(holder.open(path, SQLITE_OPEN_READWRITE), SQLITE_OK);
  ASSERT_EQ(holder.run("BEGIN IMMEDIATE"), SQLITE_OK);
  for (int i = 0; i < 500; ++i) record(row("req_" + std::to_string(i)));
  ledger->flush(400);
  EXPECT_EQ(reader().latest(1000)->size(), 1U);
  ASSERT_EQ(holder.run("COMMIT"), SQLITE_OK);
  ledger->flush(10'000);
  EXPECT_EQ(reader().latest(1000)->size(), 501U);
  EXPECT_EQ(ledger->dropped(), 0U);
}

TEST_F(LedgerFileTest, AFileLockedAtTheStartIsOpenedLater) {
  open();
  record(row("req_before"));
  ledger.reset();
  Database holder;
  ASSERT_EQ(holder.open(path, SQLITE_OPEN_READWRITE), SQLITE_OK);
  ASSERT_EQ(holder.run("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE"), SQLITE_OK);
  const auto begin = std::chrono::steady_clock::now();
  open();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
  EXPECT_NE(note.find("cannot be written yet"), std::string::npos) << note;
  record(row("req_after"));
  holder.run("ROLLBACK");
  holder.close();
  ledger->flush(10'000);
  EXPECT_TRUE(reader().request("req_after"));
  EXPECT_TRUE(reader().request("req_before"));
  EXPECT_EQ(files_put_aside(), 0U);
}

TEST_F(LedgerFileTest, AFullQueueDropsAndCounts) {
  open();
  Database holder;
  ASSERT_EQ(holder.open(path, SQLITE_OPEN_READWRITE), SQLITE_OK);
  ASSERT_EQ(holder.run("BEGIN IMMEDIATE"), SQLITE_OK);
  for (int i = 0; i < 10'050; ++i) record(row("req_" + std::to_string(i)));
  EXPECT_EQ(ledger->dropped(), 50U);
  holder.run("COMMIT");
  ledger->flush(20'000);
  EXPECT_EQ(reader().totals(0, 10'000)->requests, 10'000);
}

TEST_F(LedgerFileTest, AFileThatWasTakenAwayIsMadeAgain) {
  open();
  record(row("req_1"));
  ledger->flush(5000);
  fs::rename(path, path + ".moved");
  record(row("req_2"));
  ledger->flush(5000);
  EXPECT_TRUE(reader().request("req_2"));
}

}  // namespace
}  // namespace nl::state
