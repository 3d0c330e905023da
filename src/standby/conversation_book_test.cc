#include "standby/conversation_book.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace nl::standby {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// The real encoder, as for a supervised engine.
class LlamaRenderer final : public Renderer {
 public:
  Result<std::string> render(const chat::Request& request) const override {
    dialect::EncodeOptions options;
    options.model = "m";
    options.server = dialect::Server::llama_server;
    options.purpose = dialect::Purpose::read_ahead;
    return dialect::dialect(dialect::DialectId::openai_chat).encode_request(request, options);
  }
};

struct Talk {
  std::uint64_t conversation = 1;
  std::string system = std::string(2000, 's');
  std::string messages = R"({"role":"user","content":"one"})";
  std::string extra;

  SeenTurn turn(const std::string& id) const {
    SeenTurn seen;
    seen.id = id;
    seen.conversation = conversation;
    seen.client = "test/1";
    seen.body = fmt::format(
        R"({{"model":"c","max_tokens":9,"system":"{}","messages":[{}],"tools":[{{"name":"Bash",)"
        R"("input_schema":{{"type":"object","properties":{{}}}}}}]{}}})",
        system, messages, extra);
    seen.dialect = dialect::DialectId::anthropic;
    seen.renderer = std::make_shared<LlamaRenderer>();
    return seen;
  }
};

chat::KeptAnswer answer(std::string_view text) {
  chat::KeptAnswer kept;
  chat::Event event;
  event.kind = chat::EventKind::block_start;
  kept.add(event);
  event.kind = chat::EventKind::delta;
  event.text = chat::JsonText{text};
  kept.add(event);
  event.kind = chat::EventKind::finish;
  kept.add(event);
  return kept;
}

Outcome outcome(std::int64_t tokens, std::int64_t read = 100, std::int64_t ms = 1000) {
  Outcome made;
  made.tokens = tokens;
  made.read = read;
  made.read_ms = ms;
  return made;
}

class Book : public ::testing::Test {
 protected:
  Job take() {
    auto job = book.next(now);
    EXPECT_TRUE(job.has_value());
    return job ? std::move(*job) : Job();
  }
  void read_all() {
    while (auto job = book.next(now)) book.finished(*job, outcome(1000), now);
  }
  std::vector<ConversationState> states() { return book.states(now); }

  ConversationBook book{BookLimits{}};
  Instant now{seconds(1000)};
};

TEST_F(Book, ReadsWhatIsSharedThenTheTurnThenTheAnswer) {
  book.turn_began(Talk().turn("t1"), now);
  const Job prefix = take();
  EXPECT_EQ(prefix.kind, JobKind::prefix);
  EXPECT_EQ(prefix.prompt.body().find(R"("content":"one")"), std::string::npos);
  EXPECT_NE(prefix.prompt.body().find("Bash"), std::string::npos);
  book.finished(prefix, outcome(500), now);
  EXPECT_EQ(states()[0].point, Point::prefix);
  const Job turn = take();
  EXPECT_EQ(turn.kind, JobKind::conversation);
  EXPECT_TRUE(turn.prompt.begins_with(prefix.prompt.mark()));
  book.finished(turn, outcome(600), now);
  EXPECT_EQ(states()[0].point, Point::turn);
  EXPECT_FALSE(book.next(now).has_value());
  book.turn_answered("t1", answer("two"), now);
  const Job said = take();
  EXPECT_TRUE(said.prompt.begins_with(turn.prompt.mark()));
  EXPECT_NE(said.prompt.body().find(R"("content":"two")"), std::string::npos);
  book.finished(said, outcome(620), now);
  EXPECT_EQ(states()[0].point, Point::answer);
  EXPECT_EQ(states()[0].warm_tokens, 620);
  EXPECT_FALSE(book.next(now).has_value());
}

TEST_F(Book, TheNextTurnOfTheClientRepeatsWhatWasRead) {
  Talk talk;
  book.turn_began(talk.turn("t1"), now);
  book.turn_answered("t1", answer("two"), now);
  book.finished(take(), outcome(500), now);
  const Job said = take();
  book.finished(said, outcome(600), now);
  talk.messages += R"(,{"role":"assistant","content":[{"type":"text","text":"two"}]},)"
                   R"({"role":"user","content":"three"})";
  book.turn_began(talk.turn("t2"), now);
  EXPECT_EQ(states()[0].point, Point::answer);
  EXPECT_TRUE(take().prompt.begins_with(said.prompt.mark()));
}

