// The doctor's look at the way in: who holds the addresses of the configuration, and which other
// gateways of this user run.
//
// The addresses are asked together with everything else: entry_questions() adds to the probes,
// judge_entry() reads the answers. Looks at locks, sockets and /proc; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "doctor/entry.h"
#include "doctor/probe.h"

namespace nl::app {

struct AddressQuestion {
  http::ListenAddress address;
  std::size_t place = 0;  // of its probe
};
using EntryQuestions = std::vector<AddressQuestion>;

EntryQuestions entry_questions(const config::Config& config, std::vector<doctor::Probe>& probes);

doctor::Findings judge_entry(const config::Config& config, const EntryQuestions& questions,
                             const std::vector<doctor::Answer>& answers);

}  // namespace nl::app
