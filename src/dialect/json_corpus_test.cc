// The parser against others' corpora and against simdjson's DOM, which checks the same rules in
// another way. The corpora lie beside the working copy on development machines only.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>

#include "chat/text.h"
#include "dialect/json.h"

namespace nl::dialect {
namespace {

constexpr std::string_view kCorpora = "../shared/data/badinput";

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// y_ must parse, n_ must not, i_ may do either.
TEST(JsonCorpus, JsonTestSuite) {
  const std::filesystem::path folder = std::filesystem::path(kCorpora) / "json/JSONTestSuite";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no shared test data beside this checkout";
  Document document;
  int judged = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("y_") && !name.starts_with("n_")) continue;
    ++judged;
    const std::string text = read_file(entry.path());
    EXPECT_EQ(document.parse(text).has_value(), name.starts_with("y_")) << name;
  }
  EXPECT_GT(judged, 50);
}

TEST(JsonCorpus, NaughtyStringsSurviveTheWayThereAndBack) {
  const std::filesystem::path path = std::filesystem::path(kCorpora) / "text/blns.json";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no shared test data beside this checkout";
  const std::string text = read_file(path);
  Document document;
  ASSERT_TRUE(document.parse(text));
  Document again;
  int strings = 0;
  for (Value v = document.root().first(); v; v = v.next()) {
    ++strings;
    const std::string utf8 = v.text().utf8();
    EXPECT_TRUE(v.equals(utf8));
    const std::string escaped = chat::escape(utf8);
    EXPECT_EQ(chat::JsonText{escaped}.utf8(), utf8);
    const std::string quoted = "\"" + escaped + "\"";
    ASSERT_TRUE(again.parse(quoted)) << quoted;
    EXPECT_TRUE(again.root().equals(utf8));
  }
  EXPECT_GT(strings, 100);
}

// Every difference between a value of ours and the element of the DOM, as text.
std::string compare(Value ours, simdjson::dom::element theirs) {
  switch (theirs.type()) {
    case simdjson::dom::element_type::NULL_VALUE:
      return ours.is_null() ? "" : "null";
    case simdjson::dom::element_type::BOOL:
      return ours.boolean() == theirs.get_bool().value_unsafe() ? "" : "boolean";
    case simdjson::dom::element_type::INT64:
      return ours.integer() == theirs.get_int64().value_unsafe() ? "" : "integer";
    case simdjson::dom::element_type::UINT64:
      return ours.integer() ? "unsigned" : "";
    case simdjson::dom::element_type::DOUBLE:
      return ours.number() == theirs.get_double().value_unsafe() ? "" : "double";
    case simdjson::dom::element_type::STRING:
      return ours.equals(theirs.get_string().value_unsafe()) ? "" : "string";
    case simdjson::dom::element_type::ARRAY:
      break;
    case simdjson::dom::element_type::OBJECT:
      break;
  }
  std::string wrong;
  Value at = ours.first();
  std::uint32_t count = 0;
  const auto one = [&](simdjson::dom::element element) {
    ++count;
    wrong += at ? compare(at, element) : "missing";
    at = at.next();
  };
  if (theirs.is_array()) {
    for (const auto element : theirs.get_array()) one(element);
  } else {
    for (const auto field : theirs.get_object()) {
      if (!at.key_is(field.key)) wrong += "name";
      one(field.value);
    }
  }
  return wrong + (at || count != ours.size() ? "size" : "");
}

class Generator {
 public:
  explicit Generator(std::uint32_t seed) : random_(seed) {}

  std::size_t below(std::size_t limit) { return random_() % limit; }

  std::string value(int depth) {
    switch (below(depth > 0 ? 9 : 6)) {
      case 0:
        return "null";
      case 1:
        return below(2) == 0 ? "true" : "false";
      case 2:
        return number();
      case 3:
      case 4:
      case 5:
        return string();
      default:
        return container(depth);
    }
  }

