#include "dialect/turns.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace nl::dialect {
namespace {

using chat::Role;

class Conversation {
 public:
  Conversation& say(Role role, const char* text) { return add(role, chat::Text{{text}, {}}); }
  Conversation& call(const char* id) {
    chat::ToolUse use;
    use.id = {id};
    return add(Role::assistant, use);
  }
  Conversation& result(const char* id, Role role = Role::user) {
    chat::ToolResult made;
    made.tool_use_id = {id};
    return add(role, made);
  }
  // One letter for the role and one per item: R result, M missing, O orphan, S system, B block.
  std::string shape() const {
    std::string out;
    for (const Turn& turn : make_turns(request_)) {
      out += turn.role == Role::assistant ? " a:" : " u:";
      for (const Item& item : turn.items) out += letter(item.kind);
    }
    return out;
  }
  chat::Request& request() { return request_; }

 private:
  Conversation& add(Role role, chat::Block block) {
    chat::Message message{role, {}};
    message.content.push_back(std::move(block));
    request_.messages.push_back(std::move(message));
    return *this;
  }
  static char letter(ItemKind kind) {
    switch (kind) {
      case ItemKind::block:
        return 'B';
      case ItemKind::result:
        return 'R';
      case ItemKind::missing_result:
        return 'M';
      case ItemKind::orphan_result:
        return 'O';
      case ItemKind::system:
        return 'S';
    }
    return '?';
  }
  chat::Request request_;
};

TEST(Turns, JoinNeighboursOfOneRole) {
  Conversation talk;
  talk.say(Role::user, "a").say(Role::user, "b").say(Role::assistant, "c").say(Role::user, "d");
  EXPECT_EQ(talk.shape(), " u:BB a:B u:B");
}

TEST(Turns, LeaveLeadingSystemMessagesToThePrompt) {
  Conversation talk;
  talk.say(Role::system, "a").say(Role::user, "b").say(Role::system, "c").say(Role::assistant, "d");
  EXPECT_EQ(leading_system_messages(talk.request()), 1U);
  EXPECT_EQ(talk.shape(), " u:BS a:B");
}

TEST(Turns, PutResultsFirstAndInCallOrder) {
  Conversation talk;
  talk.say(Role::user, "go").call("1").call("2").say(Role::user, "text").result("2").result("1");
  const auto turns = make_turns(talk.request());
  ASSERT_EQ(turns.size(), 3U);
  EXPECT_EQ(talk.shape(), " u:B a:BB u:RRB");
  EXPECT_EQ(std::get<chat::ToolResult>(*turns[2].items[0].block).tool_use_id.escaped, "1");
}

TEST(Turns, MarkMissingAndOrphanResults) {
  Conversation talk;
  talk.call("1").call("2").result("2").result("9").result("2");
  EXPECT_EQ(talk.shape(), " a:BB u:MROO");
}

TEST(Turns, AnswerCallsAtTheEnd) {
  EXPECT_EQ(Conversation().call("1").shape(), " a:B u:M");
}

TEST(Turns, MatchIdsThatAreEscapedOtherwise) {
  EXPECT_EQ(Conversation().call("a\\u0062").result("ab").shape(), " a:B u:R");
}

TEST(ArgumentsObject, IsAlwaysAnObject) {
  const auto object = [](const char* text) { return arguments_object(chat::JsonText{text}); };
  EXPECT_EQ(object(""), "{}");
  EXPECT_EQ(object("  "), "{}");
  EXPECT_EQ(object(R"({\"a\":1})"), R"({"a":1})");
  EXPECT_EQ(object(R"({}{\"a\":1})"), R"({"a":1})");
  EXPECT_EQ(object("ls"), R"({"arguments":"ls"})");
  EXPECT_EQ(object(R"({\"a\":)"), R"({"arguments":"{\"a\":"})");
  EXPECT_EQ(object("[1]"), R"({"arguments":"[1]"})");
}

}  // namespace
}  // namespace nl::dialect
