// The dates of a certificate file: for whoever warns before one ends.
//
// Reads PEM, the first certificate of the file. Blocks on the disk; any thread.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/error.h"

namespace nl::http {

// When the first certificate of the file ends. Errors: config.
Result<WallTime> certificate_end(const std::string& path);

}  // namespace nl::http
