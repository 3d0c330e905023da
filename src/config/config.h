// Config: what the user wants, as plain values; every default filled in, every mistake refused.
//
// load_config() is a pure function of one file and an Environment, so a reload is a second call
// whose result is swapped in or dropped. It never looks into the working directory. A mistake is an
// Error `config` whose message has one line per mistake: `file:line:column: what; fix`.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/environment.h"
#include "base/error.h"
#include "base/secret.h"
#include "chat/model.h"
#include "config/limits.h"
#include "dialect/dialect.h"
#include "http/client.h"
#include "http/tls_server.h"
#include "http/webhook.h"
#include "router/planner.h"

namespace nl::config {

// Where a provider's credential comes from.
enum class KeySource : std::uint8_t {
  none,         // needs none (a local server)
  environment,  // "env:NAME"
  file,         // "file:PATH"
  literal,      // in the configuration file itself, which is then 0600
  client,       // the client's own, passed through
};

struct ProviderConfig {
  std::string name;
  dialect::DialectId dialect = dialect::DialectId::openai_chat;
  // With the version in its path: a request goes to base_url + "/messages" or "/chat/completions".
  std::string base_url;
  http::BaseUrl url;  // base_url, taken apart
  KeySource key_source = KeySource::none;
  std::string key_text;        // "env:NAME", "file:PATH", "client", "none", "literal": for people
  Secret key;                  // empty when the variable is not set, or the source has none
  bool insecure_http = false;  // plain http to a host that is not this machine, allowed by the user
  bool local = false;          // on this machine
  bool in_config = false;      // the user named it
  router::Tier tier = router::Tier::router;
  router::Billing billing = router::Billing::metered;
  std::vector<chat::ModelFacts> models;        // the user's; they come before the catalog's
  std::optional<std::int64_t> context_tokens;  // for models whose window is not known
};

enum class EngineStart : std::uint8_t { eager, on_demand };

// [engine]: the model that Nightlight runs itself.
struct EngineConfig {
  std::string model = "auto";  // auto | ember | a pulled name | the absolute path of a GGUF
  EngineStart start = EngineStart::eager;
  std::int64_t context_tokens = 0;  // 0 = what suits model and machine
  int slots = 2;                    // conversations held at once
  std::string server;               // a llama-server; empty = looked for

  friend bool operator==(const EngineConfig&, const EngineConfig&) = default;
};

// [local]: how requests are put for models on this machine.
struct LocalConfig {
  bool profile = true;  // a client's system text and tools in a short form of ours
  bool fit = true;      // a conversation too long for the window is compacted

  friend bool operator==(const LocalConfig&, const LocalConfig&) = default;
};

enum class StandbyEnabled : std::uint8_t { automatic, on, off };

// [standby]: the local model reads along while a cloud serves.
struct StandbyConfig {
  StandbyEnabled enabled = StandbyEnabled::automatic;
  int conversations = 4;  // kept warm at most
  Duration idle = std::chrono::minutes(30);
  double load_max = 1.0;  // per core, by other programs

  friend bool operator==(const StandbyConfig&, const StandbyConfig&) = default;
};

// [plan]: what is paid anyway, and what the local model's work costs, for honest sums.
struct PlanConfig {
  std::map<std::string, std::int64_t> flat_fees;  // micro-dollars a month, by the user's own name
  double watts = 0;  // what this machine draws for an answer, above idle; 0 = not said
  double usd_per_kwh = 0.30;

  friend bool operator==(const PlanConfig&, const PlanConfig&) = default;
};

// [notify]: who is told when another one answers than usual.
struct NotifyConfig {
  bool desktop = false;
  std::optional<http::Webhook> webhook;
  Duration quiet = std::chrono::seconds(60);  // between two messages about one provider
};

// A target as written: "@tier", "provider/model" (the first slash splits) or "provider". "engine"
// is the supervised engine; it has no entry in `providers`.
struct TargetConfig {
  std::optional<router::Tier> tier;
  std::string provider;
  std::string model;  // empty = the provider alone
  std::string text;   // as written
};

struct RouteConfig {
  std::string match;
  std::vector<TargetConfig> targets;
};

// Which parts of the file replace the built-in ones.
struct Named {
  bool tiers = false;
  bool routes = false;
  bool tasks = false;
  bool any() const { return tiers || routes || tasks; }
};

struct Config {
  std::string source_path;  // empty = no file: zero configuration
  std::vector<std::string> listen = {"127.0.0.1:2300", "[::1]:2300"};
  std::string listen_place;       // who said so: "FILE:LINE:COLUMN" or "--listen"; empty = nobody
  bool listen_is_default = true;  // then a missing IPv6 is worth a warning only
  int workers = 1;
  std::vector<std::string> hosts;
  bool behind_proxy = false;
  // [tls]: what every address but loopback and unix sockets shows; null = none speaks TLS.
  std::shared_ptr<const http::TlsIdentity> tls;
  std::vector<Secret> tokens;  // what a client must present; empty = keyless loopback
  std::vector<ProviderConfig> providers;
  std::vector<TargetConfig> tiers[3];  // by router::Tier
  std::vector<RouteConfig> routes;
  std::map<std::string, std::vector<TargetConfig>> tasks;
  Named named;
  router::Share share = router::Share::any;
  router::OnLocal on_local = router::OnLocal::automatic;
  bool discover = true;  // look for local servers on ports 11434 and 1234
  std::int64_t failover_cap_micro_usd = 5'000'000;
  bool failover_cap_is_explicit = false;
  EngineConfig engine;
  LocalConfig local;
  StandbyConfig standby;
  PlanConfig plan;
  NotifyConfig notify;
  Limits limits;
  std::string ca_file;  // PEM, besides the system's
  std::string https_proxy, no_proxy;
  std::string state_dir;  // holds ledger.sqlite and gateway.log
  // Variables that hold keys: clear_variables() them once nothing else is to be loaded.
  std::vector<std::string> key_variables;
  // For people, each one line: unset keys, plain http, parts that this release does not have.
  std::vector<std::string> warnings;

  std::string ledger_path() const { return state_dir + "/ledger.sqlite"; }
  // Whether clients must speak TLS at `address`.
  bool speaks_tls(const http::ListenAddress& address) const;
  // Whether any target is the supervised engine: it is started for nothing else.
  bool uses_engine() const;
  // The index in `providers`, or nothing.
  std::optional<std::size_t> provider_index(std::string_view name) const;
};

// What the command line says; it wins over the file.
struct ConfigSource {
  std::string path;                 // --config; empty = search
  std::vector<std::string> listen;  // --listen; empty = the file's
  std::string model;                // up --model, absolute; empty = the file's
  int workers = 0;                  // --workers; 0 = the file's
};

// Searches source.path, else $XDG_CONFIG_HOME/nightlight/config.toml (~/.config), else
// /etc/nightlight/config.toml; none of them = zero configuration. Errors: config.
Result<Config> load_config(const ConfigSource& source, const Environment& environment);

// The same for a text already read; `path` is for messages, `source.path` is not looked at.
Result<Config> parse_config(std::string_view text, const std::string& path,
                            const ConfigSource& source, const Environment& environment);

// Every setting with its default and a word of explanation, as a configuration file.
std::string default_settings();

}  // namespace nl::config
