#include "doctor/storage.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "doctor/repair.h"

namespace nl::doctor {
namespace {

namespace fs = std::filesystem;

class Storage : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("doctor-storage-" + std::to_string(getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string put(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return (folder_ / name).string();
  }

  fs::path folder_;
};

StorageFacts good() {
  StorageFacts facts;
  facts.state.path = "/state";
  facts.state.free_bytes = 50'000'000'000;
  facts.models.path = "/models";
  facts.models.free_bytes = 50'000'000'000;
  return facts;
}

TEST_F(Storage, RoomIsNoFinding) {
  EXPECT_TRUE(check_storage(good()).empty());
}

TEST_F(Storage, AFullDiskIsAFaultANearlyFullOneAWarning) {
  StorageFacts facts = good();
  facts.state.trouble = "No space left on device";
  facts.state.is_full = true;
  facts.state.free_bytes = 0;
  Findings findings = check_storage(facts);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].kind, Kind::state_full);
  EXPECT_EQ(findings[0].severity, Severity::fault);
  facts = good();
  facts.state.free_bytes = kStateWarning - 1;
  findings = check_storage(facts);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].severity, Severity::warning);
  facts.state.free_bytes = kStateFault - 1;
  EXPECT_EQ(check_storage(facts)[0].severity, Severity::fault);
}

TEST_F(Storage, WhatCannotBeWrittenIsNamed) {
  StorageFacts facts = good();
  facts.state.trouble = "Read-only file system";
  facts.ledger = {"/state/ledger.sqlite", true, false, true};
  const Findings findings = check_storage(facts);
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0].kind, Kind::state_unwritable);
  EXPECT_EQ(findings[1].kind, Kind::ledger_unwritable);
  facts = good();
  facts.ledger = {"/state/ledger.sqlite", true, true, false};
  EXPECT_EQ(check_storage(facts)[0].kind, Kind::ledger_damaged);
}

TEST_F(Storage, AModelNeedsRoom) {
  StorageFacts facts = good();
  facts.models.free_bytes = kModelRoom - 1;
  const Findings findings = check_storage(facts);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].kind, Kind::models_full);
  facts.has_model = true;
  EXPECT_TRUE(check_storage(facts).empty());
}

TEST_F(Storage, FoldersAreLookedAtWithoutATrace) {
  const FolderFacts here = look_at_folder(folder_.string());
  EXPECT_EQ(here.trouble, "");
  EXPECT_GT(here.free_bytes, 0U);
  EXPECT_TRUE(fs::is_empty(folder_));
  const FolderFacts later = look_at_folder((folder_ / "a/b").string());
  EXPECT_EQ(later.looked_at, folder_.string());
  EXPECT_EQ(later.trouble, "");
  EXPECT_FALSE(fs::exists(folder_ / "a"));
  put("file", "x");
  EXPECT_NE(look_at_folder((folder_ / "file").string()).trouble, "");
}

TEST_F(Storage, ALedgerIsKnownByItsHead) {
  EXPECT_FALSE(look_at_ledger((folder_ / "none").string()).there);
  EXPECT_TRUE(look_at_ledger(put("empty", "")).is_database);
  EXPECT_TRUE(look_at_ledger(put("good", std::string("SQLite format 3\0...", 19))).is_database);
  EXPECT_FALSE(look_at_ledger(put("bad", "<html>not a database</html>")).is_database);
  fs::create_directory(folder_ / "folder");
  EXPECT_FALSE(look_at_ledger((folder_ / "folder").string()).is_database);
}

TEST(ConfigFiles, OpenOnesAreNamedAndMistakesKept) {
  ConfigFacts facts;
  facts.files.push_back({"/c.toml", 0644, true});
  facts.files.push_back({"/key", 0600, false});
  EXPECT_TRUE(check_config(facts).empty());
  facts.trouble =
      "/c.toml:3:7: key: a secret in a file that others may read; run: chmod\n"
      "/c.toml:9:1: workrs: unknown key; write workers";
  Findings findings = check_config(facts);
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0].kind, Kind::config_open);
  ASSERT_TRUE(findings[0].repair);
  EXPECT_EQ(findings[0].repair->paths, std::vector<std::string>{"/c.toml"});
  EXPECT_EQ(findings[1].kind, Kind::config_mistake);
  EXPECT_NE(findings[1].what.find(":9:1:"), std::string::npos);
  facts = ConfigFacts();
  facts.files.push_back({"/c.toml", 0664, true});
  facts.files.push_back({"/key", 0640, false});
  findings = check_config(facts);
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0].kind, Kind::config_open);
  EXPECT_EQ(findings[1].kind, Kind::key_file_open);
}

TEST(Pulls, OnlyForgottenOnesAreRemoved) {
  const WallTime now = WallTime(std::chrono::hours(1'000'000));
  PartialPull pull;
  pull.files = {"/m/blobs/x.partial"};
  pull.bytes = 1'500'000'000;
  pull.touched = now - std::chrono::hours(5);
  Findings findings = check_pulls({pull}, now);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].kind, Kind::pull_unfinished);
  EXPECT_FALSE(findings[0].repair);
  pull.touched = now - std::chrono::hours(24 * 8);
  findings = check_pulls({pull}, now);
  ASSERT_TRUE(findings[0].repair);
  EXPECT_EQ(findings[0].repair->paths, pull.files);
}

TEST(Drills, AreDueAfterAMonth) {
  const WallTime now = WallTime(std::chrono::hours(1'000'000));
  EXPECT_EQ(check_drill(std::nullopt, now).size(), 1U);
  EXPECT_TRUE(check_drill(now - std::chrono::hours(24 * 20), now).empty());
  EXPECT_EQ(check_drill(now - std::chrono::hours(24 * 40), now)[0].severity, Severity::note);
}

TEST_F(Storage, RepairMakesFilesPrivate) {
  const std::string path = put("key", "secret");
  ::chmod(path.c_str(), 0666);
  const auto done = repair({RepairKind::make_private, {path}});
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_NE(done->find(path), std::string::npos);
  EXPECT_EQ(fs::status(path).permissions(), fs::perms(0600));
  // What is no plain file of ours stays as it is.
  fs::create_symlink(path, folder_ / "link");
  EXPECT_FALSE(repair({RepairKind::make_private, {(folder_ / "link").string()}}));
  fs::create_directory(folder_ / "sub");
  EXPECT_FALSE(repair({RepairKind::make_private, {(folder_ / "sub").string()}}));
  EXPECT_FALSE(repair({RepairKind::make_private, {(folder_ / "gone").string()}}));
}

TEST_F(Storage, RepairRemovesOnlyWhatItWasToldOf) {
  const std::string file = put("x.partial", "x");
  EXPECT_FALSE(repair({RepairKind::remove_socket, {file}}));
  EXPECT_TRUE(fs::exists(file));
  EXPECT_TRUE(repair({RepairKind::remove_file, {file}}));
  EXPECT_FALSE(fs::exists(file));
  const std::string path = (folder_ / "s").string();
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path.copy(name.sun_path, sizeof name.sun_path - 1);
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
  ASSERT_EQ(::listen(socket, 1), 0);
  EXPECT_FALSE(repair({RepairKind::remove_socket, {path}})) << "somebody listens";
  ::close(socket);
  EXPECT_FALSE(repair({RepairKind::remove_file, {path}}));
  EXPECT_TRUE(repair({RepairKind::remove_socket, {path}}));
  EXPECT_FALSE(fs::exists(path));
}

}  // namespace
}  // namespace nl::doctor
