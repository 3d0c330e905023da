// Tier, Target, Candidate, Plan: the words of routing, as plain values.
//
// A Target is a provider and a model that could answer. A Plan is the ordered list of Candidates
// for one request, with every other Target and why it was left out. Knows no HTTP.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "chat/model.h"

namespace nl::router {

enum class Tier : std::uint8_t { frontier, router, local };
const char* name(Tier tier);

// Whose service it is: decides which client credentials may go there.
enum class Vendor : std::uint8_t { anthropic, openai, gemini, openrouter, local, other };
const char* name(Vendor vendor);

// What a provider charges: per token, nothing more than a flat fee, or nothing at all.
enum class Billing : std::uint8_t { metered, flat, free };

// Which credential an attempt would use.
enum class CredentialSource : std::uint8_t {
  none_needed,  // a keyless local server
  configured,   // the provider's own key
  client,       // the client's, passed through to its own vendor
};

// A provider as the planner sees it.
struct ProviderFacts {
  std::string name;
  Vendor vendor = Vendor::other;
  std::uint8_t dialect = 0;    // dialect::DialectId, opaque here
  Tier tier = Tier::frontier;  // the tier it is listed in, for targets named outside tiers
  bool has_key = false;
  bool takes_client_credential = false;  // key = "client", or a known vendor without a key
  bool keyless = false;                  // needs no key (a local server)
  bool in_config = false;                // the user named it (privacy.share = "configured")
  bool local = false;                    // on this machine
  // Its only model is the built-in self-test model: it answers for itself, never instead of another
  // (DESIGN 2).
  bool self_test = false;
  Billing billing = Billing::metered;
  std::uint64_t key_mark = 0;            // Secret::fingerprint of the key: breakers are per key
  std::vector<chat::ModelFacts> models;  // known models; the first of each class is its default
  // How its own models' names begin ("claude-"): such a name is passed on as it is.
  std::vector<std::string> own_prefixes;
};

struct Target {
  std::size_t provider = 0;  // index into Policy::providers
  std::string model;
  Tier tier = Tier::frontier;

  friend bool operator==(const Target&, const Target&) = default;
};

// What the user's own graded tasks have shown of a model of this machine, for a task label.
enum class Proof : std::uint8_t { none, safe, not_yet };

struct Candidate {
  Target target;
  chat::ModelFacts facts;
  CredentialSource credential = CredentialSource::configured;
  // True when choosing it spends pay-per-token money that the first choice would not have.
  bool paid_failover = false;
  // Admitted although its breaker is open, because nothing else is left: skip Health::begin().
  bool last_resort = false;
  // For the plan's label; decides with `on_local` what the model may do with tools.
  Proof proof = Proof::none;
  // Why it stands where it stands: "tier", "route claude-haiku-*", "task code_review".
  std::string why;
};

struct Skipped {
  std::string target;  // provider/model
  std::string why;     // "breaker open for 12 s", "no key", "quota resets 23:10", ...
};

struct Plan {
  std::vector<Candidate> candidates;
  std::vector<Skipped> skipped;
  std::string label;      // task label or empty
  std::string preferred;  // provider/model that a fully healthy world would have used
  // The earliest end of what health holds back, whether or not something is left. A target that
  // another attempt is testing may be back at any moment: the time of this plan.
  std::optional<Instant> held_until;
  // The request has parts that only its own dialect has, and no target in question speaks it.
  bool no_form = false;
};

}  // namespace nl::router
