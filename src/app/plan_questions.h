// What `plan` asks a person, and the commands that the answers make.
//
// Line by line on the terminal. Every question can be left: an empty line takes what stands in
// brackets or gives nothing, an end of input (Ctrl-D) leaves the step. A command runs as soon as
// its questions are answered, so that whoever stops keeps what went before. Main thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/first_steps.h"

namespace nl::app {

// The person, and what may be run for them; tests put others in their places.
struct PlanTalk {
  // The answer without its margins; nothing = the input has ended.
  std::function<std::optional<std::string>(std::string_view question)> ask;
  std::function<void(std::string_view line)> tell;
  // `nightlight WORDS...`: its exit status.
  std::function<int(const std::vector<std::string>& words)> run;
  std::string home;  // what "~/" means
};

// Prints `question` and reads a line from the terminal.
std::optional<std::string> ask_person(std::string_view question);

enum class Said : std::uint8_t { run, skip, quit };
// Whether to do a step now. The end of input is to quit.
Said ask_whether(const PlanTalk& talk);

// Does the step by its commands, after asking for what only the person knows. The worst exit
// status; nothing = the person gave nothing to do it with.
std::optional<int> do_step(const Step& step, const PlanTalk& talk);

}  // namespace nl::app
