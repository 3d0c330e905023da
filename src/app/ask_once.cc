// One question: documents read, the window checked, the answer streamed.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "app/ask_task.h"
#include "work/question.h"
#include "work/shown.h"

namespace nl::app {
namespace {

// Dim on a terminal, unless the user wants no colour.
void say_about(const std::string& line) {
  const bool dim = isatty(2) == 1 && std::getenv("NO_COLOR") == nullptr;
  fmt::print(stderr, "{}{}{}\n", dim ? "\x1b[2m" : "", work::visible(line), dim ? "\x1b[0m" : "");
}

// A scan without a text layer, for one: a model would answer all the same.
bool is_empty(const documents::Document& document) {
  return document.images.empty() &&
         document.text.find_first_not_of(" \t\r\n\f") == std::string::npos;
}

}  // namespace

int ask_once(const AskTask& task, work::Asker& asker) {
  auto documents = input_documents(task.files, task.empty_input);
  if (!documents) return complain_about(documents.error());
  for (const documents::Document& document : *documents) {
    for (const std::string& note : document.notes) {
      fmt::print(stderr, "nightlight: {}: {}\n", document.name, work::visible(note));
    }
  }
  if (!documents->empty() && std::ranges::all_of(*documents, is_empty)) {
    return complain_about(Error(
        ErrorCode::unsupported,
        fmt::format("there is no text in {}: nothing was asked",
                    documents->size() == 1 ? documents->front().name : "any of these files")));
  }
  const work::Question question{task.recipe, std::move(*documents), task.words};
  work::Prompt prompt = work::question_prompt(question);
  prompt.route = task.base.route;
  prompt.task = task.base.task;
  prompt.model = task.base.model;
  if (task.base.max_tokens > 0) prompt.max_tokens = task.base.max_tokens;
  const auto count = work::fit(asker, prompt);
  if (!count) return complain_about(count.error());
  const bool streams = task.form == Form::people;
  const bool terminal = isatty(1) == 1;
  const auto reply = asker.answer(prompt, [&](std::string_view text) {
    if (!streams) return;
    const std::string shown = terminal ? work::visible(text) : std::string(text);
    std::fwrite(shown.data(), 1, shown.size(), stdout);  // main() tells of what is not written
    std::fflush(stdout);
  });
  if (!reply) {
    Error error = reply.error();
    if (error.message.find("too long") != std::string::npos) {
      error.message += "; `nightlight ask research` reads it part by part";
    }
    return complain_about(error);
  }
  if (streams) {
    if (!reply->text.ends_with('\n')) fmt::print("\n");
  } else {
    fmt::print("{}", work::json_of(*reply, question.documents, task.recipe.name));
  }
  std::fflush(stdout);
  say_about(work::line_about(*reply));
  const std::string trouble = work::trouble_of(*reply);
  if (trouble.empty()) return 0;
  fmt::print(stderr, "nightlight: {}\n", work::visible(trouble));
  return 1;
}

}  // namespace nl::app
