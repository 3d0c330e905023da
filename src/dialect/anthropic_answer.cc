#include "dialect/anthropic_answer.h"

#include <fmt/format.h>

#include <algorithm>

#include "dialect/anthropic.h"
#include "dialect/tool_id.h"
#include "dialect/turns.h"

namespace nl::dialect::anthropic {
namespace {

using chat::BlockKind;
using chat::DeltaKind;
using chat::Event;
using chat::EventKind;
using chat::JsonText;
using chat::StopReason;

std::string base64(std::string_view bytes) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t left = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t group = 0;
    for (std::size_t byte = 0; byte < 3; ++byte) {
      const auto value = byte < left ? static_cast<unsigned char>(bytes[at + byte]) : 0U;
      group = group << 8 | value;
    }
    for (std::size_t digit = 0; digit < 4; ++digit) {
      out += digit <= left ? kAlphabet[group >> (18 - 6 * digit) & 0x3F] : '=';
    }
  }
  return out;
}

}  // namespace

std::string_view reason_name(StopReason reason) {
  switch (reason) {
    case StopReason::none:
    case StopReason::end_turn:
    case StopReason::error:
      return "end_turn";
    case StopReason::tool_use:
      return "tool_use";
    case StopReason::max_tokens:
      return "max_tokens";
    case StopReason::stop_sequence:
      return "stop_sequence";
    case StopReason::refusal:
      return "refusal";
    case StopReason::pause:
      return "pause_turn";
  }
  return "end_turn";
}

void Tally::take(const Event& event) {
  usage_.merge(event.usage);
  if (event.kind == EventKind::delta) text_bytes_ += event.text.escaped.size();
  if (event.kind == EventKind::block_start) saw_tool_ |= event.block == BlockKind::tool;
}

StopReason Tally::stop(StopReason stated) const {
  const bool plain = stated == StopReason::none || stated == StopReason::end_turn ||
                     stated == StopReason::tool_use;
  if (!plain) return stated;
  return saw_tool_ ? StopReason::tool_use : StopReason::end_turn;
}

void Tally::append_usage(JsonWriter& json) const {
  const bool is_stated = usage_.input || usage_.cache_read;
  const auto counted = static_cast<std::int64_t>(text_bytes_) * 10 / 36;
  json.begin_object();
  json.integer("input_tokens", is_stated ? usage_.input.value_or(0) : input_estimate_);
  json.integer("cache_creation_input_tokens", usage_.cache_write.value_or(0));
  json.integer("cache_read_input_tokens", usage_.cache_read.value_or(0));
  json.integer("output_tokens", usage_.output.value_or(std::max<std::int64_t>(counted, 1)));
  json.end_object();
}

void Signature::take(const Event& event) {
  signed_ |= event.delta == DeltaKind::signature;
  for (const char byte : event.text.escaped) {
    hash_ = (hash_ ^ static_cast<unsigned char>(byte)) * 0x100000001b3ULL;
  }
}

std::string Signature::mint() const {
  return std::string(kMintedMark) + base64(fmt::format("{:016x}", hash_));
}

void MessageFolder::fold(const Event& event) {
  tally_.take(event);
  switch (event.kind) {
    case EventKind::block_start:
      block_ = Block{event.block, {}, std::string(event.name.escaped), {}, {}};
      if (event.block == BlockKind::tool) block_.id = fit_tool_id(event.id);
      signature_.begin();
      return;
    case EventKind::delta:
      return delta(event);
    case EventKind::block_stop:
      return close_block();
    case EventKind::finish:
      stop_ = event.stop;
      stop_sequence_ = event.stop_sequence.escaped;
      return;
    case EventKind::start:
    case EventKind::usage:
    case EventKind::ping:
    case EventKind::progress:
    case EventKind::error:
      return;
  }
}

std::string MessageFolder::whole() const {
  std::string out;
  out.reserve(content_.size() + 512);
  JsonWriter json(out);
  json.begin_object().string("id", context_.id).string("type", "message");
  json.string("role", "assistant").string("model", context_.model);
  json.key("content").begin_array().members(content_).end_array();
  json.string("stop_reason", reason_name(tally_.stop(stop_))).key("stop_sequence");
  stop_sequence_.empty() ? json.null() : json.text(JsonText{stop_sequence_});
  json.key("usage");
  tally_.append_usage(json);
  json.end_object();
  return out;
}

void MessageFolder::delta(const Event& event) {
  switch (event.delta) {
    case DeltaKind::text:
    case DeltaKind::arguments:
      block_.text += event.text.escaped;
      return;
    case DeltaKind::thinking:
      block_.text += event.text.escaped;
      signature_.take(event);
      return;
    case DeltaKind::signature:
      block_.signature += event.text.escaped;
      return;
    case DeltaKind::opaque:
      return;
  }
}

void MessageFolder::close_block() {
  if (!is_written()) return;
  if (!content_.empty()) content_ += ',';
  JsonWriter json(content_);
  json.begin_object();
  switch (block_.kind) {
    case BlockKind::text:
      json.string("type", "text").text("text", JsonText{block_.text});
      break;
    case BlockKind::thinking:
      if (block_.signature.empty()) block_.signature = signature_.mint();
      json.string("type", "thinking").text("thinking", JsonText{block_.text});
      json.text("signature", JsonText{block_.signature});
      break;
    case BlockKind::tool:
      json.string("type", "tool_use").string("id", block_.id).text("name", JsonText{block_.name});
      json.raw("input", {arguments_object(JsonText{block_.text})});
      break;
    case BlockKind::opaque:
      break;
  }
  json.end_object();
}

bool MessageFolder::is_written() const {
  switch (block_.kind) {
    case BlockKind::text:
      return !block_.text.empty();
    case BlockKind::thinking:
      return !block_.text.empty() || !block_.signature.empty();
    case BlockKind::tool:
      return true;
    case BlockKind::opaque:
      return false;
  }
  return false;
}

}  // namespace nl::dialect::anthropic
