#include "work/grade.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

namespace nl::work {
namespace {

constexpr std::size_t kPromptShown = 600;

Better better_of(Side side) {
  return side == Side::local ? Better::local : Better::cloud;
}

// `winner` is better; whether the other one is good enough too.
enum class Loser : std::uint8_t { fails, serves };

Opinion won_by(Side winner, Loser loser) {
  const bool both = loser == Loser::serves;
  return {better_of(winner), both || winner == Side::local, both || winner == Side::cloud};
}

constexpr Opinion kAllGood{Better::same, true, true};
constexpr Opinion kNoneGood{Better::same, false, false};

std::optional<Opinion> opinion_on_both(const Entry& entry, std::string_view grade) {
  if (grade == "same") return kAllGood;
  if (grade == "none") return kNoneGood;
  const Loser loser = grade.ends_with(",ok") ? Loser::serves : Loser::fails;
  if (loser == Loser::serves) grade.remove_suffix(3);
  if (grade == "a") return won_by(entry.first, loser);
  if (grade == "b") return won_by(other(entry.first), loser);
  return std::nullopt;
}

std::optional<Opinion> opinion_on_local(std::string_view grade) {
  if (grade == "ok") return Opinion{Better::local, true, false};
  if (grade == "no") return kNoneGood;
  return std::nullopt;
}

std::string lowered(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  while (!lower.empty() && (lower.back() == ' ' || lower.back() == '\r')) lower.pop_back();
  return lower;
}

// Asks until one of `keys` comes; the key, or nothing at the end of what is said.
std::optional<char> asked(const GradeTalk& talk, std::string_view question, std::string_view keys) {
  for (;;) {
    talk.say(question);
    const auto line = talk.hear();
    if (!line) return std::nullopt;
    const std::string word = lowered(*line);
    if (word.size() == 1 && keys.find(word.front()) != std::string_view::npos) return word.front();
    talk.say(fmt::format("please type one of {}\n", fmt::join(keys, ", ")));
  }
}

std::string shown(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  // Not inside a character.
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U) --most;
  return std::string(text.substr(0, most)) + " ...";
}

TalkGoes grade_local_alone(Entry& entry, const GradeTalk& talk) {
  talk.say(fmt::format("\n--- the local answer (no cloud answered: {}) ---\n{}\n\n",
                       entry.cloud.trouble, entry.local.answer));
  const auto key =
      asked(talk, "Good enough for this task?  y = yes, n = no, s = skip, q = stop: ", "ynsq");
  if (!key || *key == 'q') return TalkGoes::ends;
  if (*key != 's') entry.user = opinion_on_local(*key == 'y' ? "ok" : "no");
  return TalkGoes::on;
}

TalkGoes grade_both(Entry& entry, const GradeTalk& talk) {
  talk.say(fmt::format("\n--- A ---\n{}\n\n--- B ---\n{}\n\n", entry.leg(entry.first).answer,
                       entry.leg(other(entry.first)).answer));
  const auto key = asked(talk,
                         "Which is better?  1 = A, 2 = no difference, 3 = B, n = neither is good "
                         "enough, s = skip, q = stop: ",
                         "123nsq");
  if (!key || *key == 'q') return TalkGoes::ends;
  if (*key == 's') return TalkGoes::on;
  if (*key == '2' || *key == 'n') {
    entry.user = *key == '2' ? kAllGood : kNoneGood;
    return TalkGoes::on;
  }
  const Side winner = *key == '1' ? entry.first : other(entry.first);
  const auto serves =
      asked(talk,
            fmt::format("Is {} good enough for this task as well?  y = yes, n = no: ",
                        *key == '1' ? 'B' : 'A'),
            "yn");
  if (!serves) return TalkGoes::ends;
  entry.user = won_by(winner, *serves == 'y' ? Loser::serves : Loser::fails);
  return TalkGoes::on;
}

}  // namespace

Gradable gradable(const Entry& entry) {
  if (!entry.local.answered()) return Gradable::nothing;
  return entry.cloud.answered() ? Gradable::both : Gradable::local_alone;
}

Result<void> apply_grade(TaskRun& run, std::string_view word) {
  const std::size_t equals = word.find('=');
  const std::string_view id = word.substr(0, equals);
  const auto entry = std::find_if(run.entries.begin(), run.entries.end(),
                                  [&](const Entry& one) { return one.id() == id; });
  if (equals == std::string_view::npos || entry == run.entries.end()) {
    return fail(ErrorCode::config,
                fmt::format("\"{}\" grades nothing of run {}: write TASK.N=GRADE, as {}=same", word,
                            run.id, run.entries.empty() ? "mail.1" : run.entries.front().id()));
  }
  const std::string grade = lowered(word.substr(equals + 1));
  std::optional<Opinion> opinion;
  std::string_view allowed;
  switch (gradable(*entry)) {
    case Gradable::both:
      opinion = opinion_on_both(*entry, grade);
      allowed = "a, b, a,ok, b,ok, same or none";
      break;
    case Gradable::local_alone:
      opinion = opinion_on_local(grade);
      allowed = "ok or no, as no cloud answered";
      break;
    case Gradable::nothing:
      return fail(ErrorCode::config,
                  fmt::format("{} cannot be graded: the local tier did not answer ({})", id,
                              entry->local.trouble));
  }
  if (!opinion) {
    return fail(ErrorCode::config,
                fmt::format("\"{}\" is no grade for {}: use {}", grade, id, allowed));
  }
  entry->user = opinion;
  return {};
}

TalkGoes grade_entry(Entry& entry, const GradeTalk& talk) {
  const Gradable what = gradable(entry);
  if (what == Gradable::nothing) return TalkGoes::on;
  talk.say(fmt::format("\n=== {} ({}) ===\n{}\n", entry.id(), entry.title,
                       shown(entry.prompt, kPromptShown)));
  return what == Gradable::both ? grade_both(entry, talk) : grade_local_alone(entry, talk);
}

}  // namespace nl::work
