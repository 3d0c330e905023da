#include "config/config.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>

namespace nl::config {
namespace {

using std::chrono::seconds;

Environment home() {
  Environment environment;
  environment.set("HOME", "/home/someone");
  return environment;
}

Result<Config> parse(std::string_view text, const Environment& environment = home()) {
  return parse_config(text, "/c.toml", ConfigSource(), environment);
}

Config good(std::string_view text, const Environment& environment = home()) {
  auto config = parse(text, environment);
  EXPECT_TRUE(config) << config.error().message;
  return config ? *config : Config();
}

const ProviderConfig& provider(const Config& config, std::string_view name) {
  const auto index = config.provider_index(name);
  EXPECT_TRUE(index) << name;
  return config.providers[index.value_or(0)];
}

TEST(Config, PlanSaysWhatIsPaidAnyway) {
  const Config config =
      good("[plan]\nfees = { claude = 100, other = 0.5 }\nwatts = 60\nusd_per_kwh = 0.4");
  EXPECT_EQ(config.plan.flat_fees.at("claude"), 100'000'000);
  EXPECT_EQ(config.plan.flat_fees.at("other"), 500'000);
  EXPECT_EQ(config.plan.watts, 60);
  EXPECT_EQ(config.plan.usd_per_kwh, 0.4);
}

TEST(Config, NothingIsNeeded) {
  Environment environment = home();
  environment.set("OPENROUTER_API_KEY", "sk-or-1");
  environment.set("GOOGLE_API_KEY", "g-1");
  const Config config = good("", environment);
  EXPECT_EQ(config.listen.size(), 2u);
  EXPECT_TRUE(config.listen_is_default);
  EXPECT_EQ(config.providers.size(), 4u);
  EXPECT_EQ(provider(config, "anthropic").key_source, KeySource::client);
  EXPECT_EQ(provider(config, "openai").key_source, KeySource::client);
  EXPECT_EQ(provider(config, "gemini").key.reveal(), "g-1");
  EXPECT_EQ(provider(config, "gemini").key_text, "env:GOOGLE_API_KEY");
  EXPECT_EQ(provider(config, "openrouter").key.reveal(), "sk-or-1");
  EXPECT_EQ(provider(config, "openrouter").tier, router::Tier::router);
  EXPECT_FALSE(provider(config, "openrouter").in_config);
  EXPECT_EQ(config.tiers[2].size(), 1u);
  EXPECT_EQ(config.tiers[2][0].provider, "engine");
  EXPECT_EQ(config.state_dir, "/home/someone/.local/state/nightlight");
  EXPECT_EQ(config.failover_cap_micro_usd, 5'000'000);
  EXPECT_FALSE(config.failover_cap_is_explicit);
}

TEST(Config, TheFirstVariableThatIsSetHoldsTheKey) {
  Environment environment = home();
  environment.set("GEMINI_API_KEY", "first");
  environment.set("GOOGLE_API_KEY", "second");
  EXPECT_EQ(provider(good("", environment), "gemini").key.reveal(), "first");
}

TEST(Config, TheDefaultsAsPrintedAreTheDefaults) {
  const Config printed = good(default_settings());
  const Config plain = good("");
  EXPECT_EQ(printed.listen, plain.listen);
  EXPECT_EQ(printed.workers, plain.workers);
  EXPECT_EQ(printed.discover, plain.discover);
  EXPECT_EQ(printed.failover_cap_micro_usd, plain.failover_cap_micro_usd);
  const Limits& a = printed.limits;
  const Limits& b = plain.limits;
  for (const auto member : {&Limits::head,
                            &Limits::body_grace,
                            &Limits::body_memory_wait,
                            &Limits::client_idle,
                            &Limits::client_write_stall,
                            &Limits::dns,
                            &Limits::connect,
                            &Limits::second_address,
                            &Limits::tls,
                            &Limits::write_stall,
                            &Limits::pool_idle,
                            &Limits::first_progress,
                            &Limits::silence,
                            &Limits::reasoning,
                            &Limits::early_head,
                            &Limits::filler,
                            &Limits::wait,
                            &Limits::total,
                            &Limits::whole_first,
                            &Limits::drain}) {
    EXPECT_EQ((a.*member).count(), (b.*member).count());
  }
  for (const auto member :
       {&Limits::body_bytes_max, &Limits::body_memory_bytes_max, &Limits::answer_bytes_max,
        &Limits::held_tool_bytes_max, &Limits::connections_max, &Limits::pool_per_endpoint_max,
        &Limits::queue_max}) {
    EXPECT_EQ(a.*member, b.*member);
  }
}

TEST(Config, ScaleMultipliesEveryTimeGivenOrNot) {
  const Config config = good("[limits]\nscale = 0.1\nsilence_s = 5\n");
  EXPECT_EQ(config.limits.silence, std::chrono::milliseconds(500));
  EXPECT_EQ(config.limits.first_progress, seconds(6));
  EXPECT_EQ(config.limits.body_bytes_max, 64u << 20);
}

TEST(Config, AFileThatNamesTiersUsesOnlyWhatItNames) {
  Environment environment = home();
  environment.set("OPENAI_API_KEY", "sk-1");
  const Config config =
      good("[tiers]\nfrontier = [\"anthropic\"]\nlocal = \"ollama/gemma4:26b\"\n", environment);
  EXPECT_FALSE(config.provider_index("openai"));
  EXPECT_TRUE(config.named.tiers);
  EXPECT_TRUE(config.tiers[1].empty());
  EXPECT_EQ(config.tiers[2][0].model, "gemma4:26b");
  EXPECT_TRUE(provider(config, "ollama").local);
  EXPECT_TRUE(provider(config, "anthropic").in_config);
}

TEST(Config, RoutesAloneKeepTheTiersThatTheyNameAndTheProvidersOfTheFile) {
  const Config config =
      good("[[route]]\nmatch = \"claude-haiku-*\"\ntargets = [\"@router\", \"anthropic\"]\n");
  EXPECT_FALSE(config.provider_index("openai"));
  ASSERT_EQ(config.tiers[0].size(), 1u);
  EXPECT_EQ(config.tiers[0][0].provider, "anthropic");
  ASSERT_EQ(config.tiers[1].size(), 1u);
  EXPECT_EQ(config.tiers[1][0].provider, "openrouter");
}

TEST(Config, ATargetSplitsAtItsFirstSlash) {
  const Config config = good("[tasks]\ncode_review = \"openrouter/openai/gpt-5.3-codex\"\n");
  const TargetConfig& target = config.tasks.at("code_review").front();
  EXPECT_EQ(target.provider, "openrouter");
  EXPECT_EQ(target.model, "openai/gpt-5.3-codex");
}

TEST(Config, BaseUrlsArePutRight) {
  const struct {
    const char* dialect;
    const char* written;
    const char* meant;
  } cases[] = {
      {"openai-chat", "https://x.example", "https://x.example/v1"},
      {"openai-chat", "https://x.example/", "https://x.example/v1"},
      {"openai-chat", "https://x.example/v1", "https://x.example/v1"},
      {"openai-chat", "https://x.example/v1/", "https://x.example/v1"},
      {"openai-chat", "https://x.example/v1/v1", "https://x.example/v1"},
      {"openai-chat", "https://x.example/v1/chat/completions", "https://x.example/v1"},
      {"openai-chat", "https://x.example/api", "https://x.example/api/v1"},
      {"openai-chat", "https://x.example/v1beta/openai/", "https://x.example/v1beta/openai"},
      {"openai-chat", "http://127.0.0.1:8080", "http://127.0.0.1:8080/v1"},
      {"openai-chat", "http://[::1]:8080", "http://[::1]:8080/v1"},
      {"anthropic", "https://x.example", "https://x.example/v1"},
      {"anthropic", "https://x.example/v1/messages", "https://x.example/v1"},
      {"anthropic", "https://x.example/anthropic", "https://x.example/anthropic/v1"},
  };
  for (const auto& item : cases) {
    const Config config = good(std::string("[[provider]]\nname = \"mine\"\nkey = \"none\"\n") +
                               "models = [\"m\"]\ndialect = \"" + item.dialect +
                               "\"\nbase_url = \"" + item.written + "\"\n");
    EXPECT_EQ(provider(config, "mine").base_url, item.meant) << item.written;
  }
}

TEST(Config, OllamaIsSpokenToInItsOwnDialectAtItsOwnAddress) {
  const Config config = good(R"(
[[provider]]
name = "box"
dialect = "ollama"
[[provider]]
name = "rack"
dialect = "ollama"
base_url = "http://127.0.0.1:9999/ai/api/chat/"
[[provider]]
name = "ollama"
base_url = "http://127.0.0.1:11434/v1"
[[provider]]
name = "shelf"
dialect = "openai-chat"
base_url = "http://127.0.0.1:11434"
)",
                             home());
  EXPECT_EQ(provider(config, "box").dialect, dialect::DialectId::ollama);
  EXPECT_EQ(provider(config, "box").url.endpoint.port, 11434);
  EXPECT_EQ(provider(config, "box").url.path, "");
  EXPECT_EQ(provider(config, "box").tier, router::Tier::local);
  EXPECT_EQ(provider(config, "rack").url.path, "/ai");
  EXPECT_EQ(provider(config, "ollama").dialect, dialect::DialectId::ollama);
  EXPECT_EQ(provider(config, "ollama").url.path, "");
  EXPECT_EQ(provider(config, "shelf").dialect, dialect::DialectId::openai_chat);
  EXPECT_EQ(provider(config, "shelf").url.path, "/v1");
}

TEST(Config, AProviderOfOnesOwnHasItsModelsAndItsTier) {
  Environment environment = home();
  environment.set("OFFICE", "key-1234");
  const Config config = good(R"(
[[provider]]
name = "office"
base_url = "https://llm.example"
key = "env:OFFICE"
billing = "flat"
context = 32768
models = ["small", { name = "big", context = 400000, input_usd = 1.5, output_usd = 6 }]
)",
                             environment);
  const ProviderConfig& office = provider(config, "office");
  EXPECT_EQ(office.dialect, dialect::DialectId::openai_chat);
  EXPECT_EQ(office.key.reveal(), "key-1234");
  EXPECT_EQ(office.tier, router::Tier::router);
  EXPECT_EQ(office.billing, router::Billing::flat);
  ASSERT_EQ(office.models.size(), 2u);
  EXPECT_EQ(office.models[1].price->input, 1'500'000);
  EXPECT_FALSE(office.models[0].price);
  EXPECT_EQ(config.tiers[1].back().provider, "office");
  EXPECT_EQ(config.key_variables,
            (std::vector<std::string>{"ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY",
                                      "OFFICE", "OPENAI_API_KEY", "OPENROUTER_API_KEY"}));
}

TEST(Config, OnlyAKeylessServerOnLoopbackIsTakenForALocalModel) {
  Environment environment = home();
  environment.set("TUNNEL", "key-1234");
  const Config config = good(R"(
[[provider]]
name = "tunnel"
base_url = "http://127.0.0.1:4000/v1"
key = "env:TUNNEL"
[[provider]]
name = "shelf"
base_url = "http://127.0.0.1:8080/v1"
)",
                             environment);
  EXPECT_EQ(provider(config, "tunnel").tier, router::Tier::router);
  EXPECT_FALSE(provider(config, "tunnel").local);
  EXPECT_EQ(provider(config, "tunnel").billing, router::Billing::metered);
  EXPECT_EQ(provider(config, "shelf").tier, router::Tier::local);
  EXPECT_TRUE(provider(config, "shelf").local);
  EXPECT_EQ(provider(config, "shelf").billing, router::Billing::free);
}

