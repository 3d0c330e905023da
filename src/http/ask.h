// ask: one GET to a server on this machine, for the command line and for start-up.
//
// Blocking, with a loop of its own; never for the data path.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "http/client.h"

namespace nl::http {

struct Question {
  Endpoint endpoint;
  std::string target;   // "/v1/models"
  std::string headers;  // header lines with CRLF each
  Duration within{};
};

// The body of a 200. Errors: connect and the like when nothing answers there, status when something
// else than 200 came, too_large.
Result<std::string> ask(const Question& question);

}  // namespace nl::http
