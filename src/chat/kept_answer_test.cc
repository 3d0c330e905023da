#include "chat/kept_answer.h"

#include <gtest/gtest.h>

namespace nl::chat {
namespace {

Event start_of(BlockKind kind, std::string_view id = "", std::string_view name = "") {
  Event event;
  event.kind = EventKind::block_start;
  event.block = kind;
  event.id = JsonText{id};
  event.name = JsonText{name};
  return event;
}

Event delta(DeltaKind kind, std::string_view text) {
  Event event;
  event.kind = EventKind::delta;
  event.delta = kind;
  event.text = JsonText{text};
  return event;
}

Event finish() {
  Event event;
  event.kind = EventKind::finish;
  return event;
}

TEST(KeptAnswer, KeepsBlocksInTheirOrderAndTextsEscaped) {
  KeptAnswer answer;
  answer.add(start_of(BlockKind::thinking));
  answer.add(delta(DeltaKind::thinking, "hm"));
  answer.add(delta(DeltaKind::signature, "c2ln"));
  answer.add(start_of(BlockKind::text));
  answer.add(delta(DeltaKind::text, "a\\n"));
  answer.add(delta(DeltaKind::text, "b"));
  answer.add(start_of(BlockKind::tool, "toolu_1", "Bash"));
  answer.add(delta(DeltaKind::arguments, "{\\\"command\\\":"));
  answer.add(delta(DeltaKind::arguments, "1}"));
  EXPECT_FALSE(answer.whole());
  answer.add(finish());
  ASSERT_TRUE(answer.whole());
  const KeptAnswer moved = std::move(answer);
  const Message message = moved.message();
  EXPECT_EQ(message.role, Role::assistant);
  ASSERT_EQ(message.content.size(), 3u);
  EXPECT_EQ(std::get<Thinking>(message.content[0]).text.escaped, "hm");
  EXPECT_TRUE(std::get<Thinking>(message.content[0]).signature.empty());
  EXPECT_EQ(std::get<Text>(message.content[1]).text.escaped, "a\\nb");
  const auto& call = std::get<ToolUse>(message.content[2]);
  EXPECT_EQ(call.id.escaped, "toolu_1");
  EXPECT_EQ(call.name.escaped, "Bash");
  EXPECT_EQ(call.input_text.escaped, "{\\\"command\\\":1}");
}

TEST(KeptAnswer, AnErrorOrTooMuchIsNoWholeAnswer) {
  KeptAnswer broken;
  Event error;
  error.kind = EventKind::error;
  broken.add(error);
  broken.add(finish());
  EXPECT_FALSE(broken.whole());
  KeptAnswer large;
  large.add(start_of(BlockKind::text));
  const std::string piece(1u << 20, 'x');
  for (int i = 0; i < 5; ++i) large.add(delta(DeltaKind::text, piece));
  large.add(finish());
  EXPECT_FALSE(large.whole());
  EXPECT_TRUE(large.message().content.empty());
}

}  // namespace
}  // namespace nl::chat
