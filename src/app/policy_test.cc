#include "app/policy.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "router/planner.h"

namespace nl::app {
namespace {

config::Config config(std::string_view text,
                      const std::vector<std::pair<const char*, const char*>>& variables = {}) {
  Environment environment;
  environment.set("HOME", "/home/someone");
  for (const auto& [name, value] : variables) environment.set(name, value);
  auto parsed = config::parse_config(text, "/c.toml", config::ConfigSource(), environment);
  EXPECT_TRUE(parsed) << parsed.error().message;
  return parsed ? *parsed : config::Config();
}

const router::ProviderFacts& facts(const Routing& routing, std::string_view name) {
  const auto& providers = routing.policy.providers;
  const auto found = std::find_if(providers.begin(), providers.end(),
                                  [&](const auto& provider) { return provider.name == name; });
  EXPECT_NE(found, providers.end()) << name;
  return *found;
}

TEST(Policy, KeepsProvidersAndSettingsInOneOrder) {
  const config::Config made = config("");
  const Routing routing = make_routing(made);
  ASSERT_EQ(routing.settings.size(), made.providers.size());
  ASSERT_EQ(routing.policy.providers.size(), made.providers.size());
  for (std::size_t i = 0; i < made.providers.size(); ++i) {
    EXPECT_EQ(routing.settings[i].name, made.providers[i].name);
    EXPECT_EQ(routing.policy.providers[i].name, made.providers[i].name);
  }
}

TEST(Policy, AVendorWithoutAKeyTakesTheClientsCredential) {
  const Routing routing = make_routing(config("", {{"OPENAI_API_KEY", "sk-1"}}));
  EXPECT_TRUE(facts(routing, "anthropic").takes_client_credential);
  EXPECT_FALSE(facts(routing, "anthropic").has_key);
  EXPECT_FALSE(facts(routing, "openai").takes_client_credential);
  EXPECT_TRUE(facts(routing, "openai").has_key);
  EXPECT_FALSE(facts(routing, "gemini").takes_client_credential);
  EXPECT_FALSE(facts(routing, "gemini").keyless);
}

TEST(Policy, TheEngineHasNoProvider) {
  const Routing routing = make_routing(config(""));
  EXPECT_TRUE(routing.policy.tiers[2].empty());
}

TEST(Policy, BuiltInRoutesNeedAKeyAtOpenRouterAndAnUnroutedFile) {
  EXPECT_TRUE(make_routing(config("")).policy.routes.empty());
  EXPECT_TRUE(make_routing(config("")).policy.tasks.empty());
  const Routing with = make_routing(config("", {{"OPENROUTER_API_KEY", "k"}}));
  ASSERT_EQ(with.policy.routes.size(), 3u);
  EXPECT_TRUE(with.policy.routes[0].built_in);
  EXPECT_EQ(with.policy.tasks.at("code_review")[0].model, "openai/gpt-5.3-codex");
  const Routing limits =
      make_routing(config("[limits]\nscale = 0.5\n", {{"OPENROUTER_API_KEY", "k"}}));
  EXPECT_FALSE(limits.policy.routes.empty());
  const Routing named =
      make_routing(config("[tiers]\nrouter = [\"openrouter\"]\n", {{"OPENROUTER_API_KEY", "k"}}));
  EXPECT_TRUE(named.policy.routes.empty());
  EXPECT_TRUE(named.policy.tasks.empty());
}

TEST(Policy, EveryBuiltInTargetHasFactsAndAPrice) {
  const Routing routing = make_routing(config("", {{"OPENROUTER_API_KEY", "k"}}));
  for (const auto& [label, specs] : routing.policy.tasks) {
    for (const router::TargetSpec& spec : specs) {
      const auto& models = routing.policy.providers[spec.provider].models;
      const auto found = std::find_if(models.begin(), models.end(),
                                      [&](const auto& model) { return model.name == spec.model; });
      ASSERT_NE(found, models.end()) << label;
      EXPECT_TRUE(found->price) << label;
    }
  }
}

TEST(Policy, AModelNamedByALocalTargetIsKnownAndFree) {
  const Routing routing = make_routing(config("[tiers]\nlocal = [\"ollama/gemma4:26b\"]\n"));
  const auto& ollama = facts(routing, "ollama");
  ASSERT_EQ(ollama.models.size(), 1u);
  EXPECT_EQ(ollama.models[0].name, "gemma4:26b");
  ASSERT_TRUE(ollama.models[0].price);
  EXPECT_EQ(ollama.models[0].price->output, 0);
  EXPECT_TRUE(ollama.keyless);
  EXPECT_TRUE(ollama.local);
  EXPECT_EQ(ollama.vendor, router::Vendor::local);
}

TEST(Policy, AnUnknownModelOfAPaidProviderIsUnpriced) {
  const Routing routing = make_routing(config("[tiers]\nfrontier = [\"openai/gpt-9\"]\n"));
  EXPECT_EQ(facts(routing, "openai").models.back().name, "gpt-9");
  EXPECT_FALSE(facts(routing, "openai").models.back().price);
}

TEST(Policy, TheUsersFactsComeBeforeTheCatalogs) {
  const Routing routing =
      make_routing(config("[[provider]]\nname = \"anthropic\"\n"
                          "models = [{ name = \"claude-opus-5-5\", context = 200000 }]\n"));
  const auto& models = facts(routing, "anthropic").models;
  EXPECT_EQ(models[0].name, "claude-opus-5-5");
  EXPECT_EQ(models[0].context_tokens, 200'000);
  EXPECT_EQ(std::count_if(models.begin(), models.end(),
                          [](const auto& model) { return model.name == "claude-opus-5-5"; }),
            1);
}

TEST(Policy, ALoginTokenIsABearer) {
  const auto scheme = [](const char* key) {
    return make_routing(config("", {{"ANTHROPIC_API_KEY", key}})).settings[0].auth;
  };
  EXPECT_EQ(scheme("sk-ant-api03-x"), provider::AuthScheme::x_api_key);
  EXPECT_EQ(scheme("sk-ant-oat01-x"), provider::AuthScheme::bearer);
}

TEST(Policy, AFoundServerJoinsTheLocalTierOnce) {
  const config::Config made = config("");
  Routing routing = make_routing(made);
  const FoundServer found{
      "ollama", "http://127.0.0.1:11434", {"gemma4:26b"}, dialect::DialectId::ollama};
  add_found(routing, found, made);
  add_found(routing, found, made);
  ASSERT_EQ(routing.policy.tiers[2].size(), 1u);
  ASSERT_EQ(routing.settings.size(), 5u);
  EXPECT_EQ(facts(routing, "ollama").models.size(), 1u);
  EXPECT_TRUE(facts(routing, "ollama").keyless);
  EXPECT_EQ(routing.settings.back().dialect, dialect::DialectId::ollama);
  EXPECT_EQ(routing.settings.back().base.path, "");
  add_found(routing, FoundServer{"lmstudio", "http://127.0.0.1:1234", {"gemma-4-e4b"}}, made);
  EXPECT_EQ(routing.settings.back().dialect, dialect::DialectId::openai_chat);
  EXPECT_EQ(routing.settings.back().base.path, "/v1");
}

TEST(Policy, AFoundServerStaysOutOfAFileThatNamesItsTiers) {
  const config::Config made = config("[tiers]\nfrontier = [\"anthropic\"]\n");
  Routing routing = make_routing(made);
  add_found(routing, FoundServer{"ollama", "http://127.0.0.1:11434", {"gemma4:26b"}}, made);
  EXPECT_TRUE(routing.policy.tiers[2].empty());
  const config::Config asked = config("[tiers]\nlocal = [\"ollama\"]\n");
  Routing filled = make_routing(asked);
  add_found(filled, FoundServer{"ollama", "http://127.0.0.1:11434", {"gemma4:26b"}}, asked);
  EXPECT_EQ(facts(filled, "ollama").models.size(), 1u);
}

TEST(Policy, TheCapKnowsWhetherItWasAskedFor) {
  EXPECT_FALSE(make_routing(config("")).policy.cap_is_explicit);
  const Routing routing = make_routing(config("[budget]\nfailover_usd_per_day = 0\n"));
  EXPECT_TRUE(routing.policy.cap_is_explicit);
  EXPECT_EQ(routing.policy.failover_cap_micro_usd, 0);
}

}  // namespace
}  // namespace nl::app
