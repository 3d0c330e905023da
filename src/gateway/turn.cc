#include "gateway/turn.h"

#include <functional>

#include "chat/senses.h"
#include "gateway/wishes.h"

namespace nl::gateway {
namespace {

constexpr std::size_t kLastUserMax = 8 * 1024;
constexpr std::size_t kSystemStartMax = 2 * 1024;

// The first `limit` bytes of `text`, unescaped. Cuts the escaped form first, so that a huge text
// costs nothing; a cut escape at the end is dropped.
std::string beginning(chat::JsonText text, std::size_t limit) {
  std::string_view part = text.escaped.substr(0, limit);
  if (part.size() < text.escaped.size()) {
    const std::size_t escape = part.rfind('\\');
    if (escape != std::string_view::npos && part.size() - escape < 12)
      part = part.substr(0, escape);
  }
  return chat::JsonText{part}.utf8();
}

std::string last_user_text(const chat::Request& request) {
  for (auto message = request.messages.rbegin(); message != request.messages.rend(); ++message) {
    if (message->role != chat::Role::user) continue;
    for (auto block = message->content.rbegin(); block != message->content.rend(); ++block) {
      if (const auto* text = std::get_if<chat::Text>(&*block)) {
        return beginning(text->text, kLastUserMax);
      }
    }
  }
  return {};
}

// What stays the same from turn to turn: a session id if the client states one, else the beginning
// of the system text and the first message.
std::uint64_t conversation_of(const Turn& turn) {
  const http::Headers& headers = turn.exchange.head().headers;
  for (const std::string_view name :
       {"x-claude-code-session-id", "session-id", "x-session-affinity"}) {
    if (const auto value = headers.find(name)) return std::hash<std::string_view>()(*value);
  }
  std::uint64_t seed = std::hash<std::string>()(turn.system_start);
  if (!turn.request.messages.empty()) {
    for (const chat::Block& block : turn.request.messages.front().content) {
      if (const auto* text = std::get_if<chat::Text>(&block)) {
        seed = seed * 31 + std::hash<std::string_view>()(text->text.escaped);
      }
    }
  }
  return seed;
}

}  // namespace

Result<void> read_turn(Turn& turn, const std::vector<Secret>& tokens,
                       const router::Policy& policy) {
  const http::RequestHead& head = turn.exchange.head();
  const Result<void> parsed =
      turn.document.parse(turn.exchange.body(), dialect::DuplicateKeys::refuse_top_level);
  if (!parsed) return parsed;
  Result<chat::Request> request = turn.dialect.decode_request(turn.document);
  if (!request) return std::unexpected(std::move(request.error()));
  turn.request = std::move(*request);
  turn.request.body_bytes = turn.exchange.body().size();
  turn.model = turn.request.model.utf8();
  turn.credential = client_credential(head, turn.dialect.id(), tokens);
  turn.last_user = last_user_text(turn.request);
  for (const chat::Text& text : turn.request.system) {
    if (turn.system_start.size() >= kSystemStartMax) break;
    turn.system_start += beginning(text.text, kSystemStartMax - turn.system_start.size());
    turn.system_start += '\n';
  }

  router::RequestFacts& facts = turn.facts;
  facts.dialect = static_cast<std::uint8_t>(turn.dialect.id());
  facts.model = turn.model;
  facts.client_agent = head.headers.find("user-agent").value_or("");
  facts.stream = turn.request.stream;
  facts.tools = !turn.request.tools.empty();
  facts.images = chat::images_in(turn.request) > 0;
  facts.input_tokens = dialect::estimate_tokens(turn.request);
  facts.max_tokens = turn.request.max_tokens.value_or(0);
  facts.turns = turn.request.messages.size();
  facts.last_user = turn.last_user;
  facts.system_start = turn.system_start;
  facts.structured = turn.request.format.kind != chat::Format::text;
  facts.only_this_dialect = !turn.request.only_this_dialect.empty();
  facts.conversation = conversation_of(turn);
  facts.client_vendor = turn.credential.vendor;
  facts.client_subscription = turn.credential.subscription;
  facts.client_mark = turn.credential.mark;
  return read_wishes(turn, policy);
}

std::string answer_id(const Turn& turn) {
  std::string_view own = turn.id;
  if (own.starts_with(kTurnIdPrefix)) own.remove_prefix(kTurnIdPrefix.size());
  std::string id;
  switch (turn.dialect.id()) {
    case dialect::DialectId::anthropic:
      id = "msg_";
      break;
    case dialect::DialectId::openai_chat:
      id = "chatcmpl-";
      break;
    // Its answers have no id.
    case dialect::DialectId::ollama:
      break;
  }
  return id.append(own);
}

dialect::AnswerContext answer_context(const Turn& turn) {
  dialect::AnswerContext context;
  context.model = turn.model;
  context.id = answer_id(turn);
  context.created =
      std::chrono::duration_cast<std::chrono::seconds>(turn.started_wall.time_since_epoch())
          .count();
  context.include_usage = turn.request.include_usage;
  context.input_estimate = turn.facts.input_tokens;
  return context;
}

}  // namespace nl::gateway