TEST(Config, AnUnsetVariableIsAWarningAndTheVendorStillTakesTheClients) {
  const Config config = good("[[provider]]\nname = \"anthropic\"\nkey = \"env:NOT_THERE\"\n");
  ASSERT_EQ(config.warnings.size(), 1u);
  EXPECT_EQ(config.warnings[0], "/c.toml:3:7: NOT_THERE is not set");
  EXPECT_TRUE(provider(config, "anthropic").key.empty());
}

TEST(Config, PlainHttpToAnotherMachineNeedsAWordAndIsShown) {
  const Config config = good(
      "[[provider]]\nname = \"lan\"\nbase_url = \"http://10.0.0.7:8000\"\nkey = \"none\"\n"
      "insecure_http = true\nmodels = [\"m\"]\n");
  EXPECT_TRUE(provider(config, "lan").insecure_http);
  EXPECT_EQ(config.warnings.size(), 1u);
}

TEST(Config, TheCommandLineWins) {
  ConfigSource source;
  source.listen = {"127.0.0.1:2400"};
  source.workers = 3;
  const auto config =
      parse_config("listen = \"127.0.0.1:9\"\nworkers = 2\n", "/c.toml", source, home());
  ASSERT_TRUE(config);
  EXPECT_EQ(config->listen, std::vector<std::string>{"127.0.0.1:2400"});
  EXPECT_EQ(config->workers, 3);
  EXPECT_FALSE(config->listen_is_default);
}

