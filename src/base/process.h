// Processes: the few ways in which this program starts another one. No shell is involved.
//
// Not for the engine's child, which has a module of its own. Main thread, before other threads run.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace nl {

// The file that `name` means: itself when it has a slash, else the first executable of that name in
// the folders of `path` (PATH). Nothing when there is none.
std::optional<std::string> find_program(std::string_view name, std::string_view path);

// This program's own file, or empty where the system does not say.
std::string own_program();

// Starts `arguments` (the first is the file) in a session of its own, standard input from nowhere,
// output and errors appended to `log_path` (mode 0600). It outlives this process, is nobody's child
// and inherits this process's environment. Errors: io.
Result<void> start_detached(const std::vector<std::string>& arguments, const std::string& log_path);

// Runs `arguments` (the first is the file) on this terminal with this environment and waits for its
// end; Ctrl-C is the program's alone meanwhile. The exit status, 128 and the signal's number where
// one ended it. Errors: io.
Result<int> run_in_foreground(const std::vector<std::string>& arguments);

// Becomes `arguments` with this process's environment; returns only when that failed. Errors: io.
Error become(const std::vector<std::string>& arguments);
// The same by the file `program` and with `environment` ("NAME=value"), all there is.
Error become(const std::string& program, const std::vector<std::string>& arguments,
             const std::vector<std::string>& environment);

}  // namespace nl
