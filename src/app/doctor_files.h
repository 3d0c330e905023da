// The doctor's look at files: configuration and keys, state folder, ledger, model store, drills;
// and at the files and variables that tell clients where to go.
//
// Writes nothing but one small file in the state folder and the model store each, which it removes.
// Any thread.
#pragma once

#include <string>
#include <vector>

#include "app/doctor_look.h"
#include "base/environment.h"
#include "config/config.h"
#include "doctor/entry.h"

namespace nl::app {

// `trouble`: what load_config() complains about; empty = nothing.
Diagnosis look_at_config(const config::ConfigSource& source, const Environment& environment,
                         const std::string& trouble);

Diagnosis look_at_storage(const config::Config& config, const Environment& environment);

// The certificate that [tls] names; empty = none.
std::string certificate_file(const config::Config& config);

// Where clients of this user are told to send their requests.
std::vector<doctor::ClientSetting> client_settings(const config::Config& config,
                                                   const Environment& environment);

}  // namespace nl::app