  // Changes a few bytes: most results are invalid, many of them barely.
  std::string mutate(std::string text) {
    constexpr std::string_view kBytes =
        "{}[],:\"\\ \n\t0123.eE+-tfnu/\x01\x1f\x7f\x80\xc3\xa9\xed\xff";
    for (std::size_t left = 1 + below(3); left > 0 && !text.empty(); --left) {
      const std::size_t at = below(text.size());
      const char byte = kBytes[below(kBytes.size())];
      switch (below(5)) {
        case 0:
          text[at] = byte;
          break;
        case 1:
          text.insert(at, 1, byte);
          break;
        case 2:
          text.erase(at, 1);
          break;
        case 3:
          text.insert(at, text.substr(below(text.size()), below(8)));
          break;
        default:
          std::swap(text[at], text[below(text.size())]);
          break;
      }
    }
    return text;
  }

 private:
  std::string space() { return std::string(below(4) == 0 ? below(5) : 0, " \n\r\t"[below(4)]); }

  std::string number() {
    constexpr std::string_view kNumbers[] = {"0",
                                             "-0",
                                             "1.5",
                                             "-2e-3",
                                             "1E+2",
                                             "123456789012345678",
                                             "9223372036854775807",
                                             "18446744073709551615",
                                             "0.1"};
    return below(2) == 0 ? std::to_string(random_()) : std::string(kNumbers[below(9)]);
  }

  std::string string() {
    constexpr std::string_view kParts[] = {
        "a",        "\\n", "\\\\", "\\\"",           "\\u00e9",
        "\xc3\xa9", "]",   ",",    "\\ud83c\\udf0d", "\xf0\x9f\x8c\x8d",
        "word ",    "\\/", ":"};
    std::string out = "\"";
    for (std::size_t left = below(12); left > 0; --left) out += kParts[below(13)];
    return out + "\"";
  }

  std::string container(int depth) {
    const bool object = below(2) == 0;
    std::string out = object ? "{" : "[";
    for (std::size_t i = 0, size = below(6); i < size; ++i) {
      if (i > 0) out += ",";
      if (object) out += space() + string() + space() + ":";
      out += space() + value(depth - 1) + space();
    }
    return out + (object ? "}" : "]");
  }

  std::mt19937 random_;
};

// Valid JSON that the DOM has no type for: numbers out of range, lone surrogates.
bool beyond_the_dom(Value value) {
  if (value.text().escaped.find("\\u") != std::string_view::npos) return true;
  if (value.key().escaped.find("\\u") != std::string_view::npos) return true;
  if (value.is_number()) return value.raw().size() >= 19 || !value.number();
  for (Value v = value.first(); v; v = v.next()) {
    if (beyond_the_dom(v)) return true;
  }
  return false;
}

void judge(std::string_view text, Document& document, simdjson::dom::parser& parser) {
  const bool ours = document.parse(text).has_value();
  simdjson::dom::element root;
  const auto code = parser.parse(text.data(), text.size()).get(root);
  if (ours && (code == simdjson::NUMBER_ERROR || code == simdjson::STRING_ERROR)) {
    ASSERT_TRUE(beyond_the_dom(document.root())) << text;
    return;
  }
  ASSERT_EQ(ours, code == simdjson::SUCCESS) << text << " " << simdjson::error_message(code);
  if (!ours) return;
  ASSERT_EQ(compare(document.root(), root), "") << text;
}

TEST(JsonOracle, AgreesWithTheDomOnGeneratedText) {
  Generator generator(7);
  Document document;
  simdjson::dom::parser parser;
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = generator.value(4);
    ASSERT_TRUE(document.parse(text)) << text;
    judge(text, document, parser);
    if (HasFatalFailure()) return;
  }
}

TEST(JsonOracle, AgreesWithTheDomOnMutatedText) {
  Generator generator(11);
  Document document;
  simdjson::dom::parser parser;
  for (int i = 0; i < 60'000; ++i) {
    judge(generator.mutate(generator.value(3)), document, parser);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace nl::dialect
