#include "doctor/finding.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace nl::doctor {
namespace {

TEST(Kinds, HaveNamesOfTheirOwnAndAFix) {
  std::set<std::string_view> ids;
  for (const KindRow& row : kinds()) {
    EXPECT_TRUE(ids.insert(row.id).second) << row.id;
    EXPECT_FALSE(row.fix.empty()) << row.id;
    EXPECT_FALSE(row.meaning.empty()) << row.id;
    EXPECT_EQ(row.id.find_first_not_of("abcdefghijklmnopqrstuvwxyz-"), std::string_view::npos);
    // They stand in a table.
    EXPECT_EQ(row.fix.find('|'), std::string_view::npos) << row.id;
    EXPECT_EQ(&row_of(row.kind), &row);
  }
  EXPECT_GE(ids.size(), 40U);
}

TEST(Kinds, TheTableHasALineForEach) {
  const std::string table = kinds_table();
  for (const KindRow& row : kinds()) {
    EXPECT_NE(table.find("| `" + std::string(row.id) + "` | "), std::string::npos);
  }
}

TEST(Findings, TheStatusSaysHowBad) {
  Findings findings;
  EXPECT_EQ(exit_status(findings), 0);
  findings.push_back(found(Kind::drill_old, "never"));
  EXPECT_EQ(exit_status(findings), 0);
  findings.push_back(found(Kind::no_local_model, "none"));
  EXPECT_EQ(exit_status(findings), 1);
  findings.push_back(found(Kind::key_refused, "no"));
  EXPECT_EQ(exit_status(findings), 3);
}

TEST(Findings, TheWorstComesFirst) {
  Findings findings = {found(Kind::drill_old, "a"), found(Kind::key_refused, "b"),
                       found(Kind::no_local_model, "c"), found(Kind::port_taken, "d")};
  sort(findings);
  EXPECT_EQ(findings[0].what, "b");
  EXPECT_EQ(findings[1].what, "d");
  EXPECT_EQ(findings[2].what, "c");
  EXPECT_EQ(findings[3].what, "a");
}

TEST(Findings, AreOneLineWhateverOthersSay) {
  const Finding finding = found(Kind::engine_unfit, "a\nb\x1b[31m", "c\r\nd");
  EXPECT_EQ(finding.what, "a b [31m");
  EXPECT_EQ(finding.fix, "c  d");
  EXPECT_EQ(found(Kind::clock_off, "x").fix, row_of(Kind::clock_off).fix);
}

}  // namespace
}  // namespace nl::doctor
