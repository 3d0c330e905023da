// What strictness costs: Document::parse on one turn of a coding agent (112 KB: long system blocks,
// 22 tools, 14 tool results full of escaped source) against simdjson's DOM, which checks as much
// but unescapes every string. Recorded requests, where the working copy has them, run as well.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <simdjson.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "chat/text.h"
#include "dialect/json.h"

namespace {

using nl::chat::escape;

constexpr std::string_view kProse =
    "You are a coding agent. Follow the user's instructions; prefer editing existing files; never "
    "guess. ";
constexpr std::string_view kRecorded = "../shared/data/captures/claude-code/parallel-tools.json";

std::string repeat(std::string_view text, std::size_t bytes) {
  std::string out;
  while (out.size() < bytes) out += text;
  out.resize(bytes);
  return out;
}

// Source code with tabs, line ends, quotes and backslashes: every eighth byte needs an escape.
std::string source(std::size_t bytes, std::uint32_t seed) {
  std::string out;
  std::uint32_t x = seed;
  while (out.size() < bytes) {
    x = (x * 1103515245u + 12345u) % 2147483648u;
    out += fmt::format(
        "\tif (node->kind == {} && name == \"sym_{:x}\") {{\n\t\treturn "
        "emit(\"path\\\\to\\\\{}\", /* caf\xc3\xa9 */ {});\n\t}}\n",
        x % 97, x, x % 1000, x % 7);
  }
  out.resize(bytes);
  return out;
}

std::string tool(int index) {
  const auto many = static_cast<std::size_t>(index);
  std::string out = fmt::format(R"({{"name":"Tool{:02}","description":"{}","input_schema":)", index,
                                repeat(kProse, 900 + 11 * many));
  out += R"({"$schema":"http://json-schema.org/draft-07/schema#","type":"object",)"
         R"("additionalProperties":false,"required":["file_path"],"properties":{)";
  const char* separator = "";
  for (const auto& [name, type] : {std::pair{"file_path", "string"},
                                   {"pattern", "string"},
                                   {"limit", "integer"},
                                   {"offset", "integer"},
                                   {"recursive", "boolean"},
                                   {"glob", "string"}}) {
    out += fmt::format(R"({}"{}":{{"type":"{}","description":"{}"}})", separator, name, type,
                       kProse.substr(0, 60 + 3 * many));
    separator = ",";
  }
  return out + "}}}";
}

std::string turn(int index) {
  return fmt::format(
      R"(,{{"role":"assistant","content":[{{"type":"text","text":"I'll look at file {0}."}},)"
      R"({{"type":"tool_use","id":"toolu_{0:022}","name":"Tool{0:02}","input":)"
      R"j({{"file_path":"/src/parser/file_{0}.cc","limit":200,"pattern":"emit\\(.*\\)"}}}}]}},)j"
      R"({{"role":"user","content":[{{"type":"tool_result","tool_use_id":"toolu_{0:022}",)"
      R"("content":[{{"type":"text","text":"{1}"}}]}}]}})",
      index, escape(source(3150, static_cast<std::uint32_t>(index + 1))));
}

std::string agent_request() {
  std::string out = fmt::format(
      R"({{"model":"claude-mock","max_tokens":32000,"stream":true,"system":[)"
      R"({{"type":"text","text":"{}","cache_control":{{"type":"ephemeral"}}}},)"
      R"({{"type":"text","text":"{}","cache_control":{{"type":"ephemeral"}}}}],"tools":[)",
      kProse, repeat(kProse, kProse.size() * 130));
  for (int i = 0; i < 22; ++i) out += (i == 0 ? "" : ",") + tool(i);
  out += fmt::format(
      R"(],"metadata":{{"user_id":"user_mock"}},"messages":[{{"role":"user","content":[)"
      R"({{"type":"text","text":"{}"}}]}})",
      escape("<system-reminder>\nContext follows.\n</system-reminder>\n" +
             repeat(kProse, kProse.size() * 12)));
  for (int i = 0; i < 14; ++i) out += turn(i);
  return out + "]}";
}

// The largest request body of a recording, or nothing.
std::string recorded_request() {
  std::ifstream file{std::filesystem::path(kRecorded), std::ios::binary};
  if (!file) return {};
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  nl::dialect::Document document;
  if (!document.parse(text)) return {};
  std::string largest;
  const auto exchanges = document.root()["exchanges"];
  for (auto one = exchanges.first(); one; one = one.next()) {
    const auto body = one["body"];
    std::string bytes = body.is_string() ? body.text().utf8() : std::string(body.raw());
    if (bytes.size() > largest.size()) largest = std::move(bytes);
  }
  return largest;
}

void count_bytes(benchmark::State& state, const std::string& text) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
  state.counters["bytes"] = static_cast<double>(text.size());
}

void strict(benchmark::State& state, const std::string& text) {
  nl::dialect::Document document;
  for (auto _ : state) {
    if (!document.parse(text, nl::dialect::DuplicateKeys::refuse_top_level)) {
      state.SkipWithError("refused");
      break;
    }
    benchmark::DoNotOptimize(document.root());
  }
  count_bytes(state, text);
}

void dom(benchmark::State& state, const std::string& text) {
  simdjson::dom::parser parser;
  const simdjson::padded_string padded(text);
  for (auto _ : state) {
    simdjson::dom::element root;
    if (parser.parse(padded).get(root) != simdjson::SUCCESS) {
      state.SkipWithError("refused");
      break;
    }
    benchmark::DoNotOptimize(root);
  }
  count_bytes(state, text);
}

void utf8_only(benchmark::State& state, const std::string& text) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(simdjson::validate_utf8(text.data(), text.size()));
  }
  count_bytes(state, text);
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  const std::string agent = agent_request();
  const std::string recorded = recorded_request();
  benchmark::RegisterBenchmark("agent/strict", strict, agent);
  benchmark::RegisterBenchmark("agent/dom", dom, agent);
  benchmark::RegisterBenchmark("agent/utf8_only", utf8_only, agent);
  if (!recorded.empty()) {
    benchmark::RegisterBenchmark("recorded/strict", strict, recorded);
    benchmark::RegisterBenchmark("recorded/dom", dom, recorded);
  }
  benchmark::RunSpecifiedBenchmarks();
}
