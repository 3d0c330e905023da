// Listening: where a gateway's locks lie, and which addresses it must not have. Refuses providers
// that point at the gateway itself. Looks at the disk; any thread, nothing is kept.
#pragma once

#include <string>

#include "base/error.h"
#include "config/config.h"

namespace nl::app {

// The folder of the locks: the user's own in the system's place for temporary files, so that two
// gateways with different homes see each other; else beside the ledger. Made when it is missing.
std::string lock_folder(const config::Config& config);

// A provider that points at ourselves would send every request round for ever. Errors: config.
Result<void> refuse_own_address(const config::Config& config);

}  // namespace nl::app
