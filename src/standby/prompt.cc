#include "standby/prompt.h"

#include <functional>

#include "dialect/json.h"

namespace nl::standby {
namespace {

// The members whose change makes the model read everything anew.
constexpr std::string_view kBeforeMessages[] = {"model", "tools", "chat_template_kwargs",
                                                "reasoning_effort", "think"};

std::uint64_t mix(std::uint64_t seed, std::uint64_t more) {
  return (seed ^ more) * 0x9e3779b97f4a7c15ULL + (seed >> 29);
}

}  // namespace

std::uint64_t hash_of(std::string_view text) {
  return std::hash<std::string_view>()(text);
}

Result<Prompt> Prompt::of(std::string body) {
  Prompt made;
  made.body_ = std::move(body);
  dialect::Document document;
  const Result<void> parsed = document.parse(made.body_);
  if (!parsed) return std::unexpected(parsed.error());
  const dialect::Value root = document.root();
  const dialect::Value messages = root["messages"];
  if (!messages.is_array()) return fail(ErrorCode::protocol, "a request without messages");
  made.messages_at_ = messages.offset();
  made.mark_.bytes = messages.raw().size() - 1;  // without the bracket that closes it
  made.mark_.hash = hash_of(made.messages());
  if (const dialect::Value first = messages.first(); first["role"].equals("system")) {
    made.system_bytes_ = first.offset() + first.raw().size() - made.messages_at_;
  }
  made.window_ = root["options"]["num_ctx"].integer().value_or(0);
  made.has_tools_ = root["tools"].size() > 0;
  std::uint64_t rest = static_cast<std::uint64_t>(made.window_);
  for (const std::string_view name : kBeforeMessages) {
    rest = mix(rest, hash_of(root[name].raw()));
  }
  made.mark_.rest = rest;
  return made;
}

Prompt Prompt::prefix() const {
  if (system_bytes_ == 0) return Prompt();
  Prompt made = *this;
  const std::size_t cut = messages_at_ + system_bytes_;
  made.body_.erase(cut, messages_at_ + mark_.bytes - cut);
  made.mark_.bytes = system_bytes_;
  made.mark_.hash = hash_of(made.messages());
  return made;
}

bool Prompt::begins_with(const Mark& mark) const {
  if (body_.empty()) return mark == mark_;
  if (mark.rest != mark_.rest || mark.bytes > mark_.bytes) return false;
  const std::string_view all = messages();
  // Cut between two messages: nothing else is the same text to the model.
  if (mark.bytes < all.size() && mark.bytes > 1 && all[mark.bytes] != ',') return false;
  return hash_of(all.substr(0, mark.bytes)) == mark.hash;
}

}  // namespace nl::standby
