// The checks of the clouds: the way there, who answers, and whether the key is taken.
//
// Each cloud has been asked by a route that costs nothing; what it answered is held against what
// it should have. A cloud that a client's own credential reaches was asked without one: that it
// refuses is right. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "doctor/finding.h"
#include "doctor/probe.h"

namespace nl::doctor {

enum class KeyState : std::uint8_t {
  present,
  missing,      // it should have one
  clients_own,  // the client brings it
  none_needed,
};

struct CloudFacts {
  std::string name;  // "anthropic"
  std::string host;
  std::string key;  // where its key comes from, for people: "env:ANTHROPIC_API_KEY"
  KeyState key_state = KeyState::present;
  bool named = false;                    // the configuration names it
  bool own_server = false;               // on this machine, for a model of this machine
  std::string console;                   // where its keys are made; empty = not known
  std::optional<Answer> answer;          // nothing = not asked
  std::optional<double> credit_dollars;  // what is left; nothing = not said
};

Findings check_cloud(const CloudFacts& cloud);

// Said once, about all of them.
Findings check_keys(const std::vector<CloudFacts>& clouds);

}  // namespace nl::doctor
