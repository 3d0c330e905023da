// Anthropic: the Messages dialect, version 2023-06-01.
//
// Requests are read with an open schema: roles, blocks and fields we do not know are kept or left
// alone, because clients are ahead of any list. Encoded requests keep to the strictest rules known.
// The pass-through lane (splice) changes bytes only where a body would else be refused or tell a
// stranger what was meant for the vendor. Stateless: any thread may call; a reader or writer
// belongs to one answer.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "dialect/dialect.h"

namespace nl::dialect {

class Anthropic final : public Dialect {
 public:
  DialectId id() const override { return DialectId::anthropic; }
  Result<chat::Request> decode_request(const Document& document) const override;
  Result<std::string> encode_request(const chat::Request& request,
                                     const EncodeOptions& options) const override;
  std::string splice(const Document& document, const SpliceOptions& options) const override;
  std::unique_ptr<Reader> make_reader() const override;
  std::unique_ptr<Writer> make_writer(AnswerContext context) const override;
  std::string error_body(const Error& error, std::string_view request_id) const override;
  UpstreamError read_error(int status, std::string_view body) const override;
  void append_renamed(const SseFrame& frame, const Renaming& names,
                      std::string& out) const override;
  bool opens_answer(const SseFrame& frame) const override;
};

namespace anthropic {

// The text of a system block that begins so is the client's billing note to its own vendor.
inline constexpr std::string_view kBillingMark = "x-anthropic-billing-header";

// Signatures of thinking that came from another vendor begin so: clients want one and send it back.
inline constexpr std::string_view kMintedMark = "nl1.";

// True when `block`, an element of `system`, is the billing note.
bool is_billing_block(const Value& block);

// The vendor's error type for an HTTP status, and back (0 = unknown type).
std::string_view error_type(int status);
int error_status(std::string_view type);

// The members `type` and `error` of error bodies and error events, for JsonWriter::members().
std::string error_members(const Error& error);

// The error that an object with an `error` member states; empty where it states nothing.
UpstreamError error_stated(const Value& object);

}  // namespace anthropic
}  // namespace nl::dialect
