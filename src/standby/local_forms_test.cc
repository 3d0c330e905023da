#include "standby/local_forms.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>

#include "standby/prefix.h"
#include "standby/talk_fixture.h"

namespace nl::standby {
namespace {

using dialect::DialectId;
using test::Talk;

// A decoded body with everything its views need.
struct Sent {
  Sent(const Talk& talk, DialectId dialect) : body(talk.body(dialect)) {
    EXPECT_TRUE(document.parse(body)) << body.substr(0, 300);
    auto decoded = dialect::dialect(dialect).decode_request(document);
    EXPECT_TRUE(decoded) << decoded.error().message;
    if (decoded) request = std::move(*decoded);
  }
  std::string body;
  dialect::Document document;
  chat::Request request;
};

chat::LocalTarget target(std::int64_t window) {
  chat::LocalTarget made;
  made.model = "tiny";
  made.window_tokens = window;
  made.reply_tokens = window / 8;
  return made;
}

std::string encoded(const chat::Request& request) {
  dialect::EncodeOptions options;
  options.model = "tiny";
  options.server = dialect::Server::llama_server;
  const auto body = dialect::dialect(DialectId::openai_chat).encode_request(request, options);
  EXPECT_TRUE(body);
  return body.value_or("");
}

chat::FormedRequest form(LocalForms& forms, const Sent& sent, const chat::LocalTarget& to) {
  return forms.form({sent.request, 7, "some-client/1", to});
}

// The client sends pictures and sound, and the model has the senses for them, or not.
TEST(LocalForms, what_the_model_cannot_see_or_hear_is_told) {
  const std::string_view body =
      R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":[
    {"type":"image","source":{"type":"base64","media_type":"image/png","data":"aGk="}},
    {"type":"input_audio","input_audio":{"data":"aGk=","format":"wav"}},
    {"type":"text","text":"what is it?"}]},
    {"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"look","input":{}}]},
    {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":[
      {"type":"image","source":{"type":"base64","media_type":"image/png","data":"aGk="}}]}]}]})";
  const std::string bytes(body);
  dialect::Document document;
  ASSERT_TRUE(document.parse(bytes));
  const auto request = dialect::dialect(DialectId::anthropic).decode_request(document);
  ASSERT_TRUE(request) << request.error().message;
  LocalForms forms{LocalFormSettings()};
  for (const std::int64_t window : {0, 8192}) {
    chat::LocalTarget to = target(window);
    EXPECT_EQ(forms.form({*request, 7, "some-client/1", to}).note.dropped,
              "2 images not seen, 1 sound not heard");
    to.images = true;
    EXPECT_EQ(forms.form({*request, 7, "some-client/1", to}).note.dropped, "1 sound not heard");
    to.sound = true;
    EXPECT_EQ(forms.form({*request, 7, "some-client/1", to}).note.dropped, "");
  }
}

// The messages of a body as text, without the bracket behind the last.
std::string messages_of(const std::string& body) {
  dialect::Document document;
  EXPECT_TRUE(document.parse(body));
  const std::string raw(document.root()["messages"].raw());
  return raw.substr(0, raw.size() - 1);
}

// Every call is followed by exactly its results, every result answers a call.
void expect_paired(const std::string& body) {
  dialect::Document document;
  ASSERT_TRUE(document.parse(body));
  std::multiset<std::string> open;
  const dialect::Value messages = document.root()["messages"];
  for (dialect::Value message = messages.first(); message; message = message.next()) {
    if (message["role"].equals("tool")) {
      const auto found = open.find(message["tool_call_id"].text().utf8());
      ASSERT_NE(found, open.end());
      open.erase(found);
      EXPECT_EQ(message["content"].text().utf8().find("no result was recorded"), std::string::npos);
      continue;
    }
    ASSERT_TRUE(open.empty());
    EXPECT_EQ(message["content"].text().escaped.find("<tool-result>"), std::string_view::npos);
    const dialect::Value calls = message["tool_calls"];
    for (dialect::Value call = calls.first(); call; call = call.next()) {
      open.insert(call["id"].text().utf8());
    }
  }
  EXPECT_TRUE(open.empty());
}

