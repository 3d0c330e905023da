// MailJudgement: what a model says of one mail, and the question that makes it say so.
//
// A mail is a stranger's text. In the question it stands between marks that no mail can guess, as
// something to be judged and not obeyed; in the answer only known words, one line and plain text
// are taken, so that the worst that a mail can do is to be judged wrongly. Pure, except for the
// marks' randomness; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "documents/mailbox.h"
#include "work/endpoint.h"
#include "work/recipe.h"

namespace nl::work {

enum class Urgency : std::uint8_t { now, soon, later, none };
enum class MailCategory : std::uint8_t {
  question,
  request,
  problem,
  meeting,
  money,
  information,
  newsletter,
  personal,
  suspicious,
  other,
};

// The stable words, as in the answer and in JSON.
const char* name(Urgency urgency);
const char* name(MailCategory category);

struct MailJudgement {
  Urgency urgency = Urgency::none;
  MailCategory category = MailCategory::other;
  std::string summary;          // one line, safe to show
  std::string suggested_reply;  // lines, safe to show; empty = none is needed
};

struct MailQuestion {
  std::string instructions;  // the user's own, in front of the fixed ones; may be empty
  std::size_t text_bytes_max = 12'000;
  std::uint32_t answer_tokens_max = 1000;
};

// A recipe's own words, to stand in front of the rules.
std::string mail_instructions(const Recipe& recipe, std::string_view words);

// What a model is told to do with a mail that stands between lines of `mark`.
std::string mail_rules(const MailQuestion& question, std::string_view mark);

// The question about `mail`. `mistake` is what was wrong with the answer before; empty the first
// time.
Prompt mail_prompt(const documents::Mail& mail, const MailQuestion& question,
                   std::string_view mistake);

// The judgement in a model's answer, fences and words around it passed over. The error's message
// says what is wrong with it, for people and for the model. Errors: not_an_answer.
Result<MailJudgement> read_judgement(std::string_view answer);

}  // namespace nl::work
