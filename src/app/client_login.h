// Logins that clients have of their own, as far as their files and variables tell.
//
// Reads the clients' files and shows nothing of them. Any thread.
#pragma once

#include <string>

#include "base/environment.h"
#include "clients/client.h"

namespace nl::app {

// A login of Claude Code's own, by its files: it then needs no credential from us. The word that
// `connect --stand-in` has written is none.
bool has_claude_login(const Environment& environment);

// Whether `client` has a credential of its own for what it is pointed at, by variables or files.
bool has_credential(const clients::Client& client, const Environment& environment);

// The address that settings of Claude Code's hold and the file that does, of the user's or of the
// project in `folder`: it wins over the one in the environment. Empty = none.
struct ClaudeAddress {
  std::string url;
  std::string file;
};
ClaudeAddress claude_address(const Environment& environment, const std::string& folder);

// For rooms that ask for variables by name; borrows `environment`.
clients::Variables variables_of(const Environment& environment);

}  // namespace nl::app
