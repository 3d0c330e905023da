#include "standby/compaction.h"

#include <algorithm>
#include <array>
#include <optional>

#include "standby/summary.h"

namespace nl::standby {
namespace {

using chat::Message;
using chat::Role;

constexpr std::size_t kRecentExchanges = 3;  // stay whole as long as anything else can go
constexpr std::size_t kLatestExchanges = 2;  // are summarised last
constexpr std::int64_t kToolShare = 5;       // tools beyond budget / 5 are slimmed
constexpr std::int64_t kSummaryShare = 10;   // a summary takes at most budget / 10
constexpr std::int64_t kOpeningShare = 4;    // a first message beyond budget / 4 is shortened
constexpr std::int64_t kSummaryTokensMax = 1200;
constexpr std::size_t kBytesPerToken = 3;

bool has_results(const Message& message) {
  return std::ranges::any_of(message.content, [](const chat::Block& block) {
    return std::holds_alternative<chat::ToolResult>(block);
  });
}

bool has_own_words(const Message& message) {
  return std::ranges::any_of(message.content, [](const chat::Block& block) {
    const auto* text = std::get_if<chat::Text>(&block);
    return text != nullptr && !text->text.empty() &&
           !text->text.escaped.starts_with("<system-reminder>");
  });
}

std::size_t first_answer(const chat::Request& request) {
  const auto first = std::ranges::find(request.messages, Role::assistant, &Message::role);
  return static_cast<std::size_t>(first - request.messages.begin());
}

class Compacting {
 public:
  explicit Compacting(const CompactionInput& input);

  Step run();

 private:
  std::int64_t opening_weight() {
    std::int64_t sum = 0;
    for (std::size_t m = 0; m < opening_; ++m) sum += weight(m, step_.levels[m]);
    return sum;
  }
  bool within(std::int64_t mark) const { return total_ <= mark; }
  std::int64_t weight(std::size_t message, Level level);
  void set(std::size_t message, Level level);
  // Raises the level of every exchange in [from, to) until the total is at `mark`.
  void shorten(std::size_t from, std::size_t to, Level level, std::int64_t mark);
  void summarise(std::size_t from, std::size_t to, std::int64_t mark);
  void slim_tools(std::int64_t room);
  void tighten(std::size_t from, std::size_t to, std::int64_t mark);
  bool is_fixed(const Exchange& exchange) const {
    return exchange.begin < opening_ || (words_ >= exchange.begin && words_ < exchange.end);
  }
  bool was_called(std::string_view tool) const;
  bool is_core(std::string_view tool) const {
    return std::ranges::find(input_.core_tools, tool) != input_.core_tools.end();
  }
  std::string summary() const;
  std::int64_t summary_tokens() const {
    return std::min(input_.budget.tokens / kSummaryShare, kSummaryTokensMax);
  }

