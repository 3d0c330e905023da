#include "work/question.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace nl::work {
namespace {

// An answer shorter than this is worth nothing.
constexpr std::int64_t kAnswerLeast = 256;
// What an estimate may be wrong by, as the planner has it.
constexpr double kMargin = 1.05;

}  // namespace

Prompt question_prompt(const Question& question) {
  Prompt prompt;
  const std::string documents = marked(question.documents);
  const std::string& words =
      question.words.empty() ? question.recipe.words_default : question.words;
  const std::array places = {std::pair<std::string_view, std::string_view>{"documents", documents},
                             std::pair<std::string_view, std::string_view>{"words", words}};
  prompt.system = fill(question.recipe.system, {});
  prompt.text = fill(question.recipe.prompt, places);
  prompt.max_tokens = question.recipe.max_tokens;
  for (const documents::Document& document : question.documents) {
    prompt.images.insert(prompt.images.end(), document.images.begin(), document.images.end());
  }
  return prompt;
}

Result<Count> fit(Asker& asker, Prompt& prompt) {
  Result<Count> count = asker.count(prompt);
  if (!count || !count->window) return count;
  const auto tokens = static_cast<std::int64_t>(static_cast<double>(count->tokens) *
                                                (count->estimated ? kMargin : 1.0));
  const std::int64_t left = *count->window - tokens;
  const std::int64_t wanted = std::min<std::int64_t>(prompt.max_tokens, kAnswerLeast);
  if (left < wanted || !count->compacted.empty()) {
    return fail(
        ErrorCode::too_large,
        fmt::format("this is {}{} tokens long and {} takes {}: nothing was asked. `nightlight "
                    "ask research FILE... \"question\"` reads it part by part, and --tier "
                    "router or frontier asks where more fits",
                    count->estimated ? "about " : "", count->tokens, count->target,
                    *count->window));
  }
  prompt.max_tokens = static_cast<std::uint32_t>(std::min<std::int64_t>(prompt.max_tokens, left));
  return count;
}

}  // namespace nl::work
