// The doctor's questions: to every cloud by a route that costs nothing, to the proxy, to servers of
// this machine, and to whoever sits at our own addresses; all at once.
//
// A provider's key goes to that provider only, as in a request. Blocks for nine seconds at most.
// Any thread.
#pragma once

#include "app/doctor_look.h"
#include "base/environment.h"
#include "config/config.h"

namespace nl::app {

struct Asking {
  Diagnosis diagnosis;
  bool local_server_has_model = false;
};

Asking ask_everybody(const config::Config& config, const Environment& environment,
                     const DoctorOrder& order);

}  // namespace nl::app
