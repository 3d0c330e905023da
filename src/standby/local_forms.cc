#include "standby/local_forms.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "chat/senses.h"
#include "standby/prefix.h"
#include "standby/summary.h"

namespace nl::standby {
namespace {

constexpr std::int64_t kMarginShare = 32;  // of a window, for what templates add
constexpr std::size_t kBytesPerToken = 3;
constexpr std::size_t kModelsMax = 16;
constexpr std::int64_t kCountBytesMin = 256;            // smaller texts are estimated well enough
constexpr std::size_t kTranscriptBytesMax = 24 * 1024;  // a slow CPU reads it in two minutes
constexpr std::size_t kSummaryBytesMax = 16 * 1024;
constexpr std::size_t kNewMessages = 8;  // a summary is made anew after so many more

Weight weight_of_messages(const std::vector<chat::Message>& messages, const TokenCounts& counts,
                          const FormRules& rules) {
  Weight whole;
  for (const chat::Message& message : messages) {
    const Weight one = weight_of(message, counts, rules);
    whole.tokens += one.tokens;
    whole.exact = whole.exact && one.exact;
  }
  return whole;
}

Weight weight_of_all(const chat::Request& request, const TokenCounts& counts,
                     const FormRules& rules) {
  Weight whole = weight_of_messages(request.messages, counts, rules);
  const Weight frame = weight_of_frame(request, counts);
  whole.tokens += frame.tokens;
  whole.exact = whole.exact && frame.exact;
  return whole;
}

enum class Written : std::uint8_t {
  escaped,  // the inside of a JSON string
  json,     // a value
};

// Visits every text of a request whose size may matter.
template <typename Take>
void for_each_text(const chat::Request& request, Take take) {
  const auto text = [&take](const chat::JsonText& one) { take(one.escaped, Written::escaped); };
  const auto json = [&take](const chat::JsonRaw& one) { take(one.json, Written::json); };
  for (const chat::Text& part : request.system) text(part.text);
  for (const chat::Tool& tool : request.tools) {
    text(tool.description);
    json(tool.schema);
  }
  for (const chat::Message& message : request.messages) {
    for (const chat::Block& block : message.content) {
      if (const auto* words = std::get_if<chat::Text>(&block)) text(words->text);
      if (const auto* thought = std::get_if<chat::Thinking>(&block)) text(thought->text);
      if (const auto* found = std::get_if<chat::ToolResult>(&block)) {
        for (const chat::ResultPart& part : found->content) {
          if (const auto* words = std::get_if<chat::Text>(&part)) text(words->text);
        }
      }
      if (const auto* call = std::get_if<chat::ToolUse>(&block)) {
        json(call->input);
        text(call->input_text);
      }
    }
  }
}

void add_loss(std::string& out, int count, std::string_view one, std::string_view many) {
  if (count == 0) return;
  out += fmt::format("{}{} {}", out.empty() ? "" : ", ", count, count == 1 ? one : many);
}

std::string told(const Losses& losses, int gone, std::size_t tools) {
  std::string out;
  add_loss(out, losses.results, "tool result shortened", "tool results shortened");
  add_loss(out, losses.texts, "text shortened", "texts shortened");
  add_loss(out, losses.thoughts, "thought left out", "thoughts left out");
  add_loss(out, losses.images, "image left out", "images left out");
  add_loss(out, gone, "message summarised", "messages summarised");
  add_loss(out, static_cast<int>(tools), "tool left out", "tools left out");
  return out;
}

void add(Losses& sum, const Losses& more) {
  sum.results += more.results;
  sum.thoughts += more.thoughts;
  sum.images += more.images;
  sum.texts += more.texts;
}

// What stays in the request and is only a note to a model that lacks the sense for it.
void tell_unperceived(chat::FormedRequest& formed, const chat::LocalTarget& target) {
  std::string& out = formed.note.dropped;
  const int images = target.images ? 0 : chat::images_in(formed.request);
  const int sounds = target.sound ? 0 : chat::sounds_in(formed.request);
  add_loss(out, images, "image not seen", "images not seen");
  add_loss(out, sounds, "sound not heard", "sounds not heard");
}

// How many there were: a client may offer other tools than when the names were chosen.
std::size_t take_out_tools(chat::Request& request, const std::vector<std::string>& names) {
  std::string list;
  const std::size_t count = std::erase_if(request.tools, [&](const chat::Tool& tool) {
    if (std::ranges::find(names, tool.name.escaped) == names.end()) return false;
    if (must_be_called(request, tool)) return false;
    list += list.empty() ? "" : ", ";
    list += tool.name.escaped;
    return true;
  });
  if (count == 0) return 0;
  chat::Text note;
  note.text = {request.keep("Tools that exist but are not offered here to save room: " + list)};
  request.system.push_back(note);
  return count;
}

}  // namespace

const Profile& LocalForms::profile_of(std::string_view client_agent) const {
  static const Profile as_sent;
  if (settings_.rendering == Rendering::as_sent) return as_sent;
  return profile_for(settings_.profiles, client_agent);
}

LocalForms::Work LocalForms::begin(const chat::LocalFormInput& input) const {
  Work work;
  work.profile = &profile_of(input.client_agent);
  if (settings_.rendering == Rendering::profiled) {
    work.request = profiled(input.request, *work.profile);
  } else {
    work.request = input.request;
    work.request.arena.clear();
  }
  const chat::LocalTarget& target = input.target;
  if (!target.tools_allowed.empty()) {
    std::erase_if(work.request.tools, [&target](const chat::Tool& tool) {
      return std::ranges::find(target.tools_allowed, tool.name.utf8()) ==
             target.tools_allowed.end();
    });
  }
  const auto window = static_cast<std::size_t>(target.window_tokens);
  const std::size_t most = window / 4 * kBytesPerToken;
  work.rules.arriving = {most * 2 / 3, most / 3};
  work.rules.images = target.images;
  work.budget.tokens =
      target.window_tokens - target.reply_tokens - target.window_tokens / kMarginShare;
  return work;
}

LocalForms::Conversation& LocalForms::conversation_of(const chat::LocalFormInput& input) {
  const auto known =
      std::ranges::find_if(conversations_, [&input](const Conversation& conversation) {
        return conversation.id == input.conversation && conversation.model == input.target.model &&
               conversation.window == input.target.window_tokens;
      });
  if (known != conversations_.end()) {
    conversations_.splice(conversations_.begin(), conversations_, known);
    return conversations_.front();
  }
  Conversation& made = conversations_.emplace_front();
  made.id = input.conversation;
  made.model = input.target.model;
  made.window = input.target.window_tokens;
  if (conversations_.size() > kConversations) conversations_.pop_back();
  return made;
}

bool LocalForms::begins_with(const Work& work, std::uint64_t prefix, std::size_t messages) {
  return messages < work.prefixes.size() && work.prefixes[messages] == prefix;
}

// The latest that was decided for what this conversation begins with.
const Step* LocalForms::known_step(const Conversation& conversation, const Work& work) const {
  const Kept* best = nullptr;
  for (const Kept& kept : conversation.steps) {
    const std::size_t messages = kept.step.levels.size();
    if (!begins_with(work, kept.prefix, messages)) continue;
    if (best == nullptr || messages > best->step.levels.size()) best = &kept;
  }
  return best == nullptr ? nullptr : &best->step;
}

const Step& LocalForms::new_step(Conversation& conversation, const Work& work,
                                 const TokenCounts& counts) {
  CompactionInput input{work.request, counts, work.rules, work.budget, {}, nullptr};
  for (const std::string& name : work.profile->core_tools) input.core_tools.push_back(name);
  for (const Made& made : conversation.made) {
    if (made.summary.text.empty() || !begins_with(work, made.prefix, made.summary.messages))
      continue;
    const bool longer = input.summary == nullptr || made.summary.messages > input.summary->messages;
    if (longer) input.summary = &made.summary;
  }
  conversation.steps.push_front({work.prefixes.back(), make_step(input)});
  if (conversation.steps.size() > kStepsKept) conversation.steps.pop_back();
  return conversation.steps.front().step;
}

// From half of the window on the oldest part is summarised ahead of time.
void LocalForms::want_summary(Conversation& conversation, const Work& work, const Weight& whole) {
  if (whole.tokens < work.budget.tokens / 2) return;
  const std::vector<Exchange> exchanges = exchanges_of(work.request);
  if (exchanges.size() < 4) return;
  const std::size_t messages = exchanges[exchanges.size() - 3].end;
  // A side branch of the conversation has summaries of its own.
  std::size_t before = 0;
  const auto look = [&](std::uint64_t prefix, std::size_t covered) {
    if (begins_with(work, prefix, covered)) before = std::max(before, covered);
  };
  if (conversation.wanted) look(conversation.wanted->prefix, conversation.wanted->messages);
  if (conversation.asked) look(conversation.asked->prefix, conversation.asked->summary.messages);
  for (const Made& made : conversation.made) look(made.prefix, made.summary.messages);
  const bool grown = messages >= before + kNewMessages || messages < before;
  if (before != 0 && !grown) return;
  std::vector<const chat::Message*> old;
  for (std::size_t i = 0; i < messages; ++i) old.push_back(&work.request.messages[i]);
  const auto room = static_cast<std::size_t>(work.budget.tokens) * kBytesPerToken / 2;
  conversation.wanted = Wanted{work.prefixes[messages], messages,
                               summary_request(old, std::min(room, kTranscriptBytesMax))};
}

chat::FormedRequest LocalForms::finish(Work work, const Step* step,
                                       const TokenCounts& counts) const {
  chat::FormedRequest formed;
  formed.request = std::move(work.request);
  formed.note.profile = work.profile->name;
  chat::Request& request = formed.request;
  std::vector<chat::Message> messages;
  Losses losses;
  int gone = 0;
  for (std::size_t i = 0; i < request.messages.size(); ++i) {
    const chat::Message& message = request.messages[i];
    const bool decided = step != nullptr && i < step->levels.size();
    const Level level = decided ? step->levels[i] : Level::whole;
    if (level == Level::gone) {
      if (gone++ > 0) continue;
      chat::Text text;
      text.text = {request.keep(summary_message(step->summary))};
      chat::Message summary;
      summary.content.emplace_back(text);
      messages.push_back(std::move(summary));
      continue;
    }
    add(losses, losses_of(message, level, work.rules));
    messages.push_back(at_level(message, level, work.rules, request));
  }
  request.messages = std::move(messages);
  const std::size_t tools = step == nullptr ? 0 : take_out_tools(request, step->tools_out);
  formed.note.dropped = told(losses, gone, tools);
  const Weight after = weight_of_all(request, counts, work.rules);
  formed.note.tokens_after = after.tokens;
  formed.note.exact = after.exact;
  if (after.tokens > work.budget.tokens) formed.fit = chat::Fit::too_large;
  return formed;
}

chat::FormedRequest LocalForms::fit(const chat::LocalFormInput& input, Work work,
                                    const TokenCounts& counts) {
  Prefix prefix;
  work.prefixes.push_back(prefix.value);
  for (const chat::Message& message : input.request.messages) {
    prefix.take(message);
    work.prefixes.push_back(prefix.value);
  }
  Conversation& conversation = conversation_of(input);
  want_summary(conversation, work, weight_of_all(work.request, counts, work.rules));
  const Step* known = known_step(conversation, work);
  const Budget budget = work.budget;
  // Where little could be left out, only the whole window calls for the next step.
  const bool low = known == nullptr || known->reached <= budget.high() - budget.tokens / 10;
  const std::int64_t mark = low ? budget.high() : budget.tokens;
  Work again = work;
  chat::FormedRequest formed = finish(std::move(work), known, counts);
  if (formed.note.tokens_after <= mark) return formed;
  const Step& step = new_step(conversation, again, counts);
  chat::FormedRequest smaller = finish(std::move(again), &step, counts);
  // Its unchanged views point into what the first one owns.
  smaller.request.arena.splice(smaller.request.arena.end(), formed.request.arena);
  return smaller;
}

// Whoever names a target names its model as well, so there may be any number of names.
TokenCounts& LocalForms::counts_of(std::string_view model) {
  const auto known = counts_.find(model);
  if (known != counts_.end()) return known->second;
  if (counts_.size() >= kModelsMax) counts_.clear();
  return counts_[std::string(model)];
}

chat::FormedRequest LocalForms::form(const chat::LocalFormInput& input) {
  const std::lock_guard lock(mutex_);
  const TokenCounts& counts = counts_of(input.target.model);
  Work work = begin(input);
  const std::int64_t before = weight_of_all(input.request, counts, work.rules).tokens;
  const bool fitted = input.target.window_tokens > 0 && settings_.fitting == Fitting::compact;
  chat::FormedRequest formed;
  if (fitted) {
    formed = fit(input, std::move(work), counts);
  } else {
    const Weight after = weight_of_all(work.request, counts, work.rules);
    formed.note.profile = work.profile->name;
    formed.note.tokens_after = after.tokens;
    formed.note.exact = after.exact;
    formed.request = std::move(work.request);
  }
  formed.note.tokens_before = before;
  tell_unperceived(formed, input.target);
  return formed;
}

std::vector<chat::Uncounted> LocalForms::uncounted(const chat::LocalFormInput& input,
                                                   std::size_t most) {
  const std::lock_guard lock(mutex_);
  const TokenCounts& counts = counts_of(input.target.model);
  std::vector<chat::Uncounted> wanted;
  if (input.target.window_tokens <= 0 || settings_.fitting == Fitting::off) return wanted;
  const Work work = begin(input);
  const Weight whole = weight_of_all(work.request, counts, work.rules);
  if (whole.exact || whole.tokens < work.budget.tokens / 2) return wanted;
  for_each_text(work.request, [&](std::string_view text, Written written) {
    if (static_cast<std::int64_t>(text.size()) < kCountBytesMin) return;
    if (counts.of(text).exact) return;
    wanted.push_back(
        {text_key(text), written == Written::json ? chat::escape(text) : std::string(text)});
  });
  const auto larger = [](const chat::Uncounted& a, const chat::Uncounted& b) {
    return a.escaped.size() > b.escaped.size();
  };
  std::ranges::stable_sort(wanted, larger);
  if (wanted.size() > most) wanted.resize(most);
  return wanted;
}

void LocalForms::count(std::string_view model, std::uint64_t key, std::int64_t tokens) {
  const std::lock_guard lock(mutex_);
  counts_of(model).learn(key, tokens);
}

void LocalForms::measured(std::string_view model, std::int64_t stated, std::int64_t counted) {
  const std::lock_guard lock(mutex_);
  counts_of(model).correct(stated, counted);
}

std::optional<chat::IdleWork> LocalForms::idle_work(std::string_view model) {
  const std::lock_guard lock(mutex_);
  for (Conversation& conversation : conversations_) {
    if (!conversation.wanted || conversation.model != model) continue;
    chat::IdleWork work;
    work.conversation = conversation.id;
    work.mark = conversation.wanted->prefix;
    work.request = std::move(conversation.wanted->request);
    conversation.asked = Made{conversation.wanted->prefix, {conversation.wanted->messages, {}}};
    conversation.wanted.reset();
    return work;
  }
  return std::nullopt;
}

void LocalForms::finish_idle(const chat::IdleWork& work, std::string_view summary) {
  const std::lock_guard lock(mutex_);
  for (Conversation& conversation : conversations_) {
    if (conversation.id != work.conversation || !conversation.asked) continue;
    if (conversation.asked->prefix != work.mark) continue;
    Made& made = conversation.made.emplace_front(std::move(*conversation.asked));
    conversation.asked.reset();
    made.summary.text = chat::escape(summary.substr(0, kSummaryBytesMax));
    if (conversation.made.size() > kStepsKept) conversation.made.pop_back();
  }
}

void LocalForms::return_idle(chat::IdleWork work) {
  const std::lock_guard lock(mutex_);
  for (Conversation& conversation : conversations_) {
    const std::optional<Made>& asked = conversation.asked;
    if (conversation.id != work.conversation || !asked || asked->prefix != work.mark) continue;
    // A longer one may be wanted by now.
    if (!conversation.wanted) {
      conversation.wanted = Wanted{work.mark, asked->summary.messages, std::move(work.request)};
    }
    conversation.asked.reset();
    return;
  }
}

}  // namespace nl::standby
