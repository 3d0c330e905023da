#include "gateway/wishes.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace nl::gateway {
namespace {

using router::ProviderFacts;
using router::Tier;

// What a request for one vendor alone may ask of its route: the same words as any other's.
class Wishes : public testing::Test {
 protected:
  enum : std::size_t { kAnthropic, kRouter, kEngine };

  Wishes() {
    policy_.providers.resize(3);
    policy_.providers[kAnthropic].name = "anthropic";
    policy_.providers[kRouter].name = "openrouter";
    policy_.providers[kRouter].tier = Tier::router;
    ProviderFacts& engine = policy_.providers[kEngine];
    engine.name = "engine";
    engine.tier = Tier::local;
    engine.local = true;
    engine.models.resize(1);
    engine.models[0].name = "gemma4:e4b";
  }

  // Why the route is refused for `provider`; empty = it is not.
  std::string refusal(const std::vector<std::string_view>& routes,
                      std::size_t provider = kAnthropic) {
    http::RequestHead head;
    for (const std::string_view route : routes) head.headers.add({"X-Nightlight-Route", route});
    const auto left = leaves_to(head, policy_, provider);
    if (left) return "";
    EXPECT_EQ(left.error().status, 400);
    return left.error().message;
  }
  static bool says(const std::string& message, std::string_view what) {
    return message.find(what) != std::string::npos;
  }

  router::Policy policy_;
};

TEST_F(Wishes, ARequestThatNamesNobodyMayGoToAnybody) {
  for (std::size_t i = 0; i < policy_.providers.size(); ++i) EXPECT_EQ(refusal({}, i), "");
}

TEST_F(Wishes, APathOfOneVendorGoesOnlyWhereTheRouteLeavesItTo) {
  for (const char* route : {"direct", "anthropic", "anthropic/any", "@frontier",
                            "@router, @frontier", " openrouter ,anthropic "}) {
    EXPECT_EQ(refusal({route}), "") << route;
  }
  for (const char* route : {"offline", "@local", "@router", "openrouter/x", "engine"}) {
    EXPECT_TRUE(says(refusal({route}), "served by anthropic alone")) << route;
  }
  EXPECT_EQ(refusal({"@router"}, kRouter), "");
}

TEST_F(Wishes, ANameThatIsNoneIsRefused) {
  for (const std::string& route :
       {std::string(), std::string("@cloud"), std::string("gamma"), std::string("anthropic/"),
        std::string("anthropic,"), std::string("anthropic/a b"), std::string("anthropic/\xff"),
        "anthropic/" + std::string(201, 'x')}) {
    EXPECT_TRUE(says(refusal({route}), "is no target")) << route;
  }
  EXPECT_EQ(refusal({"anthropic/" + std::string(200, 'x')}), "");
  std::string many = "anthropic";
  for (int i = 0; i < 8; ++i) many += ",anthropic";
  EXPECT_TRUE(says(refusal({many}), "more than 8 targets"));
}

TEST_F(Wishes, TheEngineRunsOneModel) {
  EXPECT_EQ(refusal({"engine/gemma4:e4b"}, kEngine), "");
  EXPECT_TRUE(says(refusal({"engine/gemma4:31b"}, kEngine),
                   "does not run \"gemma4:31b\"; it runs gemma4:e4b"));
  policy_.providers[kEngine].models[0].name.clear();
  EXPECT_TRUE(says(refusal({"engine/gemma4:31b"}, kEngine), "it runs no model"));
}

TEST_F(Wishes, AHeaderThatStandsTwiceIsRefused) {
  EXPECT_TRUE(says(refusal({"anthropic", "anthropic"}), "stands more than once"));
}

}  // namespace
}  // namespace nl::gateway
