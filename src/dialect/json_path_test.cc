#include "dialect/json_path.h"

#include <gtest/gtest.h>

#include <string>

namespace nl::dialect {
namespace {

TEST(JsonPath, NamesTheWayFromTheRoot) {
  Document document;
  ASSERT_TRUE(document.parse(R"({"a":[{"b":1},{"b":[0,{"c":null}]}]})"));
  const Value root = document.root();
  EXPECT_EQ(json_path(root, root), "");
  const Value second = root["a"].first().next();
  EXPECT_EQ(json_path(root, second["b"].first().next()["c"]), "a[1].b[1].c");
  EXPECT_EQ(refuse_type(root, second["b"], "a number").error().message,
            "a[1].b: expected a number");
  EXPECT_EQ(refuse_missing(root, second, "d").error().message, "a[1].d: field required");
  EXPECT_EQ(refuse_missing(root, root, "d").error().message, "d: field required");
  EXPECT_EQ(refuse_type(root, root, "x").error().status, 400);
}

TEST(JsonPath, IsBoundedAndCutsNoCharacter) {
  std::string name;
  while (name.size() < 500) name += "\xC3\xA9";
  Document document;
  const std::string text = "{\"x\":{\"" + name + "\":1}}";
  ASSERT_TRUE(document.parse(text));
  const std::string path = json_path(document.root(), document.root()["x"].first());
  EXPECT_LE(path.size(), 210U);
  std::string quoted = "\"" + path + "\"";
  EXPECT_TRUE(document.parse(quoted)) << path;
}

}  // namespace
}  // namespace nl::dialect
