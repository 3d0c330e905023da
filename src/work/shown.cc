#include "work/shown.h"

#include <fmt/format.h>

#include <iterator>

#include "dialect/json_writer.h"

namespace nl::work {
namespace {

using Out = std::back_insert_iterator<std::string>;

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

std::int64_t ms(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

std::string tier_text(std::string_view tier) {
  if (tier == "frontier") return "tier 1 frontier";
  if (tier == "router") return "tier 2 router";
  return tier == "local" ? "tier 3 local" : std::string(tier);
}

// Small amounts are most of them: two digits would say nothing.
std::string money(double usd) {
  if (usd == 0) return "$0";
  return usd < 0.1 ? fmt::format("${:.4f}", usd) : fmt::format("${:.2f}", usd);
}

std::string cost_text(const Effort& effort) {
  if (effort.unpriced == 0) return money(effort.cost_usd);
  if (effort.unpriced == effort.asked) return "no known price";
  return fmt::format("{} and {} answers without a known price", money(effort.cost_usd),
                     effort.unpriced);
}

void write_effort(dialect::JsonWriter& json, const Effort& effort) {
  json.integer("asked", static_cast<std::int64_t>(effort.asked));
  json.integer("known", static_cast<std::int64_t>(effort.known));
  json.integer("input_tokens", static_cast<std::int64_t>(effort.input_tokens));
  json.integer("output_tokens", static_cast<std::int64_t>(effort.output_tokens));
  json.key("cost_usd");
  if (effort.unpriced > 0) {
    json.null();
  } else {
    json.number(effort.cost_usd);
  }
  json.integer("ms", ms(effort.took));
}

}  // namespace

std::string visible(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0U;
    // U+0080 to U+009F: the same commands in another form.
    if (byte == 0xc2 && next >= 0x80 && next <= 0x9f) {
      ++i;
      continue;
    }
    if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f) continue;
    out += text[i];
  }
  return out;
}

std::string line_about(const Reply& reply) {
  std::string line;
  Out out(line);
  fmt::format_to(out, "{}, {}/{}: {} tokens in, {} out{}, ", tier_text(reply.tier), reply.provider,
                 reply.model, reply.input_tokens, reply.output_tokens,
                 reply.usage_estimated ? " (estimated)" : "");
  line += reply.cost_usd ? money(*reply.cost_usd) : "no known price";
  fmt::format_to(out, ", {:.1f} s", seconds(reply.whole));
  if (reply.first_token > Duration::zero()) {
    fmt::format_to(out, " (first words after {:.1f} s)", seconds(reply.first_token));
  }
  if (!reply.reason.empty()) fmt::format_to(out, "; {}", reply.reason);
  return line;
}

std::string trouble_of(const Reply& reply) {
  std::string trouble;
  if (!reply.compacted.empty()) {
    trouble = fmt::format(
        "what was asked was shortened to fit {}/{}: {}; `nightlight ask research` "
        "reads all of it part by part",
        reply.provider, reply.model, reply.compacted);
  }
  if (reply.stop_reason == "max_tokens") {
    trouble += trouble.empty() ? "" : "; ";
    trouble += "the answer ends where its limit was reached; --max-tokens raises it";
  }
  if (reply.stop_reason == "refusal") {
    trouble += trouble.empty() ? "" : "; ";
    trouble += "the model refused to answer";
  }
  return trouble;
}

std::string json_of(const Reply& reply, const std::vector<documents::Document>& documents,
                    std::string_view recipe) {
  std::string text;
  dialect::JsonWriter json(text);
  json.begin_object().string("answer", reply.text).string("recipe", recipe);
  json.string("tier", reply.tier).string("provider", reply.provider).string("model", reply.model);
  json.string("reason", reply.reason).string("request_id", reply.request_id);
  json.string("stop_reason", reply.stop_reason).string("compacted", reply.compacted);
  json.integer("input_tokens", static_cast<std::int64_t>(reply.input_tokens));
  json.integer("output_tokens", static_cast<std::int64_t>(reply.output_tokens));
  json.boolean("usage_estimated", reply.usage_estimated).key("cost_usd");
  if (reply.cost_usd) {
    json.number(*reply.cost_usd);
  } else {
    json.null();
  }
  json.integer("first_token_ms", ms(reply.first_token)).integer("ms", ms(reply.whole));
  json.key("files").begin_array();
  for (const documents::Document& document : documents) {
    json.begin_object().string("name", document.name);
    json.string("kind", documents::name(document.kind)).key("notes").begin_array();
    for (const std::string& note : document.notes) json.string(note);
    json.end_array().end_object();
  }
  json.end_array().end_object();
  return text += '\n';
}