TEST_F(Book, CallsThatNobodyHasAnsweredStayOpen) {
  book.turn_began(Talk().turn("t1"), now);
  chat::KeptAnswer kept;
  chat::Event event;
  event.kind = chat::EventKind::block_start;
  event.block = chat::BlockKind::tool;
  event.id = chat::JsonText{"toolu_1"};
  event.name = chat::JsonText{"Bash"};
  kept.add(event);
  event.kind = chat::EventKind::delta;
  event.delta = chat::DeltaKind::arguments;
  event.text = chat::JsonText{R"({\"command\":\"ls\"})"};
  kept.add(event);
  event.kind = chat::EventKind::finish;
  kept.add(event);
  book.turn_answered("t1", std::move(kept), now);
  book.finished(take(), outcome(500), now);
  const Job called = take();
  EXPECT_EQ(called.prompt.body().find("no result was recorded"), std::string::npos);
  Talk talk;
  talk.messages +=
      R"(,{"role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"Bash",)"
      R"("input":{"command":"ls"}}]},{"role":"user","content":[{"type":"tool_result",)"
      R"("tool_use_id":"toolu_1","content":"file"}]})";
  book.finished(called, outcome(600), now);
  book.turn_began(talk.turn("t2"), now);
  EXPECT_TRUE(take().prompt.begins_with(called.prompt.mark()));
}

TEST_F(Book, ARewrittenHistoryIsReadAnew) {
  Talk talk;
  book.turn_began(talk.turn("t1"), now);
  read_all();
  EXPECT_FALSE(book.next(now).has_value());
  talk.messages = R"({"role":"user","content":"another"})";
  book.turn_began(talk.turn("t2"), now);
  EXPECT_EQ(states().size(), 1u);
  EXPECT_EQ(states()[0].point, Point::partly);
  EXPECT_EQ(take().kind, JobKind::conversation);
}

TEST_F(Book, AJobWhoseTextChangedIsOutdatedAndOneThatGrewIsNot) {
  Talk talk;
  book.turn_began(talk.turn("t1"), now);
  book.finished(take(), outcome(500), now);
  const Job job = take();
  EXPECT_FALSE(book.outdated(job, now));
  book.turn_answered("t1", answer("two"), now);
  EXPECT_FALSE(book.outdated(job, now));
  talk.messages = R"({"role":"user","content":"another"})";
  book.turn_began(talk.turn("t2"), now);
  EXPECT_TRUE(book.outdated(job, now));
}

TEST_F(Book, TheNewestConversationGoesFirst) {
  Talk talk;
  for (const std::uint64_t conversation : {1, 2, 3}) {
    talk.conversation = conversation;
    talk.messages = fmt::format(R"({{"role":"user","content":"talk {}"}})", conversation);
    book.turn_began(talk.turn(fmt::format("t{}", conversation)), now += seconds(1));
  }
  book.finished(take(), outcome(500), now);  // shared by all
  std::string order;
  while (auto job = book.next(now)) {
    EXPECT_EQ(job->kind, JobKind::conversation);
    order += job->prompt.body()[job->prompt.body().find("talk ") + 5];
    book.finished(*job, outcome(600), now);
  }
  EXPECT_EQ(order, "321");
}

