// The doctor's look at everything: facts gathered, questions asked, checks made.
//
// Clouds, servers, the proxy and our own addresses are asked at the same time, while another thread
// looks at the engine and the machine. With a configuration that cannot be read only what does not
// depend on it is looked at. Blocks for ten seconds at most (--digest aside). Main thread.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "base/environment.h"
#include "config/config.h"
#include "doctor/finding.h"

namespace nl::app {

struct DoctorOrder {
  bool offline = false;  // no cloud is asked
  bool digest = false;   // pulled models are read whole
  std::function<void(std::size_t answered, std::size_t asked)> progress;
};

struct Diagnosis {
  doctor::Findings findings;           // the worst first
  std::vector<std::string> repaired;   // what --fix has done
  std::vector<std::string> looked_at;  // a line each, for people
};

Diagnosis look(const config::ConfigSource& source, const Environment& environment,
               const DoctorOrder& order);

}  // namespace nl::app
