#include "engine/speed_record.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace nl::engine {
namespace {

namespace fs = std::filesystem;

class Speeds : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/nightlight-speed-XXXXXX";
    folder_ = ::mkdtemp(pattern);
    path_ = folder_ + "/state/memory-speed";
  }
  void TearDown() override {
    std::error_code error;
    fs::remove_all(folder_, error);
  }
  std::string folder_;
  std::string path_;
};

Machine machine(int cores, std::uint64_t gib) {
  Machine made;
  made.physical_cores = cores;
  made.memory_bytes = gib << 30U;
  return made;
}

TEST_F(Speeds, AreKeptForTheirOwnHardware) {
  const std::string here = hardware_name(machine(8, 32), "Some Processor");
  const std::string there = hardware_name(machine(4, 32), "Some Processor");
  const SpeedRecord record(path_);
  EXPECT_FALSE(record.of(here));
  ASSERT_TRUE(record.keep(here, {41.26, "measured"}));
  ASSERT_TRUE(record.keep(there, {20, "measured"}));
  // Read anew: another command is another process.
  const auto known = SpeedRecord(path_).of(here);
  ASSERT_TRUE(known);
  EXPECT_DOUBLE_EQ(known->gigabytes_per_second, 41.3);
  EXPECT_EQ(known->source, "measured");
  ASSERT_TRUE(record.keep(here, {50, "measured"}));
  EXPECT_DOUBLE_EQ(record.of(here)->gigabytes_per_second, 50);
  EXPECT_DOUBLE_EQ(record.of(there)->gigabytes_per_second, 20);
  EXPECT_FALSE(record.of(hardware_name(machine(8, 64), "Some Processor")));
}

TEST_F(Speeds, HardwareIsTheSameWithALittleMoreOrLessMemory) {
  Machine less = machine(8, 32);
  less.memory_bytes -= 300U << 20U;
  EXPECT_EQ(hardware_name(less, "P\tQ\n"), "P Q , 8 cores, 32 GiB");
  EXPECT_EQ(hardware_name(less, "P"), hardware_name(machine(8, 32), "P"));
}

TEST_F(Speeds, AFileThatIsNoneOfOursOrDamagedCountsAsEmpty) {
  fs::create_directories(folder_ + "/state");
  for (const char* text : {"", "something else\n41.0\tP\n", "nightlight memory speed 1\n-3\tP\n",
                           "nightlight memory speed 1\nnan\tP\n41.0\n\tP\n1e9\tP\n"}) {
    std::ofstream(path_) << text;
    EXPECT_FALSE(SpeedRecord(path_).of("P")) << text;
  }
  ASSERT_TRUE(SpeedRecord(path_).keep("P", {12, "measured"}));
  EXPECT_TRUE(SpeedRecord(path_).of("P"));
}

TEST_F(Speeds, WithoutAPlaceNothingIsKept) {
  EXPECT_TRUE(SpeedRecord("").keep("P", {12, "measured"}));
  EXPECT_FALSE(SpeedRecord("").of("P"));
}

}  // namespace
}  // namespace nl::engine