  const CompactionInput& input_;
  const std::vector<Message>& messages_;
  std::vector<Exchange> exchanges_;
  std::size_t opening_;  // messages before the first answer
  std::size_t words_;    // the user's latest
  std::vector<std::array<std::optional<std::int64_t>, 4>> weights_;
  std::int64_t total_ = 0;
  std::int64_t tools_ = 0;
  bool summarised_ = false;
  Step step_;
};

Compacting::Compacting(const CompactionInput& input)
    : input_(input),
      messages_(input.request.messages),
      exchanges_(exchanges_of(input.request)),
      opening_(first_answer(input.request)),
      words_(latest_words(input.request)),
      weights_(messages_.size()) {
  step_.levels.assign(messages_.size(), Level::whole);
  for (const chat::Tool& tool : input_.request.tools) {
    tools_ += weight_of(tool, input_.counts).tokens;
  }
  total_ = weight_of_frame(input_.request, input_.counts).tokens;
  for (std::size_t i = 0; i < messages_.size(); ++i) total_ += weight(i, Level::whole);
}

std::int64_t Compacting::weight(std::size_t message, Level level) {
  if (level == Level::gone) return 0;
  std::optional<std::int64_t>& known = weights_[message][static_cast<std::size_t>(level)];
  if (!known) {
    chat::Request scratch;
    const Message made = at_level(messages_[message], level, input_.rules, scratch);
    known = weight_of(made, input_.counts, input_.rules).tokens;
  }
  return *known;
}

void Compacting::set(std::size_t message, Level level) {
  const Level before = step_.levels[message];
  // What would save nothing stays as it is.
  const std::int64_t saved = weight(message, before) - weight(message, level);
  if (saved <= 0) return;
  total_ -= saved;
  step_.levels[message] = level;
}

void Compacting::shorten(std::size_t from, std::size_t to, Level level, std::int64_t mark) {
  for (std::size_t i = from; i < to && !within(mark); ++i) {
    for (std::size_t m = exchanges_[i].begin; m < exchanges_[i].end; ++m) {
      // The images of the user's latest words stay.
      const bool whole = m == words_ && level != Level::short_results;
      if (step_.levels[m] != Level::gone && !whole) set(m, level);
    }
  }
}

void Compacting::summarise(std::size_t from, std::size_t to, std::int64_t mark) {
  for (std::size_t i = from; i < to && !within(mark); ++i) {
    const Exchange& exchange = exchanges_[i];
    if (is_fixed(exchange)) continue;
    if (!summarised_) total_ += summary_tokens();
    summarised_ = true;
    for (std::size_t m = exchange.begin; m < exchange.end; ++m) set(m, Level::gone);
  }
}

bool Compacting::was_called(std::string_view tool) const {
  return std::ranges::any_of(messages_, [tool](const Message& message) {
    return std::ranges::any_of(message.content, [tool](const chat::Block& block) {
      const auto* call = std::get_if<chat::ToolUse>(&block);
      return call != nullptr && call->name.escaped == tool;
    });
  });
}

// The largest first; what was called or belongs to the core stays.
void Compacting::slim_tools(std::int64_t room) {
  struct Spare {
    std::int64_t tokens;
    std::string_view name;
  };
  std::vector<Spare> spare;
  for (const chat::Tool& tool : input_.request.tools) {
    const std::string_view name = tool.name.escaped;
    if (is_core(name) || was_called(name) || must_be_called(input_.request, tool)) continue;
    if (tool.kind == chat::ToolKind::vendor) continue;
    if (std::ranges::find(step_.tools_out, name) != step_.tools_out.end()) continue;
    spare.push_back({weight_of(tool, input_.counts).tokens, name});
  }
  std::ranges::stable_sort(spare, std::ranges::greater(), &Spare::tokens);
  for (const Spare& tool : spare) {
    if (tools_ <= room) return;
    const std::int64_t named = input_.counts.of(tool.name).tokens + 2;
    tools_ -= tool.tokens;
    total_ -= tool.tokens - named;
    step_.tools_out.emplace_back(tool.name);
  }
}

// Long texts outside the user's latest words to a few of theirs.
void Compacting::tighten(std::size_t from, std::size_t to, std::int64_t mark) {
  for (std::size_t m = from; m < to && !within(mark); ++m) {
    if (m == words_ || step_.levels[m] == Level::gone) continue;
    if (messages_[m].role != Role::system) set(m, Level::tight);
  }
}

std::string Compacting::summary() const {
  std::vector<const Message*> gone;
  std::size_t first = messages_.size();
  for (std::size_t m = 0; m < messages_.size(); ++m) {
    if (step_.levels[m] != Level::gone) continue;
    first = std::min(first, m);
    const bool told = input_.summary != nullptr && m < input_.summary->messages;
    if (!told) gone.push_back(&messages_[m]);
  }
  if (!summarised_) return {};
  const std::size_t bytes = static_cast<std::size_t>(summary_tokens()) * kBytesPerToken;
  if (input_.summary == nullptr || first >= input_.summary->messages) {
    return extract_summary(gone, bytes);
  }
  std::string text(beginning_of(input_.summary->text, gone.empty() ? bytes : bytes * 2 / 3));
  if (!gone.empty()) text += "\\n" + extract_summary(gone, bytes / 3);
  return text;
}

Step Compacting::run() {
  const Budget& budget = input_.budget;
  const std::size_t all = exchanges_.size();
  const std::size_t old = all - std::min(all, kRecentExchanges);
  const std::size_t spare = all - std::min(all, kLatestExchanges);
  slim_tools(budget.tokens / kToolShare);
  shorten(0, old, Level::short_results, budget.low());
  shorten(0, old, Level::bare, budget.low());
  if (opening_weight() > budget.tokens / kOpeningShare && words_ >= opening_) {
    tighten(0, opening_, budget.low());
  }
  summarise(0, spare, budget.low());
  // From here on only as much as is needed to stay away from the high mark.
  const std::int64_t enough = (budget.low() + budget.high()) / 2;
  shorten(0, all, Level::short_results, enough);
  shorten(0, all, Level::bare, enough);
  summarise(0, all - std::min<std::size_t>(all, 1), enough);
  tighten(0, messages_.size(), enough);
  if (!within(enough)) slim_tools(0);
  step_.fits = within(budget.tokens);
  step_.reached = total_;
  step_.summary = summary();
  return std::move(step_);
}

}  // namespace

std::vector<Exchange> exchanges_of(const chat::Request& request) {
  std::vector<Exchange> made;
  const std::vector<Message>& messages = request.messages;
  const std::size_t opening = first_answer(request);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const bool answers = messages[i].role == Role::assistant;
    const bool goes_on = !made.empty() && i > 0 &&
                         (answers ? messages[i - 1].role == Role::assistant
                                  : has_results(messages[i]) && i > opening);
    if (goes_on) {
      made.back().end = i + 1;
    } else {
      made.push_back({i, i + 1});
    }
  }
  return made;
}

std::size_t latest_words(const chat::Request& request) {
  for (std::size_t i = request.messages.size(); i > 0; --i) {
    const Message& message = request.messages[i - 1];
    if (message.role == Role::user && has_own_words(message)) return i - 1;
  }
  return request.messages.size();
}

Weight weight_of_frame(const chat::Request& request, const TokenCounts& counts) {
  Weight weight;
  const auto add = [&weight](const Weight& more) {
    weight.tokens += more.tokens;
    weight.exact = weight.exact && more.exact;
  };
  for (const chat::Text& text : request.system) {
    if (text.text.empty()) continue;
    const TokenCounts::Count count = counts.of(text.text.escaped);
    add({count.tokens + 2, count.exact});
  }
  for (const chat::Tool& tool : request.tools) add(weight_of(tool, counts));
  return weight;
}

bool must_be_called(const chat::Request& request, const chat::Tool& tool) {
  return request.tool_choice == chat::ToolChoice::named &&
         request.tool_choice_name.escaped == tool.name.escaped;
}

Step make_step(const CompactionInput& input) {
  return Compacting(input).run();
}

}  // namespace nl::standby
