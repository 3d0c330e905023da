// What `plan` asks a person, and the commands that the answers make.
//
// On the terminal, line by line; an end of input is the answer "". Main thread.
#pragma once

#include <string>
#include <vector>

#include "app/first_steps.h"

namespace nl::app {

// Prints `question` and reads a line without its end; an empty line is `otherwise`.
std::string ask_person(const std::string& question, const std::string& otherwise);

// The words of each command that does this step, after asking for what only the person knows.
// Empty = the person had nothing to give.
std::vector<std::vector<std::string>> step_commands(const Step& step);

}  // namespace nl::app
