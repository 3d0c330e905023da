#include "app/plan_questions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "router/planner.h"
#include "work/task.h"

namespace nl::app {
namespace {

constexpr std::size_t kLineBytesMax = 16 * 1024;
constexpr std::size_t kTasksMost = 5;

// As a shell would see it: a name dragged into a terminal comes quoted, or with backslashes.
std::string as_shell_sees(std::string text, const std::string& home) {
  const bool quoted = text.size() > 1 && (text.front() == '\'' || text.front() == '"') &&
                      text.back() == text.front();
  if (quoted) return text.substr(1, text.size() - 2);
  if (text.starts_with("~/") && !home.empty()) text.replace(0, 1, home);
  std::error_code error;
  if (std::filesystem::exists(text, error)) return text;
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    plain += text[i];
  }
  return plain;
}

// A file that is there; empty = none was given, nothing = the input has ended.
std::optional<std::string> ask_file(const PlanTalk& talk, std::string_view question) {
  for (;;) {
    const auto said = talk.ask(question);
    if (!said || said->empty()) return said;
    std::string path = as_shell_sees(*said, talk.home);
    std::error_code error;
    if (std::filesystem::exists(path, error)) return path;
    talk.tell(fmt::format("There is no file {}; an empty line goes on without one.", path));
  }
}

std::optional<int> model(const Step& step, const PlanTalk& talk) {
  const bool fits = step.command == "pull";
  const auto wanted =
      talk.ask(fits ? "Which model? [the one that fits; s skips] "
                    : "A GGUF file of yours, or hf:REPO/FILE (an empty line skips): ");
  if (!wanted || *wanted == "s" || (!fits && wanted->empty())) return std::nullopt;
  if (wanted->empty()) return talk.run({"pull"});
  return talk.run({"pull", as_shell_sees(*wanted, talk.home)});
}

std::optional<int> one_question(const PlanTalk& talk) {
  const auto file = ask_file(talk, "A file of yours (text, PDF, mail, image): ");
  if (!file || file->empty()) return std::nullopt;
  const auto question = talk.ask("What do you want to know of it? [Sum it up in five lines] ");
  if (!question) return std::nullopt;
  return talk.run({"ask", *file, question->empty() ? "Sum it up in five lines" : *question});
}

// A name that can be one; empty = no further task.
std::optional<std::string> ask_name(const PlanTalk& talk) {
  for (;;) {
    const auto name = talk.ask("Name (a-z, 0-9, -): ");
    if (!name || name->empty() || work::is_task_name(*name)) return name;
    talk.tell("Up to 40 of a-z, 0-9 and - make a name, as in mail-triage.");
  }
}

// A label of the routing; empty = none.
std::optional<std::string> ask_label(const PlanTalk& talk) {
  const auto labels = router::task_labels();
  for (;;) {
    const auto label = talk.ask("Its kind of work (? lists them; an empty line is none): ");
    const bool known = label && std::find(labels.begin(), labels.end(), *label) != labels.end();
    if (!label || label->empty() || known) return label;
    talk.tell(fmt::format("Routing goes by your grades of a kind: {}", fmt::join(labels, ", ")));
  }
}

// The words that keep one task; empty = no further one, or its question was left empty.
std::optional<std::vector<std::string>> ask_task(const PlanTalk& talk, const std::string& name) {
  const auto prompt = talk.ask("What is asked each time: ");
  if (!prompt) return std::nullopt;
  if (prompt->empty()) return std::vector<std::string>();
  const auto file = ask_file(talk, "A file as an example: ");
  const auto label = file ? ask_label(talk) : std::nullopt;
  if (!label) return std::nullopt;
  std::vector<std::string> words = {"tasks", "add", name, "--prompt", *prompt};
  // Without an example the question itself is one.
  words.insert(words.end(),
               {file->empty() ? "--text" : "--input", file->empty() ? *prompt : *file});
  if (!label->empty()) words.insert(words.end(), {"--label", *label});
  return words;
}

std::optional<int> tasks(const PlanTalk& talk) {
  talk.tell("Name three to five tasks that must not stop. An empty name ends.");
  std::optional<int> worst;
  for (std::size_t kept = 0; kept < kTasksMost;) {
    const auto name = ask_name(talk);
    if (!name || name->empty()) break;
    const auto words = ask_task(talk, *name);
    if (!words) break;
    if (words->empty()) continue;
    const int status = talk.run(*words);
    if (status == 0) ++kept;
    worst = std::max(worst.value_or(0), status);
  }
  return worst;
}

// What could not be asked at all has nothing to be graded.
std::optional<int> compare(const PlanTalk& talk) {
  const int ran = talk.run({"tasks", "run"});
  return ran > 1 ? ran : std::max(ran, talk.run({"tasks", "grade"}));
}

}  // namespace

std::optional<std::string> ask_person(std::string_view question) {
  fmt::print("{}", question);
  std::fflush(stdout);
  std::string answer;
  int c = std::getchar();
  const bool ended = c == EOF;
  for (; c != EOF && c != '\n'; c = std::getchar()) {
    if (answer.size() < kLineBytesMax) answer += static_cast<char>(c);
  }
  // A terminal goes on behind a Ctrl-D.
  std::clearerr(stdin);
  if (ended) {
    fmt::print("\n");
    return std::nullopt;
  }
  const auto blank = [](char one) { return one == '\r' || one == ' ' || one == '\t'; };
  while (!answer.empty() && blank(answer.back())) answer.pop_back();
  answer.erase(answer.begin(), std::find_if_not(answer.begin(), answer.end(), blank));
  return answer;
}

Said ask_whether(const PlanTalk& talk) {
  for (;;) {
    const auto answer = talk.ask("Do it now? [Y]es, [s]kip, [q]uit: ");
    if (!answer) return Said::quit;
    switch (answer->empty() ? 'y' : answer->front()) {
      case 'y':
      case 'Y':
        return Said::run;
      case 's':
      case 'S':
      case 'n':
      case 'N':
        return Said::skip;
      case 'q':
      case 'Q':
        return Said::quit;
      default:
        break;
    }
  }
}

std::optional<int> do_step(const Step& step, const PlanTalk& talk) {
  switch (step.id) {
    case StepId::model:
      return model(step, talk);
    case StepId::ask:
      return one_question(talk);
    case StepId::tasks:
      return tasks(talk);
    case StepId::compare:
      return compare(talk);
    case StepId::order:
      return talk.run({"check"});
    case StepId::drill:
      return talk.run({"drill", "--demo", "--script"});
    case StepId::sheet:
      return talk.run({"cheatsheet", "--html", "cheatsheet.html"});
  }
  return std::nullopt;
}

}  // namespace nl::app
