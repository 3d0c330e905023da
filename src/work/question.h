// Question: one prompt about a few documents, checked against the window of whoever would answer.
//
// What does not fit is said before anything is asked: a text that is cut in silence gives an answer
// that looks whole. Pure but for the Asker. One thread.
#pragma once

#include <string>
#include <vector>

#include "work/endpoint.h"
#include "work/recipe.h"

namespace nl::work {

struct Question {
  const Recipe& recipe;
  std::vector<documents::Document> documents;
  std::string words;
};

// The prompt of `question`; route, task and model are the caller's to set.
Prompt question_prompt(const Question& question);

// Counts the prompt and bounds its answer by what is left of the window. Errors: too_large (with
// the figures and what to do), and the Asker's. Nobody to answer is no error here: the answer says.
Result<Count> fit(Asker& asker, Prompt& prompt);

}  // namespace nl::work
