#include "clients/masking.h"

#include <gtest/gtest.h>

#include <utility>

#include "clients/difference.h"

namespace nl::clients {
namespace {

TEST(Masking, HidesWhatIsASecretByNameByFormAndByPlace) {
  const std::pair<const char*, const char*> rows[] = {
      {R"("headers": {"Authorization": "Bearer abc"},)", R"("headers": {"Authorization": "***"},)"},
      {R"("ANTHROPIC_CUSTOM_HEADERS": "Authorization: Bearer abc")",
       R"("ANTHROPIC_CUSTOM_HEADERS": "Authorization: ***")"},
      {R"("apiKeys": ["one", "two"], "n": 1)", R"("apiKeys": [***], "n": 1)"},
      {R"("mine": "sk-ant-api03-0123456789")", R"("mine": "***")"},
      {"export URL=http://me:word@proxy.example:1/x", "export URL=http://***@proxy.example:1/x"},
      {"export URL=http://proxy.example:1/me@here", "export URL=http://proxy.example:1/me@here"},
      {R"("model": "opus", "keyboard": {"k": 1})", R"("model": "opus", "keyboard": {"k": 1})"},
      {"A_SECRET='x\\'y' B=1", "A_SECRET='***' B=1"},
  };
  for (const auto& [line, shown] : rows) EXPECT_EQ(masked(line), shown);
}

TEST(Differences, ShowWhatChangesAndNoSecret) {
  EXPECT_EQ(difference("a\nb\nc\n", "a\nx\nc\n"), "  a\n- b\n+ x\n  c\n");
  EXPECT_EQ(difference("", "a\n"), "+ a\n");
  const std::string shown =
      difference("{\"ANTHROPIC_API_KEY\": \"sk-ant-\\\"1\", \"x\": 1}\nexport MY_TOKEN=abc123\n",
                 "{\"ANTHROPIC_API_KEY\": \"sk-ant-\\\"1\", \"x\": 2}\nexport MY_TOKEN=abc123\n");
  EXPECT_EQ(shown.find("sk-ant"), std::string::npos);
  EXPECT_EQ(shown.find("abc123"), std::string::npos);
  EXPECT_NE(shown.find("\"x\": 2"), std::string::npos);
}

}  // namespace
}  // namespace nl::clients
