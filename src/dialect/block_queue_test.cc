#include "dialect/block_queue.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "dialect/conversation_dump.h"

namespace nl::dialect {
namespace {

using chat::BlockKind;

CallPiece piece(std::int64_t index, std::string_view id, std::string_view name,
                std::string_view arguments) {
  return {index, {id}, {name}, {arguments}};
}

// Joins deltas per block and fails when two blocks are open at once.
class Blocks final : public EventSink {
 public:
  void on_event(const chat::Event& event) override {
    switch (event.kind) {
      case chat::EventKind::block_start:
        EXPECT_FALSE(open_) << "blocks overlap";
        open_ = true;
        EXPECT_EQ(event.index, blocks.size());
        blocks.push_back(std::string(event.name.escaped) + ":");
        return;
      case chat::EventKind::delta:
        EXPECT_TRUE(open_);
        EXPECT_EQ(event.index + 1, blocks.size());
        blocks.back() += event.text.escaped;
        return;
      case chat::EventKind::block_stop:
        open_ = false;
        return;
      case chat::EventKind::start:
      case chat::EventKind::usage:
      case chat::EventKind::finish:
      case chat::EventKind::ping:
      case chat::EventKind::progress:
      case chat::EventKind::error:
        ADD_FAILURE() << "no event of a block";
        return;
    }
  }
  std::vector<std::string> blocks;

 private:
  bool open_ = false;
};

TEST(ArgumentScan, KnowsWhenAValueIsWhole) {
  const auto whole = [](std::initializer_list<std::string_view> pieces) {
    ArgumentScan scan;
    for (const std::string_view text : pieces) scan.feed({text});
    return scan.complete();
  };
  EXPECT_TRUE(whole({"{}"}));
  EXPECT_TRUE(whole({R"({\"a\":[1,{\"b\":\"}\"}]})", R"( \n)"}));
  EXPECT_TRUE(whole({R"({\"a\":\"\\\"}\"})"}));
  EXPECT_TRUE(whole({R"({\"a\":\"\\)", R"(\"}\"})"}));
  EXPECT_TRUE(whole({R"(\u007b\u0022a\u0022:1})"}));
  EXPECT_FALSE(whole({""}));
  EXPECT_FALSE(whole({R"({\"a\":\"}\")"}));
  EXPECT_FALSE(whole({"{}", R"({\"a\":1)"}));
}

TEST(BlockQueue, AnyInterleavingGivesTheSameBlocks) {
  const std::vector<std::string> kArguments = {R"({\"a\":\"x}\"})", R"({\"b\":[1,2]})", "{}"};
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    BlockQueue queue;
    Blocks sink;
    std::vector<std::size_t> sent(kArguments.size(), 0);
    // A call's pieces keep their order; which call comes next is chance.
    for (std::size_t left = kArguments.size(); left > 0;) {
      const std::size_t at = random() % kArguments.size();
      const std::string& all = kArguments[at];
      if (sent[at] == all.size()) continue;
      std::size_t size = std::min<std::size_t>(1 + random() % 4, all.size() - sent[at]);
      // A JSON string never ends within an escape.
      while (all[sent[at] + size - 1] == '\\') ++size;
      const std::string id = fmt::format("id{}", at);
      const std::string name = fmt::format("f{}", at);
      queue.begin_frame();
      ASSERT_TRUE(queue.call(piece(static_cast<std::int64_t>(at), sent[at] == 0 ? id : "",
                                   sent[at] == 0 ? name : "", all.substr(sent[at], size)),
                             sink));
      sent[at] += size;
      if (sent[at] == all.size()) --left;
    }
    ASSERT_TRUE(queue.close(sink));
    std::ranges::sort(sink.blocks);
    EXPECT_EQ(sink.blocks, (std::vector<std::string>{"f0:" + kArguments[0], "f1:" + kArguments[1],
                                                     "f2:" + kArguments[2]}));
  }
}

TEST(BlockQueue, ArgumentsAfterTheirEndAreRefusedNotLost) {
  BlockQueue queue;
  EventLines sink;
  ASSERT_TRUE(queue.call(piece(0, "a", "f", "{}"), sink));
  ASSERT_TRUE(queue.call(piece(1, "b", "g", "{"), sink));
  EXPECT_TRUE(queue.call(piece(0, "", "", " "), sink));
  EXPECT_FALSE(queue.call(piece(0, "", "", R"({\"x\":1})"), sink));
}

TEST(BlockQueue, HoldsNoMoreThanItsBound) {
  BlockQueue queue;
  EventLines sink;
  const std::string large(kHeldBytesMax / 2, 'x');
  ASSERT_TRUE(queue.call(piece(0, "a", "f", "{"), sink));
  EXPECT_TRUE(queue.text(BlockKind::text, {large}, sink));
  EXPECT_TRUE(queue.text(BlockKind::text, {large}, sink));
  EXPECT_FALSE(queue.text(BlockKind::text, {"x"}, sink));
}

TEST(BlockQueue, TakesNoMoreCallsThanItsBound) {
  BlockQueue queue;
  EventLines sink;
  for (std::size_t at = 0; at < kCallsMax; ++at) {
    ASSERT_TRUE(queue.call(piece(static_cast<std::int64_t>(at), "a", "f", "{}"), sink));
  }
  EXPECT_FALSE(queue.call(piece(static_cast<std::int64_t>(kCallsMax), "a", "f", "{}"), sink));
}

TEST(BlockQueue, AnEmptyPieceIsNothing) {
  BlockQueue queue;
  EventLines sink;
  ASSERT_TRUE(queue.text(BlockKind::text, {""}, sink));
  ASSERT_TRUE(queue.close(sink));
  EXPECT_TRUE(sink.lines().empty());
}

}  // namespace
}  // namespace nl::dialect
