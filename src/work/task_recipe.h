// A task built on a recipe: asked in the words in which `ask` asks.
//
// The recipe's texts are copied into the task, as examples are: the task stays as it was when the
// recipe changes. Pure, but for the mark around mails.
#pragma once

#include "base/error.h"
#include "work/recipe.h"
#include "work/task.h"

namespace nl::work {

// `task.prompt` holds the words of whoever asks, or nothing. What the task says already stays; the
// rest is the recipe's. Errors: config (words are missing; research, which is no single question).
Result<void> build_on(Task& task, const Recipe& recipe);

}  // namespace nl::work
