#include <algorithm>
#include <array>
#include <span>
#include <string>

#include "router/planner.h"

namespace nl::router {

namespace {

// All rules here say nothing rather than something wrong: without a label a request walks the tiers
// as if there were no task targets, which costs money at most.
constexpr std::int64_t kSweepTokens = 200'000;    // more than most windows
constexpr std::int64_t kSummaryTokens = 400;      // less is a question about summaries, not a text
constexpr std::int64_t kBackgroundTokens = 4096;  // a title call shows the client's last turns
constexpr std::int64_t kShortAnswer = 512;
constexpr std::int64_t kProbeTokens = 64;
constexpr std::size_t kInstructionWords = 14;

using Words = std::span<const std::string_view>;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

bool is_letter(char c) {
  return c >= 'a' && c <= 'z';
}

// Whether one of `stems` begins a word of `text` (lower case).
bool begins_word(std::string_view text, Words stems) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (at > 0 && is_letter(text[at - 1])) continue;
    const std::string_view rest = text.substr(at);
    for (const std::string_view stem : stems) {
      if (rest.front() == stem.front() && rest.starts_with(stem)) return true;
    }
  }
  return false;
}

bool contains(std::string_view text, Words phrases) {
  return std::any_of(phrases.begin(), phrases.end(), [text](std::string_view phrase) {
    return text.find(phrase) != std::string_view::npos;
  });
}

// The first `count` words, which is where an instruction stands.
std::string_view first_words(std::string_view text, std::size_t count) {
  std::size_t at = 0;
  while (at < text.size() && count > 0) {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\n')) ++at;
    while (at < text.size() && text[at] != ' ' && text[at] != '\n') ++at;
    --count;
  }
  return text.substr(0, at);
}

bool is_small_model(std::string_view model) {
  static constexpr std::array<std::string_view, 4> kMarks = {"haiku", "-mini", "-nano", "lite"};
  if (!contains(model, kMarks)) return false;
  return glob_match("*claude-haiku-*", model) || glob_match("*claude-*-haiku*", model) ||
         glob_match("*-mini", model) || glob_match("*-mini-20*", model) ||
         glob_match("*-nano", model) || glob_match("*-nano-20*", model) ||
         glob_match("*flash-lite*", model);
}

// Calls that a client makes for itself: titles, topics, quota probes, its small-model slot.
bool is_background(const RequestFacts& facts) {
  static constexpr std::array<std::string_view, 12> kErrands = {"title",
                                                                "new conversation topic",
                                                                "new topic",
                                                                "topic of",
                                                                "slug",
                                                                "branch name",
                                                                "commit message",
                                                                "emoji",
                                                                "follow-up quest",
                                                                "suggest tags",
                                                                "generate tags",
                                                                "autocomplete"};
  static constexpr std::array<std::string_view, 9> kMaking = {"generate", "write",   "create",
                                                              "extract",  "summari", "produce",
                                                              "suggest",  "analyze", "come up"};
  if (facts.max_tokens == 1 && facts.input_tokens <= kProbeTokens) return true;
  if (facts.turns > 4 || facts.input_tokens > kBackgroundTokens * 2) return false;
  const bool small = is_small_model(facts.model);
  const bool brief = facts.max_tokens > 0 && facts.max_tokens <= kShortAnswer;
  if (!small && !brief) return false;
  const bool bounded = facts.max_tokens > 0 && facts.max_tokens <= kBackgroundTokens;
  if (small && bounded && facts.turns <= 1 && facts.input_tokens <= kBackgroundTokens) return true;
  const std::string instruction = lowered(first_words(facts.system_start, kInstructionWords * 3));
  return begins_word(instruction, kErrands) && begins_word(instruction, kMaking);
}

bool is_diff(std::string_view text) {
  if (text.find("diff --git ") != std::string_view::npos) return true;
  return text.find("@@ -") != std::string_view::npos && text.find(" @@") != std::string_view::npos;
}

// What a person wrote around a diff: the lines that are not the diff's own.
std::string around_diff(std::string_view text) {
  std::string prose;
  bool inside = false;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const bool of_diff =
        line.starts_with("diff ") || line.starts_with("index ") || line.starts_with("@@") ||
        line.starts_with("--- ") || line.starts_with("+++ ") ||
        (inside &&
         (line.empty() || line.front() == '+' || line.front() == '-' || line.front() == ' '));
    inside = of_diff;
    if (!of_diff) prose.append(line).push_back('\n');
  }
  return prose;
}

bool is_code_review(const RequestFacts& facts) {
  static constexpr std::array<std::string_view, 9> kReview = {
      "review",    "lgtm",       "critique",
      "feedback",  "look over",  "spot bugs",
      "find bugs", "any issues", "what is wrong with this"};
  static constexpr std::array<std::string_view, 8> kOther = {
      "review comment", "reviewer asked", "address the",    "apply th",
      "implement",      "fix the",        "commit message", "changelog"};
  static constexpr std::array<std::string_view, 4> kReviewer = {
      "code review", "code-review", "review code", "pull request reviewer"};
  if (!is_diff(facts.last_user)) return false;
  const std::string prose = around_diff(lowered(facts.last_user));
  if (contains(prose, kOther)) return false;
  return begins_word(prose, kReview) || contains(lowered(facts.system_start), kReviewer);
}

bool is_summary(std::string_view user) {
  static constexpr std::array<std::string_view, 9> kSummary = {
      "summari", "summary",       "tl;dr",       "tldr",      "condense",
      "sum up",  "in a nutshell", "main points", "key points"};
  // More than one text's content in fewer words: work on code, or across several documents.
  static constexpr std::array<std::string_view, 16> kMore = {
      "code",      "function", "script",   "program", "implement", "compare",
      "translate", "explain",  "evaluate", "solve",   "write a",   "question",
      "across",    "articles", "papers",   "sources"};
  std::string_view instruction = first_words(user, kInstructionWords);
  if (begins_word(instruction, kSummary)) return !begins_word(instruction, kMore);
  // The instruction may stand below the text.
  const std::string_view tail = user.substr(user.size() - std::min<std::size_t>(user.size(), 200));
  const std::size_t line = tail.rfind('\n');
  if (line == std::string_view::npos) return false;
  instruction = tail.substr(line + 1);
  return begins_word(instruction, kSummary) && !begins_word(instruction, kMore);
}

}  // namespace

std::span<const std::string_view> task_labels() {
  static constexpr std::array<std::string_view, 14> kLabels = {"agentic_tool_use",
                                                               "complex_reasoning",
                                                               "code_generation",
                                                               "code_review",
                                                               "code_debug",
                                                               "summarisation",
                                                               "drafting_email",
                                                               "extraction_classification",
                                                               "research_synthesis",
                                                               "brainstorm_creative",
                                                               "translation",
                                                               "chat_qa",
                                                               "vision",
                                                               "background_utility"};
  return kLabels;
}

std::string_view task_label(const RequestFacts& facts) {
  if (!facts.task.empty()) return facts.task;
  // Tools mean an agent at work, images mean sight: no task target is chosen for either.
  if (facts.tools || facts.images) return {};
  if (is_background(facts)) return "background_utility";
  if (facts.structured) return {};
  if (is_code_review(facts)) return "code_review";
  if (facts.input_tokens > kSweepTokens) return "research_synthesis";
  const bool text_in_question = facts.input_tokens >= kSummaryTokens && facts.turns <= 1;
  if (text_in_question && is_summary(lowered(facts.last_user))) return "summarisation";
  return {};
}

}  // namespace nl::router