TEST_F(Book, ALongJobGivesWayToANewerConversationAShortOneDoesNot) {
  Talk talk;
  book.turn_began(talk.turn("t1"), now);
  book.finished(take(), outcome(500, 500, 4'000), now);  // 125 tokens/s
  const Job job = take();
  book.progress(job, 500, 600);
  talk.conversation = 2;
  talk.messages = R"({"role":"user","content":"newer"})";
  book.turn_began(talk.turn("t2"), now += seconds(1));
  EXPECT_FALSE(book.outdated(job, now));  // less than a second is left of it
  book.progress(job, 600, 6000);
  EXPECT_TRUE(book.outdated(job, now));
}

TEST_F(Book, ASlowEngineKeepsOneConversationRatherThanAllHalf) {
  Talk talk;
  book.turn_began(talk.turn("t1"), now);
  book.finished(take(), outcome(500, 500, 10'000), now);  // 50 tokens/s
  EXPECT_EQ(book.capacity(), 1u);
  const Job job = take();
  book.progress(job, 600, 6000);
  talk.conversation = 2;
  talk.messages = R"({"role":"user","content":"newer"})";
  book.turn_began(talk.turn("t2"), now += seconds(1));
  EXPECT_FALSE(book.outdated(job, now));  // it holds the only place
  book.finished(job, outcome(6000, 100, 2'000), now);
  EXPECT_NE(take().prompt.body().find("newer"), std::string::npos);  // what time is left
  talk.conversation = 3;
  book.turn_began(talk.turn("t3"), now += minutes(4));
  EXPECT_EQ(states()[0].point, Point::cold);  // the place of one that rests is free
}

TEST_F(Book, WhatIsReadFirstBesideOthersNeedsAnEmptyPlace) {
  Talk talk;
  book.turn_began(talk.turn("t1"), now);
  EXPECT_EQ(take().place, Place::any);
  read_all();
  talk.conversation = 2;
  talk.messages = R"({"role":"user","content":"another talk"})";
  book.turn_began(talk.turn("t2"), now);
  const Job first = take();
  EXPECT_EQ(first.place, Place::empty);
  book.finished(first, outcome(600), now);
  book.turn_answered("t2", answer("two"), now);
  EXPECT_EQ(take().place, Place::any);
}

TEST_F(Book, EverythingIsReadAnewInOrderOfUseAfterARestart) {
  Talk talk;
  book.turn_began(talk.turn("t1"), now);
  talk.conversation = 2;
  talk.messages = R"({"role":"user","content":"later"})";
  book.turn_began(talk.turn("t2"), now += seconds(1));
  read_all();
  book.forget_warm();
  EXPECT_EQ(states()[0].point, Point::cold);
  EXPECT_EQ(take().kind, JobKind::prefix);
  book.finished(take(), outcome(500), now);
  EXPECT_NE(take().prompt.body().find("later"), std::string::npos);
}

TEST_F(Book, WhatIsDoubtedIsReadAgainAndCountsAsWarmMeanwhile) {
  Talk talk;
  book.turn_began(talk.turn("t1"), now);
  read_all();
  EXPECT_FALSE(book.next(now));
  book.doubt_warm();
  EXPECT_EQ(states()[0].point, Point::turn);
  const Job again = take();
  EXPECT_EQ(again.kind, JobKind::conversation);
  EXPECT_NE(again.prompt.body().find("one"), std::string::npos);
  book.finished(again, outcome(600, 1, 5), now);
  EXPECT_FALSE(book.next(now));
}

TEST_F(Book, IdleConversationsAreForgottenAndNumberAndBytesAreBounded) {
  Talk talk;
  for (std::uint64_t conversation = 1; conversation <= 50; ++conversation) {
    talk.conversation = conversation;
    book.turn_began(talk.turn(fmt::format("t{}", conversation)), now += seconds(1));
  }
  EXPECT_EQ(states().size(), BookLimits().conversations_max);
  EXPECT_LE(book.bytes(), 2 * BookLimits().conversations_max * 10'000);
  now += minutes(31);
  EXPECT_TRUE(states().empty());
  EXPECT_FALSE(book.next(now).has_value());
  BookLimits small;
  small.bytes_max = 12'000;
  ConversationBook bounded(small);
  for (std::uint64_t conversation = 1; conversation <= 5; ++conversation) {
    talk.conversation = conversation;
    bounded.turn_began(talk.turn("t"), now);
  }
  EXPECT_LE(bounded.bytes(), small.bytes_max);
  EXPECT_GE(bounded.states(now).size(), 1u);
}

TEST_F(Book, AFailureHoldsAConversationBackForAWhile) {
  book.turn_began(Talk().turn("t1"), now);
  book.finished(take(), outcome(500), now);
  book.failed(take(), Error(ErrorCode::status, "too long"), now);
  EXPECT_FALSE(book.next(now).has_value());
  EXPECT_EQ(states()[0].trouble, "too long");
  ASSERT_TRUE(book.retry_at().has_value());
  now = *book.retry_at();
  EXPECT_TRUE(book.next(now).has_value());
}

TEST_F(Book, AFirstQuestionWithoutToolsIsNotReadAhead) {
  SeenTurn seen = Talk().turn("t1");
  seen.body = R"({"model":"c","max_tokens":9,"messages":[{"role":"user","content":"title?"}]})";
  book.turn_began(std::move(seen), now);
  EXPECT_FALSE(book.next(now).has_value());
}

TEST_F(Book, ThoughtsComeBackOnlyFromClientsThatSendThem) {
  const auto thoughtful = [] {
    chat::KeptAnswer kept;
    chat::Event event;
    event.kind = chat::EventKind::block_start;
    event.block = chat::BlockKind::thinking;
    kept.add(event);
    event.kind = chat::EventKind::delta;
    event.delta = chat::DeltaKind::thinking;
    event.text = chat::JsonText{"a thought"};
    kept.add(event);
    event.kind = chat::EventKind::block_start;
    event.block = chat::BlockKind::tool;
    event.id = chat::JsonText{"toolu_1"};
    event.name = chat::JsonText{"Bash"};
    kept.add(event);
    event.kind = chat::EventKind::finish;
    kept.add(event);
    return kept;
  };
  book.turn_began(Talk().turn("t1"), now);
  book.turn_answered("t1", thoughtful(), now);
  book.finished(take(), outcome(500), now);
  EXPECT_NE(take().prompt.body().find("a thought"), std::string::npos);
  ConversationBook other{BookLimits{}};
  SeenTurn seen = Talk().turn("t1");
  seen.dialect = dialect::DialectId::openai_chat;
  seen.body = R"({"model":"c","messages":[{"role":"user","content":"x"}],"tools":[{"type":)"
              R"("function","function":{"name":"Bash","parameters":{"type":"object"}}}]})";
  other.turn_began(std::move(seen), now);
  other.turn_answered("t1", thoughtful(), now);
  const auto job = other.next(now);
  ASSERT_TRUE(job.has_value());
  EXPECT_EQ(job->prompt.body().find("a thought"), std::string::npos);
  EXPECT_NE(job->prompt.body().find("tool_calls"), std::string::npos);
}

TEST_F(Book, TheReadRateIsMeasured) {
  EXPECT_EQ(book.read_rate(), 0);
  book.turn_began(Talk().turn("t1"), now);
  book.finished(take(), outcome(500, 500, 2000), now);
  EXPECT_DOUBLE_EQ(book.read_rate(), 250);
  book.finished(take(), outcome(510, 10, 2000), now);  // too few to tell
  EXPECT_DOUBLE_EQ(book.read_rate(), 250);
}

}  // namespace
}  // namespace nl::standby