TEST(Config, BeyondThisMachineWithTokenAndProxy) {
  Environment environment = home();
  environment.set("T", "tok-12345678");
  const Config config = good(
      "listen = \"0.0.0.0:2300\"\nbehind_proxy = true\nhosts = [\"gw.example\"]\n"
      "[auth]\ntoken = \"env:T\"\n",
      environment);
  ASSERT_EQ(config.tokens.size(), 1u);
  EXPECT_TRUE(config.tokens[0].equals("tok-12345678"));
}

TEST(Config, QuotesAndCommentsMayHoldAnyLanguage) {
  const Config config =
      good("# caf\xc3\xa9 \"\nca_file = '/home/j\xc3\xbcrgen/ca.pem' # \xc3\xa9\n");
  EXPECT_EQ(config.ca_file, "/home/j\xc3\xbcrgen/ca.pem");
}

TEST(Config, TheEngineHasItsModelAndIsUsedOnlyWhereATargetNamesIt) {
  const Config config = good(
      "[tiers]\nlocal = [\"engine\"]\n[engine]\nmodel = \"~/m/e4b.gguf\"\nstart = \"on-demand\"\n"
      "context = 16384\nslots = 1\n");
  EXPECT_EQ(config.tiers[2][0].provider, "engine");
  EXPECT_EQ(config.engine.model, "/home/someone/m/e4b.gguf");
  EXPECT_EQ(config.engine.start, EngineStart::on_demand);
  EXPECT_EQ(config.engine.context_tokens, 16384);
  EXPECT_EQ(config.engine.slots, 1);
  EXPECT_TRUE(config.warnings.empty());
  EXPECT_TRUE(config.uses_engine());
  EXPECT_TRUE(good("").uses_engine());
  EXPECT_FALSE(good("[tiers]\nfrontier = [\"anthropic\"]\n").uses_engine());
  EXPECT_TRUE(good("[[route]]\nmatch = \"*\"\ntargets = [\"engine/ember\"]\n").uses_engine());
}

TEST(Config, ACommandLinesModelWinsAndIsMeantFromWhereThePersonIs) {
  ConfigSource source;
  source.model = "models/../e4b.gguf";
  const auto config = parse_config("[engine]\nmodel = \"ember\"\n", "/c.toml", source, home());
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->engine.model, (std::filesystem::current_path() / "e4b.gguf").string());
  const auto tiers =
      parse_config("[tiers]\nfrontier = [\"anthropic\"]\n", "/c.toml", source, home());
  ASSERT_TRUE(tiers.has_value());
  EXPECT_TRUE(tiers->uses_engine());
  source.model = "library/gemma4:26b";
  const auto named = parse_config("", "/c.toml", source, home());
  ASSERT_TRUE(named.has_value());
  EXPECT_EQ(named->engine.model, "gemma4:26b");
  EXPECT_EQ(good("[engine]\nmodel = \"hf:a/b/c.gguf\"\n").engine.model, "hf:a/b/c.gguf");
}

}  // namespace
}  // namespace nl::config
