#include "app/plan_questions.h"

#include <fmt/format.h>

#include <cstdio>

namespace nl::app {
namespace {

constexpr int kLineBytesMax = 4096;
constexpr std::size_t kTasksMost = 5;

using Commands = std::vector<std::vector<std::string>>;

// As a shell would see it: a name dragged into a terminal comes quoted.
std::string unquoted(std::string text) {
  const bool quoted = text.size() > 1 && (text.front() == '\'' || text.front() == '"') &&
                      text.back() == text.front();
  return quoted ? text.substr(1, text.size() - 2) : text;
}

Commands model() {
  const std::string wanted = ask_person("Which model? [the one that fits] ", "");
  if (wanted.empty()) return {{"pull"}};
  return {{"pull", wanted}};
}

Commands one_question() {
  const std::string file = unquoted(ask_person("A file of yours (text, PDF, mail, image): ", ""));
  if (file.empty()) return {};
  const std::string question = ask_person(
      "What do you want to know of it? [Sum it up in five lines] ", "Sum it up in five lines");
  return {{"ask", file, question}};
}

Commands tasks() {
  fmt::print("Name three to five tasks that must not stop. An empty name ends.\n");
  Commands commands;
  while (commands.size() < kTasksMost) {
    const std::string name = ask_person("Name (a-z, 0-9, -): ", "");
    if (name.empty()) break;
    const std::string prompt = ask_person("What is asked each time: ", "");
    if (prompt.empty()) continue;
    const std::string file = unquoted(ask_person("A file as an example: ", ""));
    std::vector<std::string> words = {"tasks", "add", name, "--prompt", prompt};
    if (!file.empty()) {
      words.insert(words.end(), {"--input", file});
    } else {
      words.insert(words.end(), {"--text", prompt});
    }
    commands.push_back(std::move(words));
  }
  return commands;
}

}  // namespace

std::string ask_person(const std::string& question, const std::string& otherwise) {
  fmt::print("{}", question);
  std::fflush(stdout);
  char line[kLineBytesMax];
  if (std::fgets(line, sizeof line, stdin) == nullptr) {
    fmt::print("\n");
    return "";
  }
  std::string answer(line);
  const auto blank = [](char c) { return c == '\n' || c == '\r' || c == ' ' || c == '\t'; };
  while (!answer.empty() && blank(answer.back())) answer.pop_back();
  std::size_t begin = 0;
  while (begin < answer.size() && blank(answer[begin])) ++begin;
  answer.erase(0, begin);
  return answer.empty() ? otherwise : answer;
}

std::vector<std::vector<std::string>> step_commands(const Step& step) {
  switch (step.id) {
    case StepId::model:
      return model();
    case StepId::ask:
      return one_question();
    case StepId::tasks:
      return tasks();
    case StepId::compare:
      return {{"tasks", "run"}, {"tasks", "grade"}};
    case StepId::order:
      return {{"check"}};
    case StepId::drill:
      return {{"drill", "--demo", "--script"}};
    case StepId::sheet:
      return {{"cheatsheet", "--html", "cheatsheet.html"}};
  }
  return {};
}

}  // namespace nl::app
