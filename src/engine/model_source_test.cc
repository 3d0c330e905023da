#include "engine/model_source.h"

#include <gtest/gtest.h>

namespace nl::engine {
namespace {

Origin origin_at(const char* url) {
  const auto base = parse_pull_base(url);
  return {base->endpoint, "/v2/x"};
}

std::string leads_to(const Origin& from, std::string_view location) {
  const auto to = redirect_target(from, location);
  if (!to) return "refused";
  const bool plain = to->endpoint.scheme == http::Scheme::http;
  return (plain ? "http " : "https ") + to->endpoint.authority() + " " + to->target;
}

TEST(ModelSourceTest, RedirectsLeadToHttpsOnly) {
  const Origin far = origin_at("https://r.example");
  EXPECT_EQ(leads_to(far, "https://s.example/a/b?sig=1#x"), "https s.example /a/b?sig=1");
  EXPECT_EQ(leads_to(far, "https://s.example"), "https s.example /");
  EXPECT_EQ(leads_to(far, "https://s.example?sig=1"), "https s.example /?sig=1");
  EXPECT_EQ(leads_to(far, "/other?x"), "https r.example /other?x");
  for (const std::string_view location :
       {"", "other", "//s.example/x", "http://s.example/x", "http://127.0.0.1/x", "ftp://x/y",
        "https://user:pw@s.example/x", "unix:/tmp/x", "https:///x", "file:///etc/passwd"}) {
    EXPECT_EQ(leads_to(far, location), "refused") << location;
  }
  const Origin here = origin_at("http://127.0.0.1:99");
  EXPECT_EQ(leads_to(here, "http://127.0.0.1:98/x"), "http 127.0.0.1:98 /x");
  EXPECT_EQ(leads_to(here, "http://127.0.0.1.example/x"), "refused");
}

TEST(ModelSourceTest, BasesAreHttpsOrThisMachine) {
  EXPECT_TRUE(parse_pull_base("https://r.example/path").has_value());
  EXPECT_TRUE(parse_pull_base("http://localhost:1").has_value());
  EXPECT_FALSE(parse_pull_base("http://r.example").has_value());
  EXPECT_FALSE(parse_pull_base("unix:/tmp/x").has_value());
}

TEST(ModelSourceTest, ARangeMustBeTheOneAskedFor) {
  EXPECT_EQ(total_of_range("bytes 0-9/100", 0, 9).value_or(0), 100U);
  EXPECT_EQ(total_of_range("bytes 5-9/10", 5, 9).value_or(0), 10U);
  for (const std::string_view value :
       {"", "bytes 0-9/*", "bytes 0-8/100", "bytes 1-9/100", "bytes 0-9/9", "bytes 0-9/100 ",
        "items 0-9/100", "bytes -9/100", "bytes 0-9/99999999999999999999999", "bytes 0-9"}) {
    EXPECT_FALSE(total_of_range(value, 0, 9).has_value()) << value;
  }
}

}  // namespace
}  // namespace nl::engine
