#include "standby/conversation_book.h"

#include <algorithm>
#include <functional>

#include "dialect/json.h"

namespace nl::standby {
namespace {

// A rate is believed from so many tokens on; older measurements fade.
constexpr std::int64_t kRateTokensMin = 64;
constexpr double kRateWeight = 0.4;
// A shared beginning of fewer bytes is not worth a request of its own.
constexpr std::size_t kPrefixBytesMin = 1024;
// A newer conversation waits for a job that takes no longer than this.
constexpr double kWaitSeconds = 10;
// What a window at work brings, in tokens a second: a tool's result and an answer in 20 seconds.
constexpr double kRateOfOne = 50;
// So long a place is kept for a conversation in which nothing happens.
constexpr Duration kPlaceIdle = std::chrono::minutes(3);
constexpr Duration kHoldFirst = std::chrono::seconds(5);
constexpr Duration kHoldMost = std::chrono::minutes(5);
// A first question without tools is as a rule a question alone: it is worth it once it goes on.
constexpr std::size_t kMessagesMin = 3;

void drop_thoughts(chat::Message& message) {
  std::erase_if(message.content, [](const chat::Block& block) {
    return std::holds_alternative<chat::Thinking>(block);
  });
}

// What the conversation up to its last word is, as the engine would be asked.
Result<Prompt> render(const SeenTurn& turn, const chat::KeptAnswer* answer) {
  dialect::Document document;
  const Result<void> parsed = document.parse(turn.body);
  if (!parsed) return std::unexpected(parsed.error());
  auto request = dialect::dialect(turn.dialect).decode_request(document);
  if (!request) return std::unexpected(std::move(request.error()));
  request->body_bytes = turn.body.size();
  if (answer != nullptr) {
    request->messages.push_back(answer->message());
    // Clients of this dialect have no member to send thoughts back with.
    if (turn.dialect == dialect::DialectId::openai_chat) drop_thoughts(request->messages.back());
  }
  Result<std::string> body = turn.renderer->render(*request);
  if (!body) return std::unexpected(std::move(body.error()));
  return Prompt::of(std::move(*body));
}

}  // namespace

const char* name(Point point) {
  switch (point) {
    case Point::cold:
      return "cold";
    case Point::partly:
      return "partly";
    case Point::prefix:
      return "system and tools";
    case Point::turn:
      return "last turn";
    case Point::answer:
      return "last answer";
  }
  return "cold";
}

void ConversationBook::turn_began(SeenTurn turn, Instant now) {
  Result<Prompt> whole = render(turn, nullptr);
  if (!whole) return;
  const Mark prefix = whole->prefix().mark();
  const std::uint64_t prefix_id = prefix.hash ^ whole->mark().rest;
  const std::uint64_t key = turn.conversation ^ (prefix_id * 0x9e3779b97f4a7c15ULL);
  prefixes_[prefix_id].mark = prefix;
  auto at = std::ranges::find_if(conversations_, [&](const auto& one) { return one.key == key; });
  if (at == conversations_.end()) {
    conversations_.emplace_front();
    at = conversations_.begin();
    at->key = key;
    at->prefix = prefix_id;
  } else {
    conversations_.splice(conversations_.begin(), conversations_, at);
  }
  Conversation& conversation = *at;
  dialect::Document document;
  const bool goes_on =
      document.parse(turn.body).has_value() && document.root()["messages"].size() >= kMessagesMin;
  conversation.worth_it = conversation.worth_it || goes_on || whole->has_tools();
  conversation.turn = std::move(turn);
  conversation.answer.reset();
  conversation.active = now;
  conversation.reaches = Point::turn;
  take_prompt(conversation, std::move(*whole));
  bound(now);
  assign_places(now);
}

void ConversationBook::turn_answered(const std::string& turn_id, chat::KeptAnswer answer,
                                     Instant now) {
  const auto at =
      std::ranges::find_if(conversations_, [&](const auto& one) { return one.turn.id == turn_id; });
  if (at == conversations_.end()) return;
  Conversation& conversation = *at;
  conversation.answer = std::move(answer);
  Result<Prompt> whole = render(conversation.turn, &*conversation.answer);
  if (!whole) return;
  conversation.active = now;
  conversation.reaches = Point::answer;
  take_prompt(conversation, std::move(*whole));
  conversations_.splice(conversations_.begin(), conversations_, at);
  bound(now);
  assign_places(now);
}

void ConversationBook::take_prompt(Conversation& conversation, Prompt prompt) {
  if (!conversation.warm.empty() && !prompt.begins_with(conversation.warm)) {
    // The history was rewritten: what was read of it is of use only in part, nobody can say which.
    conversation.warm = Mark();
    conversation.point = Point::partly;
    conversation.warm_tokens = 0;
  }
  conversation.prompt = std::move(prompt);
  conversation.trouble.clear();
  conversation.failures = 0;
  conversation.hold_until = Instant();
}

// Forgets what is idle, then the longest unused beyond the bounds.
void ConversationBook::bound(Instant now) {
  std::erase_if(conversations_,
                [&](const Conversation& one) { return now - one.active > limits_.idle_max; });
  while (conversations_.size() > 1 &&
         (conversations_.size() > 2 * limits_.conversations_max || bytes() > limits_.bytes_max)) {
    conversations_.pop_back();
  }
  std::erase_if(prefixes_, [&](const auto& entry) {
    return std::ranges::none_of(conversations_,
                                [&](const auto& one) { return one.prefix == entry.first; });
  });
}

std::size_t ConversationBook::capacity() const {
  if (rate_ == 0) return limits_.conversations_max;
  const auto by_rate = static_cast<std::size_t>(rate_ / kRateOfOne);
  return std::clamp<std::size_t>(by_rate, 1, limits_.conversations_max);
}

bool ConversationBook::has_place(std::uint64_t key) const {
  return std::ranges::find(places_, key) != places_.end();
}

void ConversationBook::assign_places(Instant now) {
  std::erase_if(places_, [&](std::uint64_t key) { return find(key) == nullptr; });
  const auto active = [&](std::uint64_t key) { return find(key)->active; };
  std::ranges::sort(places_, std::greater(), active);
  if (places_.size() > capacity()) places_.resize(capacity());
  for (const Conversation& one : conversations_) {
    if (!one.worth_it || has_place(one.key)) continue;
    if (places_.size() < capacity()) {
      places_.push_back(one.key);
    } else if (now - active(places_.back()) > kPlaceIdle) {
      places_.back() = one.key;
    }
    std::ranges::sort(places_, std::greater(), active);
  }
}

std::vector<const ConversationBook::Conversation*> ConversationBook::ranked(Instant now) const {
  std::vector<const Conversation*> found;
  for (const Conversation& one : conversations_) {
    if (found.size() == limits_.conversations_max) break;
    if (!one.worth_it || now - one.active > limits_.idle_max) continue;
    // A server that takes the window from the request would load its model anew for each other one.
    if (!found.empty() && one.prompt.window() != found.front()->prompt.window()) continue;
    found.push_back(&one);
  }
  std::ranges::stable_partition(found,
                                [&](const Conversation* one) { return has_place(one->key); });
  return found;
}

std::vector<ConversationBook::Conversation*> ConversationBook::ranked(Instant now) {
  std::vector<Conversation*> found;
  for (const Conversation* one : static_cast<const ConversationBook*>(this)->ranked(now)) {
    found.push_back(find(one->key));
  }
  return found;
}

const ConversationBook::Conversation* ConversationBook::find(std::uint64_t key) const {
  const auto at =
      std::ranges::find_if(conversations_, [&](const auto& one) { return one.key == key; });
  return at == conversations_.end() ? nullptr : &*at;
}

ConversationBook::Conversation* ConversationBook::find(std::uint64_t key) {
  return const_cast<Conversation*>(static_cast<const ConversationBook*>(this)->find(key));
}

bool ConversationBook::waits(const Conversation& conversation, Instant now) const {
  return conversation.warm != conversation.prompt.mark() && conversation.hold_until <= now;
}

std::optional<Job> ConversationBook::next(Instant now) {
  job_tokens_ = job_read_ = 0;
  const std::vector<Conversation*> live = ranked(now);
  for (Conversation* one : live) {
    const Prefix& prefix = prefixes_[one->prefix];
    const bool begun = prefix.read || prefix.refused || one->point != Point::cold;
    if (begun || !waits(*one, now) || prefix.mark.bytes < kPrefixBytesMin) continue;
    if (!refresh(*one)) continue;
    return Job{JobKind::prefix, one->prefix, one->turn.conversation, place_for(*one),
               one->prompt.prefix()};
  }
  for (Conversation* one : live) {
    if (!waits(*one, now)) continue;
    if (refresh(*one))
      return Job{JobKind::conversation, one->key, one->turn.conversation, place_for(*one),
                 one->prompt};
  }
  return std::nullopt;
}

Place ConversationBook::place_for(const Conversation& conversation) const {
  const bool first = conversation.point == Point::cold || conversation.point == Point::prefix;
  const bool others = std::ranges::any_of(conversations_, [&](const Conversation& one) {
    return one.key != conversation.key && one.point != Point::cold && one.point != Point::prefix;
  });
  return first && others ? Place::empty : Place::any;
}

// The prompt's text is dropped once it was read, and made anew when it is needed again.
bool ConversationBook::refresh(Conversation& conversation) {
  if (!conversation.prompt.body().empty()) return true;
  const chat::KeptAnswer* answer = conversation.answer ? &*conversation.answer : nullptr;
  Result<Prompt> prompt = render(conversation.turn, answer);
  if (prompt) conversation.prompt = std::move(*prompt);
  return prompt.has_value();
}

void ConversationBook::progress(const Job& job, std::int64_t read, std::int64_t tokens) {
  job_tokens_ = tokens;
  job_read_ = read;
  if (job.kind == JobKind::prefix) return;
  Conversation* conversation = find(job.key);
  if (conversation == nullptr) return;
  conversation->tokens = std::max(conversation->tokens, tokens);
  conversation->warm_tokens = std::max(conversation->warm_tokens, read);
  if (conversation->point == Point::cold && read > 0) conversation->point = Point::partly;
}

void ConversationBook::finished(const Job& job, const Outcome& outcome, Instant now) {
  if (outcome.read >= kRateTokensMin && outcome.read_ms > 0) {
    const double rate =
        static_cast<double>(outcome.read) * 1000.0 / static_cast<double>(outcome.read_ms);
    rate_ = rate_ == 0 ? rate : rate_ + kRateWeight * (rate - rate_);
    assign_places(now);
  }
  if (job.kind == JobKind::prefix) {
    Prefix& prefix = prefixes_[job.key];
    prefix.read = true;
    prefix.tokens = outcome.tokens;
    for (Conversation& one : conversations_) {
      if (one.prefix != job.key || one.point != Point::cold) continue;
      one.point = Point::prefix;
      one.warm_tokens = outcome.tokens;
      one.warm_at = now;
    }
    return;
  }
  Conversation* conversation = find(job.key);
  if (conversation == nullptr) return;
  prefixes_[conversation->prefix].read = true;
  // The conversation may have gone on meanwhile.
  if (!conversation->prompt.begins_with(job.prompt.mark()) &&
      conversation->prompt.mark() != job.prompt.mark()) {
    return;
  }
  const bool all = conversation->prompt.mark() == job.prompt.mark();
  conversation->warm = job.prompt.mark();
  conversation->warm_at = now;
  conversation->warm_tokens = outcome.tokens;
  conversation->tokens = outcome.tokens;
  conversation->point = all ? conversation->reaches : Point::turn;
  if (all) conversation->prompt.drop_body();
}

void ConversationBook::failed(const Job& job, const Error& error, Instant now) {
  if (job.kind == JobKind::prefix) {
    prefixes_[job.key].refused = true;
    return;
  }
  Conversation* conversation = find(job.key);
  if (conversation == nullptr) return;
  const int doublings = std::min(conversation->failures++, 10);
  conversation->hold_until = now + std::min(kHoldMost, kHoldFirst * (1 << doublings));
  conversation->trouble = error.message.substr(0, 160);
}

void ConversationBook::interrupted(const Job& job) {
  if (job.kind == JobKind::prefix) return;
  Conversation* conversation = find(job.key);
  if (conversation == nullptr || job_read_ == 0) return;
  if (conversation->point == Point::cold || conversation->point == Point::prefix) {
    conversation->point = Point::partly;
  }
}

bool ConversationBook::outdated(const Job& job, Instant now) const {
  if (job.kind == JobKind::prefix) return !prefixes_.contains(job.key);
  const Conversation* mine = find(job.key);
  if (mine == nullptr) return true;
  const bool same = mine->prompt.mark() == job.prompt.mark();
  if (!same && !mine->prompt.begins_with(job.prompt.mark())) return true;
  if (rate_ == 0 || job_tokens_ == 0) return false;
  const double left = static_cast<double>(job_tokens_ - job_read_) / rate_;
  if (left < kWaitSeconds) return false;
  for (const Conversation* one : ranked(now)) {
    if (one == mine) return false;
    if (waits(*one, now)) return true;
  }
  return false;
}

void ConversationBook::forget_warm() {
  for (auto& [id, prefix] : prefixes_) prefix.read = false;
  for (Conversation& one : conversations_) {
    one.warm = Mark();
    one.point = Point::cold;
    one.warm_tokens = 0;
    one.failures = 0;
    one.hold_until = Instant();
  }
}

void ConversationBook::doubt_warm() {
  for (Conversation& one : conversations_) one.warm = Mark();
}

std::vector<ConversationState> ConversationBook::states(Instant now) const {
  std::vector<ConversationState> all;
  for (const Conversation* one : ranked(now)) {
    ConversationState state;
    state.client = one->turn.client;
    state.point = one->point;
    state.tokens = std::max(one->tokens, one->warm_tokens);
    state.warm_tokens = one->warm_tokens;
    state.idle = now - one->active;
    state.warm_for = one->warm_at == Instant() ? Duration() : now - one->warm_at;
    state.trouble = one->trouble;
    all.push_back(std::move(state));
  }
  return all;
}

std::optional<Instant> ConversationBook::retry_at() const {
  std::optional<Instant> at;
  for (const Conversation& one : conversations_) {
    if (one.hold_until == Instant() || one.warm == one.prompt.mark()) continue;
    at = std::min(at.value_or(one.hold_until), one.hold_until);
  }
  return at;
}

bool ConversationBook::has_tool_conversation(Instant now) const {
  return std::ranges::any_of(ranked(now),
                             [](const Conversation* one) { return one->prompt.has_tools(); });
}

std::size_t ConversationBook::bytes() const {
  std::size_t sum = 0;
  for (const Conversation& one : conversations_) {
    sum += one.turn.body.size() + one.prompt.body().size();
    if (one.answer) sum += one.answer->bytes();
  }
  return sum;
}

}  // namespace nl::standby