class Conversations : public ::testing::TestWithParam<unsigned> {};

TEST_P(Conversations, fit_with_calls_paired_and_the_users_words_whole_on_a_stable_beginning) {
  const unsigned seed = GetParam();
  const DialectId dialect = seed % 2 == 0 ? DialectId::anthropic : DialectId::openai_chat;
  const chat::LocalTarget to = target(seed % 3 == 0 ? 32768 : 8192);
  Talk talk(seed);
  LocalForms forms{{}};
  LocalForms others{{}};
  std::string before;
  std::int64_t tokens_before = 0;
  std::int64_t sent_before = 0;
  int breaks = 0;
  for (int turn = 0; turn < 32; ++turn) {
    talk.grow(seed % 5 == 0 ? 6000 : 700);
    const Sent sent(talk, dialect);
    const chat::FormedRequest formed = form(forms, sent, to);
    ASSERT_EQ(formed.fit, chat::Fit::fits) << "turn " << turn << " " << formed.note.tokens_after;
    ASSERT_LE(formed.note.tokens_after, to.window_tokens - to.reply_tokens);
    const std::string body = encoded(formed.request);
    expect_paired(body);
    ASSERT_NE(body.find(talk.system()), std::string::npos);
    ASSERT_NE(body.find(talk.latest_words()), std::string::npos);
    // The same input, the same bytes: at once and elsewhere.
    ASSERT_EQ(encoded(form(forms, sent, to).request), body);
    ASSERT_EQ(encoded(form(others, sent, to).request), body);
    const std::string messages = messages_of(body);
    if (!messages.starts_with(before)) {
      // Only where with what has come since the high mark was passed.
      const std::int64_t budget = to.window_tokens - to.reply_tokens - to.window_tokens / 32;
      ASSERT_GT(tokens_before + formed.note.tokens_before - sent_before, budget * 9 / 10);
      ++breaks;
    }
    before = messages;
    tokens_before = formed.note.tokens_after;
    sent_before = formed.note.tokens_before;
  }
  // Where each result fills a good part of the window every turn may be a step.
  if (seed % 5 != 0) {
    EXPECT_LT(breaks, 20);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeded, Conversations, ::testing::Range(0u, 12u));

TEST(LocalForms, a_short_conversation_stays_as_it_is) {
  Talk talk(1);
  talk.grow(50);
  const Sent sent(talk, DialectId::anthropic);
  LocalForms forms{{}};
  const chat::FormedRequest formed = form(forms, sent, target(32768));
  EXPECT_EQ(formed.note.dropped, "");
  EXPECT_EQ(formed.note.profile, "generic");
  EXPECT_EQ(encoded(formed.request), encoded(sent.request));
}

TEST(LocalForms, what_must_stay_whole_and_does_not_fit_is_said) {
  Talk talk(1);
  for (int i = 0; i < 5; ++i) talk.grow(50);
  const Sent sent(talk, DialectId::anthropic);
  LocalForms forms{{}};
  EXPECT_EQ(form(forms, sent, target(400)).fit, chat::Fit::too_large);
}

// A request of many tools with long descriptions; `choice` is its tool_choice, as JSON.
struct ManyTools {
  explicit ManyTools(int count, const std::string& choice) {
    for (int i = 0; i < count; ++i) {
      body += fmt::format(R"({}{{"name":"tool_{}","description":"{}","input_schema":{{}}}})",
                          i == 0 ? "" : ",", i, std::string(600, 'd'));
    }
    body = fmt::format(R"({{"model":"m","max_tokens":9,"tools":[{}],"tool_choice":{},)"
                       R"("messages":[{{"role":"user","content":"go"}}]}})",
                       body, choice);
    EXPECT_TRUE(document.parse(body)) << body.substr(0, 300);
    auto decoded = dialect::dialect(DialectId::anthropic).decode_request(document);
    EXPECT_TRUE(decoded) << decoded.error().message;
    if (decoded) request = std::move(*decoded);
  }
  std::string body;
  dialect::Document document;
  chat::Request request;
};

TEST(LocalForms, a_tool_that_must_be_called_is_never_left_out) {
  for (const int wanted : {0, 40, 79}) {
    const ManyTools many(80, fmt::format(R"({{"type":"tool","name":"tool_{}"}})", wanted));
    LocalForms forms{{Rendering::as_sent, Fitting::compact, {}}};
    // Also where the names to leave out were chosen before.
    const ManyTools before(80, R"({"type":"auto"})");
    for (const chat::Request* request : {&before.request, &many.request}) {
      const auto formed = forms.form({*request, 7, "x", target(8192)});
      ASSERT_EQ(formed.fit, chat::Fit::fits);
      EXPECT_NE(formed.note.dropped.find("tools left out"), std::string::npos);
      if (request == &before.request) continue;
      EXPECT_NE(encoded(formed.request).find(fmt::format("\"tool_{}\"", wanted)),
                std::string::npos);
    }
    LocalForms fresh{{Rendering::as_sent, Fitting::compact, {}}};
    const auto formed = fresh.form({many.request, 7, "x", target(8192)});
    EXPECT_NE(encoded(formed.request).find(fmt::format("\"tool_{}\"", wanted)), std::string::npos);
  }
}

TEST(LocalForms, tools_that_a_client_offers_no_longer_are_not_said_to_be_left_out) {
  const ManyTools many(80, R"({"type":"auto"})");
  const ManyTools few(0, R"({"type":"auto"})");
  LocalForms forms{{Rendering::as_sent, Fitting::compact, {}}};
  EXPECT_NE(forms.form({many.request, 7, "x", target(8192)}).note.dropped, "");
  EXPECT_EQ(forms.form({few.request, 7, "x", target(8192)}).note.dropped, "");
}

TEST(LocalForms, without_a_known_window_nothing_is_left_out) {
  Talk talk(2);
  for (int i = 0; i < 40; ++i) talk.grow(700);
  const Sent sent(talk, DialectId::openai_chat);
  LocalForms forms{{}};
  EXPECT_EQ(form(forms, sent, target(0)).note.dropped, "");
  LocalForms off{{Rendering::as_sent, Fitting::off, {}}};
  const chat::FormedRequest formed = form(off, sent, target(8192));
  EXPECT_EQ(encoded(formed.request), encoded(sent.request));
  EXPECT_EQ(formed.note.profile, "");
}

TEST(LocalForms, exact_counts_are_asked_for_where_they_matter_and_believed) {
  Talk talk(4);
  for (int i = 0; i < 30; ++i) talk.grow(700);
  const Sent sent(talk, DialectId::anthropic);
  LocalForms forms{{}};
  const chat::LocalTarget to = target(32768);
  const chat::LocalFormInput input{sent.request, 7, "x", to};
  EXPECT_TRUE(LocalForms({}).uncounted({sent.request, 7, "x", target(1 << 20)}, 99).empty());
  const auto wanted = forms.uncounted(input, 20);
  ASSERT_EQ(wanted.size(), 20u);
  EXPECT_GE(wanted[0].escaped.size(), wanted[19].escaped.size());
  // Schemas and arguments as well are told as the inside of a JSON string.
  for (const chat::Uncounted& text : forms.uncounted(input, 10000)) {
    dialect::Document document;
    const std::string body = "{\"content\":\"" + text.escaped + "\"}";
    EXPECT_TRUE(document.parse(body)) << text.escaped.substr(0, 200);
  }
  const std::int64_t before = forms.form(input).note.tokens_before;
  for (const chat::Uncounted& text : wanted) forms.count("tiny", text.key, 1);
  EXPECT_LT(forms.form(input).note.tokens_before, before / 2);
  forms.measured("tiny", 2000, 4000);
  const auto rest = forms.uncounted(input, 20);
  ASSERT_FALSE(rest.empty());
  EXPECT_NE(rest[0].key, wanted[0].key);
}

TEST(LocalForms, a_summary_made_in_idle_time_stands_in_from_the_next_step_on) {
  Talk talk(6);
  LocalForms forms{{}};
  const chat::LocalTarget to = target(8192);
  std::optional<chat::IdleWork> work;
  std::string body;
  for (int turn = 0; turn < 80 && body.find("MODEL-SUMMARY") == std::string::npos; ++turn) {
    talk.grow(300);
    const Sent sent(talk, DialectId::anthropic);
    body = encoded(form(forms, sent, to).request);
    EXPECT_FALSE(forms.idle_work("another"));
    work = forms.idle_work("tiny");
    if (!work) continue;
    EXPECT_EQ(work->request.messages.size(), 1u);
    forms.finish_idle(*work, "MODEL-SUMMARY \"quoted\"");
  }
  EXPECT_NE(body.find("MODEL-SUMMARY \\\"quoted\\\""), std::string::npos);
}

TEST(LocalForms, a_summary_that_was_broken_off_is_offered_again_and_a_failed_one_is_not) {
  Talk talk(6);
  LocalForms forms{{}};
  const chat::LocalTarget to = target(8192);
  std::optional<chat::IdleWork> work;
  for (int turn = 0; turn < 80 && !work; ++turn) {
    talk.grow(300);
    const Sent sent(talk, DialectId::anthropic);
    form(forms, sent, to);
    work = forms.idle_work("tiny");
  }
  ASSERT_TRUE(work);
  EXPECT_FALSE(forms.idle_work("tiny"));
  const std::uint64_t mark = work->mark;
  forms.return_idle(std::move(*work));
  work = forms.idle_work("tiny");
  ASSERT_TRUE(work);
  EXPECT_EQ(work->mark, mark);
  EXPECT_EQ(work->request.messages.size(), 1u);
  forms.finish_idle(*work, "");
  EXPECT_FALSE(forms.idle_work("tiny"));
}

// A sub-agent's turns come under its session's conversation: neither may take the other's summary
// for its own, or both would be made again and again.
TEST(LocalForms, branches_of_a_conversation_have_summaries_of_their_own) {
  const chat::LocalTarget to = target(8192);
  Talk main(6);
  Talk side(7);
  for (int i = 0; i < 60; ++i) main.grow(300);
  for (int i = 0; i < 40; ++i) side.grow(300);
  const Sent of_main(main, DialectId::anthropic);
  const Sent of_side(side, DialectId::anthropic);
  for (const char* said : {"usable", ""}) {
    LocalForms both{{}};
    int made = 0;
    for (int look = 0; look < 12; ++look) {
      form(both, look % 2 == 0 ? of_main : of_side, to);
      const auto work = both.idle_work("tiny");
      if (!work) continue;
      ++made;
      both.finish_idle(*work, said);
    }
    EXPECT_EQ(made, 2) << said;
  }
}

TEST(LocalForms, a_conversation_is_the_same_however_its_client_spells_it) {
  const auto prefix_of = [](const chat::Message& message) {
    Prefix prefix;
    prefix.take(message);
    return prefix.value;
  };
  chat::ToolUse came;
  came.id = {"toolu_1"};
  came.name = {"Read"};
  came.input_text = {R"({\"path\":\"a\"})"};
  chat::ToolUse sent = came;
  sent.input_text = {};
  sent.input = {R"({"path": "a"})"};
  chat::Message as_it_came;
  as_it_came.role = chat::Role::assistant;
  as_it_came.content = {chat::Text{{R"(a \u2014 b\/c\n)"}, {}}, came};
  chat::Message as_sent = as_it_came;
  as_sent.content = {chat::Text{{"a \u2014 b/c\\n"}, {}}, sent};
  EXPECT_EQ(prefix_of(as_it_came), prefix_of(as_sent));
  sent.id = {"toolu_2"};
  as_sent.content.back() = sent;
  EXPECT_NE(prefix_of(as_it_came), prefix_of(as_sent));
}

TEST(LocalForms, without_a_model_the_summary_names_what_was_asked_and_run) {
  Talk talk(8);
  for (int i = 0; i < 60; ++i) talk.grow(700);
  const Sent sent(talk, DialectId::openai_chat);
  LocalForms forms{{}};
  const chat::FormedRequest formed = form(forms, sent, target(8192));
  const std::string body = encoded(formed.request);
  EXPECT_NE(body.find("Its summary:"), std::string::npos);
  EXPECT_NE(body.find("Commands run:"), std::string::npos);
  EXPECT_NE(formed.note.dropped.find("messages summarised"), std::string::npos);
}

}  // namespace
}  // namespace nl::standby
