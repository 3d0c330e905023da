#include "dialect/tool_id.h"

#include <gtest/gtest.h>

#include <string>

namespace nl::dialect {
namespace {

TEST(ToolId, KeepsWhatFits) {
  EXPECT_EQ(fit_tool_id({"toolu_01-Ab"}), "toolu_01-Ab");
  EXPECT_EQ(fit_tool_id({std::string(64, 'a')}), std::string(64, 'a'));
}

TEST(ToolId, MapsTheRestAlwaysTheSame) {
  const std::string fitted = fit_tool_id({"functions.Bash:0"});
  EXPECT_TRUE(tool_id_fits(fitted)) << fitted;
  EXPECT_EQ(fitted, fit_tool_id({"functions.Bash:0"}));
  EXPECT_EQ(fitted, fit_tool_id({"functions\\u002eBash:0"}));
  EXPECT_EQ(fitted, "call_6523b38f94d23a14b11589a144af4285") << "history holds this id already";
  EXPECT_NE(fitted, fit_tool_id({"functions.Bash:1"}));
  EXPECT_TRUE(tool_id_fits(fit_tool_id({""})));
  EXPECT_TRUE(tool_id_fits(fit_tool_id({std::string(446, 'a')})));
}

}  // namespace
}  // namespace nl::dialect
