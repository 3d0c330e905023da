#include "standby/surroundings.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

namespace nl::standby {
namespace {

namespace fs = std::filesystem;

class Machine : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::temp_directory_path() /
            ("nl-surroundings-" +
             std::to_string(std::hash<std::thread::id>()(std::this_thread::get_id())) +
             ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(root_ / "proc");
  }
  void TearDown() override { fs::remove_all(root_); }
  void supply(const std::string& name, const std::string& file, const std::string& says) {
    const fs::path folder = root_ / "sys/class/power_supply" / name;
    fs::create_directories(folder);
    std::ofstream(folder / file) << says << "\n";
  }
  bool on_mains() { return SystemSurroundings(root_.string()).on_mains(); }

  fs::path root_;
};

TEST_F(Machine, ADesktopIsOnMains) {
  EXPECT_TRUE(on_mains());
}

TEST_F(Machine, ALaptopIsOnMainsWhileTheMainsIs) {
  supply("BAT0", "type", "Battery");
  supply("BAT0", "status", "Discharging");
  EXPECT_FALSE(on_mains());
  supply("AC", "type", "Mains");
  supply("AC", "online", "0");
  EXPECT_FALSE(on_mains());
  supply("AC", "online", "1");
  EXPECT_TRUE(on_mains());
}

TEST_F(Machine, AFullBatteryOrThatOfAMouseIsNoBatteryPower) {
  supply("BAT0", "type", "Battery");
  supply("BAT0", "status", "Full");
  supply("hidpp_battery_0", "type", "Battery");
  supply("hidpp_battery_0", "status", "Discharging");
  supply("hidpp_battery_0", "scope", "Device");
  EXPECT_TRUE(on_mains());
}

TEST_F(Machine, LoadIsPerCore) {
  std::ofstream(root_ / "proc/loadavg") << "6.00 3.00 1.00 2/345 6789\n";
  const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  EXPECT_DOUBLE_EQ(SystemSurroundings(root_.string()).load(), 6.0 / cores);
  fs::remove(root_ / "proc/loadavg");
  EXPECT_DOUBLE_EQ(SystemSurroundings(root_.string()).load(), 0);
}

}  // namespace
}  // namespace nl::standby
