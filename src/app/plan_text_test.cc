#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "app/plan_view.h"
#include "dialect/json.h"

namespace nl::app {
namespace {

std::string slurp(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

struct Case {
  const char* name;
  std::vector<std::pair<const char*, const char*>> variables;
};

void PrintTo(const Case& item, std::ostream* out) {
  *out << item.name;
}

// A machine on which nobody has pulled a model yet.
models::EngineChoice self_test() {
  models::EngineChoice choice;
  choice.ember = choice.self_test = true;
  choice.model.name = "ember";
  choice.model.context_tokens = 32768;
  return choice;
}

class GoldenPlan : public testing::TestWithParam<Case> {
 protected:
  config::Config config() {
    Environment environment;
    environment.set("HOME", "/home/someone");
    for (const auto& [name, value] : GetParam().variables) environment.set(name, value);
    const std::string name = std::string(GetParam().name) + ".toml";
    auto parsed = config::parse_config(slurp("tests/golden/check/" + name), name,
                                       config::ConfigSource(), environment);
    EXPECT_TRUE(parsed) << parsed.error().message;
    return parsed ? *parsed : config::Config();
  }
};

// NL_GOLDEN=rewrite writes the files from what the code does now; the diff is the review.
TEST_P(GoldenPlan, ReadsAsTheFileSays) {
  const config::Config made = config();
  const models::EngineChoice engine = self_test();
  const std::string text = plan_text(made, make_routing(made, &engine));
  const std::string path = std::string("tests/golden/check/") + GetParam().name + ".txt";
  const char* mode = std::getenv("NL_GOLDEN");
  if (mode != nullptr && std::string_view(mode) == "rewrite") std::ofstream(path) << text;
  EXPECT_EQ(text, slurp(path));
}

TEST_P(GoldenPlan, HasNoKeyAndIsJsonForPrograms) {
  const config::Config made = config();
  const models::EngineChoice engine = self_test();
  const Routing routing = make_routing(made, &engine);
  const std::string json = plan_json(made, routing);
  dialect::Document document;
  const auto parsed = document.parse(json);
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(document.root()["tiers"].size(), 3u);
  for (const std::string& text : {json, plan_text(made, routing)}) {
    EXPECT_EQ(text.find("canary"), std::string::npos);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Files, GoldenPlan,
    testing::Values(
        Case{"nothing", {}}, Case{"openrouter_key", {{"OPENROUTER_API_KEY", "sk-or-canary"}}},
        Case{"overlaps",
             {{"OPENROUTER_API_KEY", "sk-or-canary"}, {"ANTHROPIC_API_KEY", "sk-ant-canary"}}},
        Case{"office", {{"NIGHTLIGHT_TOKEN", "canary-token"}, {"OFFICE_KEY", "canary-key"}}},
        Case{"local_only", {}}));

}  // namespace
}  // namespace nl::app
