#include "base/process_filter.h"

#include <gtest/gtest.h>

#include <chrono>

namespace nl {
namespace {

FilterOrder shell(std::string script, std::string_view input = "") {
  FilterOrder order;
  order.arguments = {"/bin/sh", "-c", std::move(script)};
  order.environment = {"PATH=/usr/bin:/bin", "SAID=yes"};
  order.input = input;
  return order;
}

FilterOutcome ran(const FilterOrder& order) {
  auto outcome = run_filter(order);
  EXPECT_TRUE(outcome) << outcome.error().message;
  return outcome ? *outcome : FilterOutcome{FilterEnd::failed, -1, ""};
}

TEST(ProcessFilter, GivesTheInputAndTakesTheOutput) {
  const std::string input(3'000'000, 'x');
  const FilterOutcome outcome = ran(shell("tr x y; echo $SAID$HOME", input));
  EXPECT_EQ(outcome.end, FilterEnd::done);
  EXPECT_EQ(outcome.output, std::string(3'000'000, 'y') + "yes\n");
}

TEST(ProcessFilter, SaysHowItEnded) {
  EXPECT_EQ(ran(shell("echo a; exit 3")).end, FilterEnd::failed);
  EXPECT_EQ(ran(shell("exit 3")).status, 3);
  const FilterOutcome killed = ran(shell("echo first; kill -SEGV $$"));
  EXPECT_EQ(killed.end, FilterEnd::crashed);
  EXPECT_EQ(killed.output, "first\n");
}

TEST(ProcessFilter, EndsOneThatTakesTooLongAndKeepsWhatItSaid) {
  FilterOrder order = shell("echo first; exec sleep 600");
  order.time_max = std::chrono::milliseconds(300);
  const FilterOutcome outcome = ran(order);
  EXPECT_EQ(outcome.end, FilterEnd::timed_out);
  EXPECT_EQ(outcome.output, "first\n");
}

TEST(ProcessFilter, EndsOneThatClosedItsOutputAndStays) {
  FilterOrder order = shell("exec >&-; exec sleep 600");
  order.time_max = std::chrono::milliseconds(300);
  EXPECT_EQ(ran(order).end, FilterEnd::crashed);
}

TEST(ProcessFilter, EndsOneThatSaysTooMuch) {
  FilterOrder order = shell("exec yes");
  order.output_bytes_max = 1000;
  const FilterOutcome outcome = ran(order);
  EXPECT_EQ(outcome.end, FilterEnd::too_much);
  EXPECT_LE(outcome.output.size(), 1000U);
}

TEST(ProcessFilter, LetsItWriteNoFile) {
  const std::string file = testing::TempDir() + "process_filter_file";
  const FilterOutcome outcome =
      ran(shell("echo a > " + file + "; wc -c < " + file + "; rm " + file));
  EXPECT_EQ(outcome.output.find('2'), std::string::npos) << outcome.output;
}

TEST(ProcessFilter, SaysThatTheProgramIsMissing) {
  FilterOrder order;
  order.arguments = {"/nowhere/program"};
  const auto outcome = run_filter(order);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::io);
  EXPECT_NE(outcome.error().message.find("/nowhere/program"), std::string::npos);
}

}  // namespace
}  // namespace nl
