// Task: work of the user that must not stop, with example inputs.
//
// A readable JSON file per task; the user may change it by hand, so everything read from it is
// checked again. Examples are texts in the file itself or copies beside it. Plain values; pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace nl::work {

inline constexpr std::size_t kTaskExamplesMax = 20;
inline constexpr std::size_t kTaskPromptBytesMax = 256 * 1024;
// Where the example stands in a prompt; behind it where the prompt names no place.
inline constexpr std::string_view kInputPlace = "{input}";

struct TaskExample {
  std::string text;  // the input itself; or
  std::string file;  // a file beside the task's own, as "inputs/1-mail.txt"
};

struct Task {
  std::string name;    // [a-z0-9-], a folder's name and the first half of "mail.1"
  std::string prompt;  // what is asked of every example
  std::string system;  // the model's part in it; often empty
  std::string label;   // of the routing's taxonomy; often empty
  std::string model;   // asked for today; empty = what `ask` asks for
  std::string cloud;   // where today's answer comes from, as a route; empty = as requests go
  std::string recipe;  // of `ask`, from which the texts above were made; empty = none
  std::int64_t max_tokens = 0;  // 0 = what `ask` allows
  std::vector<TaskExample> examples;
};

// True for 1 to 40 of [a-z0-9-], beginning with a letter or digit.
bool is_task_name(std::string_view name);

std::string task_json(const Task& task);

// Errors: config; the message says what is wrong.
Result<Task> parse_task(std::string_view json);

// What is asked about one example.
std::string asked_of(const Task& task, std::string_view input);

// Changes with the prompt, the system text or any example (a copied file counts by its name: the
// store never changes one).
std::string task_mark(const Task& task);

// JSON text with line ends and two spaces a level, for people.
std::string indented(std::string_view json);

}  // namespace nl::work
