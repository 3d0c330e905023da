// LocalForms: the forms of all conversations: profile, fit to the window, and what was decided.
//
// form() renders a client's request by its profile and fits it into the target's window. Steps of
// compaction are remembered by conversation and model, found again by what the conversation begins
// with, so the next turn's form begins with this one's bytes. Conversations beyond kConversations
// are forgotten, oldest use first. Any thread: one lock, held for a form.
#pragma once

#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "chat/local_form.h"
#include "standby/compaction.h"
#include "standby/profile.h"

namespace nl::standby {

enum class Rendering : std::uint8_t { profiled, as_sent };
enum class Fitting : std::uint8_t { compact, off };

struct LocalFormSettings {
  Rendering rendering = Rendering::profiled;
  Fitting fitting = Fitting::compact;
  std::vector<Profile> profiles;  // the user's before the built-in ones

  friend bool operator==(const LocalFormSettings&, const LocalFormSettings&) = default;
};

class LocalForms final : public chat::LocalForm {
 public:
  static constexpr std::size_t kConversations = 64;
  static constexpr std::size_t kStepsKept =
      6;  // of a conversation: its side branches have their own

  explicit LocalForms(LocalFormSettings settings) : settings_(std::move(settings)) {}

  chat::FormedRequest form(const chat::LocalFormInput& input) override;
  std::vector<chat::Uncounted> uncounted(const chat::LocalFormInput& input,
                                         std::size_t most) override;
  void count(std::string_view model, std::uint64_t key, std::int64_t tokens) override;
  void measured(std::string_view model, std::int64_t stated, std::int64_t counted) override;
  std::optional<chat::IdleWork> idle_work(std::string_view model) override;
  void finish_idle(const chat::IdleWork& work, std::string_view summary) override;
  void return_idle(chat::IdleWork work) override;

 private:
  struct Kept {
    std::uint64_t prefix = 0;  // of the messages it was decided for
    Step step;
  };
  struct Wanted {  // a summary that a model may make
    std::uint64_t prefix = 0;
    std::size_t messages = 0;
    chat::Request request;
  };
  struct Made {
    std::uint64_t prefix = 0;
    StandingSummary summary;
  };
  struct Conversation {
    std::uint64_t id = 0;
    std::string model;
    std::int64_t window = 0;
    std::list<Kept> steps;  // newest first
    std::optional<Wanted> wanted;
    std::optional<Made> asked;  // being made
    std::list<Made> made;       // newest first, of all branches; an empty one could not be made
  };
  // What form() works on: `prefixes[i]` tells the first i messages as the client sent them.
  struct Work {
    chat::Request request;
    std::vector<std::uint64_t> prefixes;
    FormRules rules;
    Budget budget;
    const Profile* profile = nullptr;
  };

  const Profile& profile_of(std::string_view client_agent) const;
  TokenCounts& counts_of(std::string_view model);
  Work begin(const chat::LocalFormInput& input) const;
  Conversation& conversation_of(const chat::LocalFormInput& input);
  // Whether the first `messages` are those that `prefix` tells.
  static bool begins_with(const Work& work, std::uint64_t prefix, std::size_t messages);
  const Step* known_step(const Conversation& conversation, const Work& work) const;
  const Step& new_step(Conversation& conversation, const Work& work, const TokenCounts& counts);
  void want_summary(Conversation& conversation, const Work& work, const Weight& whole);
  chat::FormedRequest fit(const chat::LocalFormInput& input, Work work, const TokenCounts& counts);
  chat::FormedRequest finish(Work work, const Step* step, const TokenCounts& counts) const;

  const LocalFormSettings settings_;
  std::mutex mutex_;
  std::list<Conversation> conversations_;                   // newest use first
  std::map<std::string, TokenCounts, std::less<>> counts_;  // by model
};

}  // namespace nl::standby
