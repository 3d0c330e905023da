#include "clients/edit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "clients/json_text.h"

namespace nl::clients {
namespace {

const std::vector<Setting> kClaude = {{{"env", "ANTHROPIC_BASE_URL"}, "http://127.0.0.1:2300"},
                                      {{"statusLine", "type"}, "command"},
                                      {{"statusLine", "command"}, "nightlight status --line"}};
const std::vector<Setting> kUrl = {{{"env", "ANTHROPIC_BASE_URL"}, "http://127.0.0.1:2300"}};
const std::vector<Setting> kCodex = {{{"openai_base_url"}, "http://127.0.0.1:2300/v1"}};

std::string put(Format format, std::string_view text, const std::vector<Setting>& settings) {
  const auto edited = apply(format, text, settings);
  if (!edited) return "refused: " + edited.error().message;
  const auto undone = undo(format, edited->text, edited->changes);
  EXPECT_TRUE(undone) << edited->text;
  if (undone) {
    EXPECT_EQ(undone->text, text) << edited->text;
  }
  return edited->text;
}

// What is left after somebody has made `now` of the text with our settings in it.
Undone back(Format format, std::string_view text, const std::vector<Setting>& settings,
            std::string_view now) {
  const auto edited = apply(format, text, settings);
  EXPECT_TRUE(edited);
  auto undone = undo(format, now, edited->changes);
  EXPECT_TRUE(undone) << (undone ? "" : undone.error().message);
  return undone ? *undone : Undone();
}

TEST(EditJson, GoesBeforeTheOthersAndLeavesThemAsTheyAre) {
  EXPECT_EQ(put(Format::json, "{\n  // mine\n  \"a\": 1 // one\n}\n", kUrl),
            "{\n  \"env\": {\n    \"ANTHROPIC_BASE_URL\": \"http://127.0.0.1:2300\"\n  },\n"
            "  // mine\n  \"a\": 1 // one\n}\n");
  EXPECT_EQ(put(Format::json, "{ // top\r\n\t\"env\": {\r\n\t\t\"A\": \"b\",\r\n\t},\r\n}", kUrl),
            "{ // top\r\n\t\"env\": {\r\n\t\t\"ANTHROPIC_BASE_URL\": \"http://127.0.0.1:2300\",\r\n"
            "\t\t\"A\": \"b\",\r\n\t},\r\n}");
  EXPECT_EQ(put(Format::json, "{\"a\": 1}", kUrl),
            "{\"env\": {\"ANTHROPIC_BASE_URL\": \"http://127.0.0.1:2300\"}, \"a\": 1}");
}

TEST(EditJson, MakesWhatIsNotThere) {
  const std::string whole =
      "{\n  \"env\": {\n    \"ANTHROPIC_BASE_URL\": \"http://127.0.0.1:2300\"\n  }\n}\n";
  EXPECT_EQ(put(Format::json, "", kUrl), whole);
  EXPECT_EQ(put(Format::json, "// nothing yet", kUrl), "// nothing yet\n" + whole);
  EXPECT_EQ(put(Format::json, "{}\n", kUrl), whole);
  EXPECT_EQ(put(Format::json, "{\n}\n", kUrl), whole);
}

TEST(EditJson, ReplacesAValueAndPutsItBack) {
  const std::string_view text = "{\"env\": {\"ANTHROPIC_BASE_URL\" : \"https:\\/\\/mine\"}}";
  EXPECT_EQ(put(Format::json, text, kUrl),
            "{\"env\": {\"ANTHROPIC_BASE_URL\" : \"http://127.0.0.1:2300\"}}");
}

TEST(EditJson, ASettingThatHoldsAlreadyIsNotOurs) {
  const auto edited = apply(
      Format::json, R"({"\u0065nv": {"ANTHROPIC_BASE_URL": "http:\/\/127.0.0.1:2300"}})", kUrl);
  ASSERT_TRUE(edited);
  EXPECT_TRUE(edited->changes.empty());
}

TEST(EditJson, WhatCannotBeReadIsRefusedWithItsLine) {
  for (const char* text : {"{\n\"a\": }", "{\n\"a\" 1}", "{\n\"a\": 1", "[\n1 2]", "{\n\"a\": tru}",
                           "{\n/* x", "{}\n{}", "{\n\"a\": \"\\x\"}", "{\n'a': 1}"}) {
    const auto edited = apply(Format::json, text, kUrl);
    ASSERT_FALSE(edited) << text;
    EXPECT_TRUE(edited.error().message.starts_with("line 2: ")) << edited.error().message;
  }
  EXPECT_FALSE(apply(Format::json, std::string(100'000, '['), kUrl));
}

TEST(EditJson, ADifferentKindOfValueOnTheWayIsRefused) {
  const auto edited = apply(Format::json, "{\n  \"env\": \"none\"\n}", kUrl);
  ASSERT_FALSE(edited);
  EXPECT_NE(edited.error().message.find("line 2: env is no object"), std::string::npos);
}

TEST(EditJson, LaterChangesOfOthersStay) {
  const std::string_view ours =
      "{\n  \"env\": {\n    \"ANTHROPIC_BASE_URL\": \"http://127.0.0.1:2300\"";
  const auto more = back(Format::json, "{}\n", kUrl,
                         std::string(ours) + ",\n    \"MINE\": \"x\"\n  },\n  \"b\": 2\n}\n");
  EXPECT_EQ(more.text, "{\n  \"env\": {\n    \"MINE\": \"x\"\n  },\n  \"b\": 2\n}\n");
  EXPECT_TRUE(more.left.empty());
  const auto first =
      back(Format::json, "{\n}\n", {{{"k"}, "v"}}, "{\n  \"n\": 1,\n  \"k\": \"v\"\n}\n");
  EXPECT_EQ(first.text, "{\n  \"n\": 1\n}\n");
}

TEST(EditJson, AValueThatSomebodyElseHasSetStaysAndIsSaid) {
  const auto put_in =
      back(Format::json, "{}", kUrl, R"({"env": {"ANTHROPIC_BASE_URL": "https://theirs"}})");
  EXPECT_EQ(put_in.text, R"({"env": {"ANTHROPIC_BASE_URL": "https://theirs"}})");
  ASSERT_EQ(put_in.left.size(), 1u);
  EXPECT_NE(put_in.left[0].find("env.ANTHROPIC_BASE_URL was changed since"), std::string::npos);
  const auto replaced = back(Format::json, R"({"env": {"ANTHROPIC_BASE_URL": "https://old"}})",
                             kUrl, R"({"env": {"ANTHROPIC_BASE_URL": "https://new"}})");
  EXPECT_EQ(replaced.text, R"({"env": {"ANTHROPIC_BASE_URL": "https://new"}})");
  EXPECT_EQ(replaced.left.size(), 1u);
}

TEST(EditToml, StandsBehindTheLastKeyBeforeTheFirstTable) {
  EXPECT_EQ(put(Format::toml, "# top\nmodel = \"m\" # the best\n\n# tables\n[a]\nb = 1\n", kCodex),
            "# top\nmodel = \"m\" # the best\nopenai_base_url = \"http://127.0.0.1:2300/v1\"\n\n"
            "# tables\n[a]\nb = 1\n");
  EXPECT_EQ(put(Format::toml, "", kCodex), "openai_base_url = \"http://127.0.0.1:2300/v1\"\n");
  EXPECT_EQ(put(Format::toml, "a = 1", kCodex),
            "a = 1\nopenai_base_url = \"http://127.0.0.1:2300/v1\"");
  EXPECT_EQ(put(Format::toml, "[a]\nopenai_base_url = 'x'\n", kCodex),
            "openai_base_url = \"http://127.0.0.1:2300/v1\"\n[a]\nopenai_base_url = 'x'\n");
}

TEST(EditToml, ReplacesAValueAndPutsItBack) {
  EXPECT_EQ(put(Format::toml, "'openai_base_url'='https://mine' # keep\n", kCodex),
            "'openai_base_url'=\"http://127.0.0.1:2300/v1\" # keep\n");
  const auto theirs = back(Format::toml, "a = 1\n", kCodex, "a = 1\nopenai_base_url = \"other\"\n");
  EXPECT_EQ(theirs.text, "a = 1\nopenai_base_url = \"other\"\n");
  EXPECT_EQ(theirs.left.size(), 1u);
}

TEST(EditToml, LaterChangesOfOthersStay) {
  const auto undone = back(Format::toml, "a = 1", kCodex,
                           "a = 1\n  openai_base_url = \"http://127.0.0.1:2300/v1\" # hm\nb = 2\n");
  EXPECT_EQ(undone.text, "a = 1\nb = 2\n");
  EXPECT_EQ(back(Format::toml, "a = 1", kCodex,
                 "a = 1\nopenai_base_url = \"http://127.0.0.1:2300/v1\"\n[t]\n")
                .text,
            "a = 1\n[t]\n");
}

TEST(EditToml, WhatCannotBeReadIsRefusedWithItsLine) {
  for (const char* text : {"a = 1\nb", "a = 1\nb =", "a = 1\nb = \"x", "a = 1\n[t", "a = [\n1 2 \"",
                           "a = 1\nb = {x 1}", "a = 1\nb = 'x' y", "a = 1\n\x01"}) {
    const auto edited = apply(Format::toml, text, kCodex);
    ASSERT_FALSE(edited) << text;
    EXPECT_TRUE(edited.error().message.starts_with("line 2: ")) << edited.error().message;
  }
}

TEST(EditBlock, StandsAtTheEndBetweenItsMarks) {
  const std::vector<Setting> one = {{{"OPENAI_BASE_URL"}, "http://127.0.0.1:2300/v1"}};
  const std::string shell = put(Format::shell, "# rc", one);
  EXPECT_NE(shell.find("\nexport OPENAI_BASE_URL=\"http://127.0.0.1:2300/v1\"\n"),
            std::string::npos);
  EXPECT_NE(put(Format::fish, "", one).find("\nset -gx OPENAI_BASE_URL \"http"), std::string::npos);
  EXPECT_NE(put(Format::variables, "A=1\r\n", one).find("\r\nOPENAI_BASE_URL=\"http"),
            std::string::npos);
  EXPECT_FALSE(apply(Format::shell, "", {{{"A"}, "$(rm -rf x)"}}));
  // What has come behind it since does not run into the line before it.
  EXPECT_EQ(back(Format::shell, "# rc", one, shell + "later\n").text, "# rc\nlater\n");
}

TEST(EditBlock, LinesOfOthersInItStay) {
  const std::vector<Setting> one = {{{"OPENAI_BASE_URL"}, "http://127.0.0.1:2300/v1"}};
  std::string text = put(Format::shell, "a\n", one);
  text.insert(text.find("# <<<"), "export MINE=1\n");
  const auto undone = back(Format::shell, "a\n", one, text);
  EXPECT_EQ(undone.text, "a\nexport MINE=1\n");
  EXPECT_EQ(undone.left.size(), 1u);
}

// Random texts. Names and texts hold nothing that a plain search would take for structure.
class Writer {
 public:
  explicit Writer(unsigned seed) : random_(seed) {
    newline_ = chance(4) ? "\r\n" : "\n";
    unit_ = chance(3) ? "\t" : chance(2) ? "    " : "  ";
    with_comments_ = !chance(3);
    compact_ = chance(4);
  }

  std::string json() {
    if (chance(20)) return chance(2) ? "" : blank();
    return blank() + object(0) + (chance(3) ? "" : newline_) + (with_comments_ ? comment() : "");
  }

  std::string toml() {
    std::string text = chance(10) ? "\xef\xbb\xbf" : "";
    for (unsigned i = pick(6); i > 0; --i) text += toml_line();
    for (unsigned i = pick(3); i > 0; --i) {
      const std::string name = "t." + std::to_string(i);
      text += chance(2) ? "[" + name + "]" : "[[" + name + "]]";
      text += newline_;
      for (unsigned j = pick(3); j > 0; --j) text += toml_line();
    }
    if (chance(4) && text.ends_with(newline_)) text.resize(text.size() - newline_.size());
    return text;
  }

  unsigned pick(unsigned below) { return static_cast<unsigned>(random_() % below); }
  bool chance(unsigned of) { return pick(of) == 0; }

 private:
  std::string comment() {
    if (!with_comments_ || !chance(4)) return "";
    if (chance(2) && !compact_) return " // c" + std::to_string(pick(100)) + newline_;
    return " /* { \"env\": 1, */";
  }
  std::string blank() { return compact_ ? comment() : comment() + (chance(4) ? newline_ : ""); }
  std::string gap(int depth) {
    if (compact_) return chance(3) ? " " : "";
    std::string text = newline_;
    for (int i = 0; i < depth; ++i) text += unit_;
    return text;
  }
  std::string value(int depth) {
    constexpr const char* kWords[] = {"1", "-2.5e3", "true", "null", "\"x\"", "\"a \\\" b\"", "[]"};
    if (depth < 4 && chance(3)) return object(depth);
    if (chance(6)) return "[ " + value(4) + "," + comment() + value(4) + (chance(3) ? " ]" : "]");
    return kWords[pick(7)];
  }
  std::string object(int depth) {
    constexpr const char* kNames[] = {"env", "a", "b", "statusLine", "provider", "type", "\\u0061"};
    std::string text = "{";
    const unsigned count = depth > 4 ? 0 : pick(4);
    for (unsigned i = 0; i < count; ++i) {
      text += comment() + gap(depth + 1) + "\"" + kNames[pick(7)] + "\"" +
              (chance(5) ? " :" : ":") + " ";
      // What our own settings go through has to be an object.
      const bool is_way = text.find("\"env\"") != std::string::npos ||
                          text.find("\"statusLine\"") != std::string::npos;
      text += is_way ? object(depth + 1) : value(depth + 1);
      text += comment();
      if (i + 1 < count) text += ",";
      if (i + 1 == count && with_comments_ && chance(5)) text += ",";
    }
    if (count > 0 || chance(3)) text += comment() + gap(depth);
    return text + "}";
  }
  std::string toml_line() {
    constexpr const char* kValues[] = {"1",
                                       "\"x # y\"",
                                       "'[t]'",
                                       "[1, # one\n  2,\n]",
                                       "{ a = 1, b = [2] }",
                                       "\"\"\"\n[no.table]\nopenai_base_url = 'x'\"\"\"\"",
                                       "1979-05-27 07:32:00",
                                       "'''a\n'''"};
    if (chance(4)) return chance(2) ? newline_ : "# openai_base_url = 1" + newline_;
    const std::string name =
        chance(3) ? "a.b" + std::to_string(line_) : "k" + std::to_string(line_);
    ++line_;
    return (chance(5) ? "  " : "") + name + (chance(4) ? "=" : " = ") + kValues[pick(8)] +
           (chance(4) ? " # c" : "") + newline_;
  }

  std::mt19937 random_;
  std::string newline_;
  std::string unit_;
  bool with_comments_ = true;
  bool compact_ = false;
  int line_ = 0;
};

// As a program writes it that has read `text`: no comments, no trailing commas, its own layout.
std::string rewritten(const JsonText& json, const JsonNode& node, std::string_view indent) {
  const std::string inner = std::string(indent) + " ";
  std::string text;
  if (node.kind == JsonNode::Kind::object) {
    for (const JsonMember& member : node.members) {
      text += (text.empty() ? "\n" : ",\n") + inner + json_quoted(member.name) + ": " +
              rewritten(json, member.value, inner);
    }
    return text.empty() ? "{}" : "{" + text + "\n" + std::string(indent) + "}";
  }
  if (node.kind == JsonNode::Kind::array) {
    for (const JsonNode& item : node.items) {
      text += (text.empty() ? "" : ", ") + rewritten(json, item, inner);
    }
    return "[" + text + "]";
  }
  return std::string(json.raw(node));
}

std::string rewritten(std::string_view text) {
  const auto json = JsonText::read(text);
  EXPECT_TRUE(json) << text;
  return json && json->root() != nullptr ? rewritten(*json, *json->root(), "") : "";
}

TEST(EditProperty, AnyJsonComesBackByteForByte) {
  int done = 0;
  for (unsigned seed = 0; seed < 4000; ++seed) {
    const std::string text = Writer(seed).json();
    const auto edited = apply(Format::json, text, kClaude);
    if (!edited) {
      // Somebody's own value stands where an object is to be.
      EXPECT_NE(edited.error().message.find("is no object"), std::string::npos)
          << edited.error().message << "\n"
          << text;
      continue;
    }
    ++done;
    const auto json = JsonText::read(edited->text);
    ASSERT_TRUE(json) << edited->text;
    for (const Setting& setting : kClaude) {
      const JsonMember* member = json->member(setting.path);
      ASSERT_NE(member, nullptr) << edited->text;
      EXPECT_EQ(json->text_of(member->value), setting.value);
    }
    const auto undone = undo(Format::json, edited->text, edited->changes);
    ASSERT_TRUE(undone);
    ASSERT_EQ(undone->text, text) << "seed " << seed << "\n" << edited->text;
    EXPECT_TRUE(undone->left.empty());
  }
  EXPECT_GT(done, 2000);
}

TEST(EditProperty, AJsonRewrittenInBetweenLosesOursAlone) {
  for (unsigned seed = 0; seed < 4000; ++seed) {
    const std::string text = Writer(seed).json();
    const auto edited = apply(Format::json, text, kClaude);
    if (!edited) continue;
    const auto undone = undo(Format::json, rewritten(edited->text), edited->changes);
    ASSERT_TRUE(undone);
    ASSERT_EQ(rewritten(undone->text), rewritten(text)) << "seed " << seed << "\n" << text;
    EXPECT_TRUE(undone->left.empty()) << undone->left.front();
    // What stood there before may have had one of its own.
    const bool has_replaced = std::ranges::any_of(
        edited->changes, [](const Change& change) { return change.before.has_value(); });
    for (std::size_t at = has_replaced ? std::string::npos : undone->text.find(',');
         at != std::string::npos; at = undone->text.find(',', at + 1)) {
      const std::size_t next = undone->text.find_first_not_of(" \n", at + 1);
      ASSERT_NE(undone->text[next], '}') << "seed " << seed << "\n" << undone->text;
    }
  }
}

TEST(EditProperty, AMemberAddedInBetweenStaysWhereItIs) {
  for (unsigned seed = 0; seed < 2000; ++seed) {
    const std::string text = Writer(seed).json();
    const auto edited = apply(Format::json, text, kClaude);
    const auto before = JsonText::read(text);
    if (!edited || before->root() == nullptr || before->root()->members.empty()) continue;
    const auto add = [](std::string whole) {
      const auto json = JsonText::read(whole);
      whole.insert(json->root()->members.back().value.end, R"(, "added": {"x": [1]})");
      return "// new\n" + whole + "\n";
    };
    const auto undone = undo(Format::json, add(edited->text), edited->changes);
    ASSERT_TRUE(undone);
    ASSERT_EQ(undone->text, add(text)) << "seed " << seed << "\n" << edited->text;
  }
}

TEST(EditProperty, AnyTomlComesBackByteForByte) {
  for (unsigned seed = 0; seed < 4000; ++seed) {
    const std::string text = Writer(seed).toml();
    const auto edited = apply(Format::toml, text, kCodex);
    ASSERT_TRUE(edited) << "seed " << seed << ": " << edited.error().message << "\n" << text;
    const auto undone = undo(Format::toml, edited->text, edited->changes);
    ASSERT_TRUE(undone);
    ASSERT_EQ(undone->text, text) << "seed " << seed << "\n" << edited->text;
    const std::string more = "\n[later]\nx = 1\n";
    const auto later = undo(Format::toml, edited->text + more, edited->changes);
    ASSERT_TRUE(later);
    ASSERT_EQ(later->text, text + more) << "seed " << seed << "\n" << edited->text;
  }
}

}  // namespace
}  // namespace nl::clients
