#include "clients/autostart.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <thread>

#include "base/process.h"
#include "base/process_child.h"

namespace nl::clients {
namespace {

namespace fs = std::filesystem;

TEST(AutostartUnit, TakesEveryWordAsItIs) {
  const std::string unit = systemd_unit({"/opt/a b/nightlight", "--config", "/x/$1%n\"\\;", "up"});
  EXPECT_NE(unit.find("\nExecStart=\"/opt/a b/nightlight\" --config \"/x/$$1%%n\\\"\\\\;\" up\n"),
            std::string::npos)
      << unit;
  EXPECT_EQ(unit.find("/usr/bin/nightlight"), std::string::npos);
  EXPECT_NE(unit.find("[Install]\nWantedBy=default.target\n"), std::string::npos);
}

TEST(AutostartUnit, TheAgentOfLaunchdHasItsOwnPaths) {
  const std::string agent =
      launchd_agent({"/opt/a&b/nightlight", "--workers", "2", "up"}, "/Users/some<one");
  EXPECT_NE(agent.find("<string>/opt/a&amp;b/nightlight</string>\n    <string>--workers</string>\n"
                       "    <string>2</string>\n    <string>up</string>\n  </array>"),
            std::string::npos)
      << agent;
  EXPECT_NE(agent.find("<string>/Users/some&lt;one/Library/Logs/nightlight.log</string>"),
            std::string::npos);
  EXPECT_EQ(agent.find("YOU"), std::string::npos);
  EXPECT_EQ(agent.find("Replace"), std::string::npos);
  EXPECT_EQ(agent.find("/usr/local/bin"), std::string::npos);
}

// Every value of it, one a line, as Apple's format is read by somebody else's parser.
constexpr const char* kReadPlist = R"py(
import plistlib, sys
with open(sys.argv[1], "rb") as file:
    read = plistlib.load(file)
for name in sorted(read):
    value = read[name]
    for one in value if isinstance(value, list) else [value]:
        print(f"{name}={one!r}")
)py";

TEST(AutostartUnit, TheAgentIsAPropertyListThatAParserReads) {
  const auto python = find_program("python3", "/usr/local/bin:/usr/bin:/bin");
  if (!python) GTEST_SKIP() << "no python3";
  char pattern[] = "/tmp/nightlight-plist-XXXXXX";
  const std::string folder = ::mkdtemp(pattern);
  std::ofstream(folder + "/agent.plist") << launchd_agent(
      {"/opt/a & <b>/nightlight", "--config", "/x/\"1\" 'two' --.toml", "up"}, "/Users/some & one");
  std::ofstream(folder + "/read.py") << kReadPlist;
  ChildOrder order;
  order.arguments = {*python, folder + "/read.py", folder + "/agent.plist"};
  order.folder = folder;
  order.output = folder + "/said";
  auto child = Child::start(order);
  ASSERT_TRUE(child);
  std::optional<int> status;
  while (!(status = child->poll())) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(*status, 0);
  std::ostringstream said;
  said << std::ifstream(folder + "/said").rdbuf();
  EXPECT_EQ(said.str(),
            "ExitTimeOut=45\n"
            "KeepAlive={'SuccessfulExit': False}\n"
            "Label='dev.nightlight'\n"
            "ProcessType='Interactive'\n"
            "ProgramArguments='/opt/a & <b>/nightlight'\n"
            "ProgramArguments='--config'\n"
            "ProgramArguments='/x/\"1\" \\'two\\' --.toml'\n"
            "ProgramArguments='up'\n"
            "RunAtLoad=True\n"
            "StandardErrorPath='/Users/some & one/Library/Logs/nightlight.log'\n"
            "StandardOutPath='/Users/some & one/Library/Logs/nightlight.log'\n"
            "ThrottleInterval=10\n"
            "Umask=63\n"
            "WorkingDirectory='/'\n");
  fs::remove_all(folder);
}

class AutostartFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/nightlight-autostart-XXXXXX";
    home_ = ::mkdtemp(pattern);
    places_.unit = home_ + "/config/systemd/user/nightlight.service";
    places_.link = home_ + "/config/systemd/user/default.target.wants/nightlight.service";
    places_.packaged = {home_ + "/usr/nightlight.service"};
  }
  void TearDown() override {
    std::error_code error;
    fs::remove_all(home_, error);
  }
  void put(const std::string& path, const std::string& text) const {
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path) << text;
  }
  RecordFolder records() const { return RecordFolder(home_ + "/state"); }

  std::string home_;
  AutostartPlaces places_;
};

TEST_F(AutostartFiles, APackagesUnitOfTheSameCommandIsUsed) {
  const std::string text = systemd_unit({"/usr/bin/nightlight", "up"});
  put(places_.packaged[0], std::string(kSystemdUnit));
  const auto on = turn_on(places_, text, records());
  ASSERT_TRUE(on);
  EXPECT_EQ(on->which, TurnedOn::Which::packaged);
  EXPECT_EQ(fs::read_symlink(places_.link), places_.packaged[0]);
  EXPECT_FALSE(fs::exists(places_.unit));
  EXPECT_TRUE(autostart_state(places_, records()).on);
  const auto off = turn_off(places_, records());
  ASSERT_TRUE(off);
  EXPECT_EQ(off->stays, "");
  EXPECT_FALSE(fs::exists(home_ + "/config"));
}

TEST_F(AutostartFiles, APackagesUnitOfAnotherCommandIsNot) {
  put(places_.packaged[0], std::string(kSystemdUnit));
  const auto on = turn_on(places_, systemd_unit({"/opt/nightlight", "up"}), records());
  ASSERT_TRUE(on);
  EXPECT_EQ(on->which, TurnedOn::Which::written);
  EXPECT_EQ(fs::read_symlink(places_.link), places_.unit);
}

TEST_F(AutostartFiles, AUnitIsKnownAsOursAlsoWhenItsLinkFails) {
  put(home_ + "/config/systemd/user/default.target.wants", "a file in the folder's place");
  const std::string text = systemd_unit({"/opt/nightlight", "up"});
  ASSERT_FALSE(turn_on(places_, text, records()));
  EXPECT_TRUE(autostart_state(places_, records()).is_ours);
  const auto off = turn_off(places_, records());
  ASSERT_TRUE(off);
  EXPECT_EQ(off->stays, "");
  EXPECT_FALSE(fs::exists(places_.unit));
}

TEST_F(AutostartFiles, ALinkToAProgramThatIsGoneIsRenewed) {
  fs::create_directories(fs::path(places_.link).parent_path());
  fs::create_symlink(home_ + "/gone", places_.link);
  EXPECT_FALSE(autostart_state(places_, records()).on);
  ASSERT_TRUE(turn_on(places_, systemd_unit({"/opt/nightlight", "up"}), records()));
  EXPECT_TRUE(autostart_state(places_, records()).on);
}

}  // namespace
}  // namespace nl::clients
