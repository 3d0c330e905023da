#include "dialect/tool_name.h"

#include <gtest/gtest.h>

#include <string>

namespace nl::dialect {
namespace {

TEST(ToolName, NamesThatFitStayAsTheyAre) {
  EXPECT_EQ(fit_tool_name({"read_file-2"}), "read_file-2");
  const std::string longest(kToolNameBytesMax, 'a');
  EXPECT_EQ(fit_tool_name({longest}), longest);
}

TEST(ToolName, OthersAreShortenedAndStayApart) {
  const std::string one = "mcp__server__" + std::string(80, 'a') + "1";
  const std::string two = "mcp__server__" + std::string(80, 'a') + "2";
  EXPECT_EQ(fit_tool_name({one}).size(), kToolNameBytesMax);
  EXPECT_NE(fit_tool_name({one}), fit_tool_name({two}));
  EXPECT_EQ(fit_tool_name({one}), fit_tool_name({one}));
  EXPECT_TRUE(fit_tool_name({"a.b/c"}).starts_with("a_b_c_"));
  EXPECT_FALSE(fit_tool_name({""}).empty());
}

TEST(ToolName, TheDeclaredNameComesBack) {
  const std::string name = "mcp__server__" + std::string(80, 'a');
  chat::Request request;
  chat::Tool tool;
  tool.name = {"short"};
  request.tools.push_back(tool);
  tool.name = {name};
  request.tools.push_back(tool);
  const std::string wire = fit_tool_name({name});
  EXPECT_EQ(restore_tool_name(request, {wire}).escaped, name);
  EXPECT_EQ(restore_tool_name(request, {"short"}).escaped, "short");
  EXPECT_EQ(restore_tool_name(request, {"invented"}).escaped, "invented");
}

}  // namespace
}  // namespace nl::dialect