std::string sources_text(const ResearchResult& result) {
  if (result.sources.empty()) return {};
  std::string text = "\nSources\n";
  Out out(text);
  for (const Source& source : result.sources) {
    fmt::format_to(out, "[{}] {}, {}", source.number, source.document, source.place);
    if (source.found) {
      fmt::format_to(out, ": \"{}\"\n", source.quote);
    } else {
      fmt::format_to(out, ": {} (not found in these words)\n", source.claim);
    }
  }
  return text;
}

std::string line_about(const ResearchResult& result) {
  const Effort& effort = result.effort;
  std::string line;
  Out out(line);
  fmt::format_to(out, "read {} of {} documents, {} statements in them; asked {} times",
                 result.documents, result.documents + result.unread.size(), result.claims,
                 effort.asked);
  if (effort.known > 0) fmt::format_to(out, ", {} parts known from before", effort.known);
  fmt::format_to(out, ", {} tokens in, {} out, {}, {:.0f} s", effort.input_tokens,
                 effort.output_tokens, cost_text(effort), seconds(effort.took));
  if (!result.who.empty()) fmt::format_to(out, "; answered by {}", result.who);
  return line;
}

std::string json_of(const ResearchResult& result) {
  std::string text;
  dialect::JsonWriter json(text);
  json.begin_object().string("answer", result.answer).string("recipe", "research");
  json.integer("documents", static_cast<std::int64_t>(result.documents));
  json.integer("claims", static_cast<std::int64_t>(result.claims));
  json.string("who", result.who).key("sources").begin_array();
  for (const Source& source : result.sources) {
    json.begin_object().integer("number", static_cast<std::int64_t>(source.number));
    json.string("document", source.document).string("place", source.place);
    json.string("claim", source.claim).string("quote", source.quote);
    json.boolean("found", source.found).end_object();
  }
  json.end_array().key("no_sources").begin_array();
  for (const std::size_t number : result.no_sources) {
    json.integer(static_cast<std::int64_t>(number));
  }
  json.end_array().key("unread").begin_array();
  for (const Unread& unread : result.unread) {
    json.begin_object().string("document", unread.document).string("why", unread.why).end_object();
  }
  json.end_array().key("left_out").begin_array();
  for (const Unread& file : result.left_out) {
    json.begin_object().string("document", file.document).string("why", file.why).end_object();
  }
  json.end_array().boolean("cut", result.cut);
  write_effort(json, result.effort);
  json.end_object();
  return text += '\n';
}

std::string markdown_of(const ResearchResult& result, std::string_view question) {
  std::string text = fmt::format("# {}\n\n{}\n", question, result.answer);
  Out out(text);
  if (!result.sources.empty()) fmt::format_to(out, "\n## Sources\n\n");
  for (const Source& source : result.sources) {
    fmt::format_to(out, "* [{}] {}, {}: {}\n", source.number, source.document, source.place,
                   source.found ? "\"" + source.quote + "\"" : source.claim);
  }
  if (result.cut) fmt::format_to(out, "\nThe answer ends where its limit was reached.\n");
  if (!result.unread.empty()) fmt::format_to(out, "\n## Not read\n\n");
  for (const Unread& unread : result.unread) {
    fmt::format_to(out, "* {}: {}\n", unread.document, unread.why);
  }
  fmt::format_to(out, "\n{}\n", line_about(result));
  return text;
}

}  // namespace nl::work
