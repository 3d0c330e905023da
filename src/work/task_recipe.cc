#include "work/task_recipe.h"

#include <fmt/format.h>

#include <array>

#include "base/random.h"
#include "work/mail_judgement.h"

namespace nl::work {
namespace {

constexpr std::size_t kMarkLetters = 16;

std::unexpected<Error> wrong(std::string what) {
  return fail(ErrorCode::config, std::move(what));
}

// As mail_prompt() asks about one mail.
void ask_about_a_mail(Task& task, const Recipe& recipe, const std::string& words) {
  const std::string mark = random_id(kMarkLetters, "mail-");
  MailQuestion question;
  question.instructions = mail_instructions(recipe, words);
  task.system = mail_rules(question, mark);
  task.prompt = fmt::format("<{0}>\n{1}\n</{0}>", mark, kInputPlace);
}

}  // namespace

Result<void> build_on(Task& task, const Recipe& recipe) {
  const std::string words = task.prompt.empty() ? recipe.words_default : task.prompt;
  if (recipe.words == Need::required && words.empty()) {
    return wrong(fmt::format("{} needs words: say with --prompt what is asked of every example",
                             recipe.name));
  }
  const std::string own_system = task.system;
  switch (recipe.way) {
    case Way::research:
      return wrong(
          fmt::format("{} reads many documents in many questions, and a task is one: try "
                      "it with `nightlight ask {} --tier local`",
                      recipe.name, recipe.name));
    case Way::mail_triage:
      ask_about_a_mail(task, recipe, words);
      break;
    case Way::ask: {
      using Place = std::pair<std::string_view, std::string_view>;
      const std::array places = {Place{"words", words}, Place{"documents", kInputPlace}};
      task.system = fill(recipe.system, {});
      task.prompt = fill(recipe.prompt, places);
      break;
    }
  }
  if (!own_system.empty()) task.system = own_system;
  if (task.label.empty()) task.label = recipe.task;
  if (task.model.empty()) task.model = recipe.model;
  if (task.max_tokens == 0) task.max_tokens = recipe.max_tokens;
  task.recipe = recipe.name;
  return {};
}

}  // namespace nl::work
