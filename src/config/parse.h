// The parts of parse_config(), one per noun of the file. Internal to configuration.
//
// Each reads its keys from the top table, records what is wrong and fills its part of the Config.
// Providers come before targets: a target of a known name adds that provider.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/file.h"
#include "config/toml.h"
#include "provider/catalog.h"

namespace nl::config {

// What every part needs. Borrowed for the length of one parse_config().
struct Parsing {
  Config& config;
  Mistakes& mistakes;
  const Environment& environment;
  FileMode mode = FileMode::owner_only;
};

void parse_providers(TableReader& top, Parsing& parsing);  // [[provider]]
void parse_targets(TableReader& top, Parsing& parsing);    // [tiers], [[route]], [tasks]
void parse_limits(TableReader& top, Parsing& parsing);     // [limits]
void parse_engine(TableReader& top, Parsing& parsing);     // [engine]
void parse_local(TableReader& top, Parsing& parsing);      // [local]
void parse_standby(TableReader& top, Parsing& parsing);    // [standby]
void parse_plan(TableReader& top, Parsing& parsing);       // [plan]
void parse_notify(TableReader& top, Parsing& parsing);     // [notify]
// listen, hosts, behind_proxy, [auth]; where `listen` stands, for later complaints.
Place parse_entry(TableReader& top, Parsing& parsing);

// Fills the tiers that the file leaves to us and sorts every provider into its tier.
void complete_tiers(Parsing& parsing);
// Whether `config.listen` may be served as it is; says so at `place`.
void check_listen(Parsing& parsing, Place place);

// A provider of a known name with nothing configured: its key from the environment, else the
// client's own.
ProviderConfig known_defaults(const provider::KnownProvider& known, Parsing& parsing);
// A "key" or "token" as written: its source, and the value where there is one. Records mistakes for
// `key` of `reader`; an unset variable is a warning.
struct ResolvedKey {
  KeySource source = KeySource::none;
  std::string text;  // "env:NAME", "file:PATH", "client", "none", "literal"
  Secret value;
};
ResolvedKey resolve_key(const Located& written, TableReader& reader, Parsing& parsing);

}  // namespace nl::config
