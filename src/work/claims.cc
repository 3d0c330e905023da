#include "work/claims.h"

#include <algorithm>

#include "dialect/json.h"
#include "work/pieces.h"

namespace nl::work {
namespace {

constexpr std::size_t kClaimBytesMax = 2000;
constexpr std::size_t kClaimsMax = 200;
// Of one claim as JSON.
constexpr std::size_t kObjectBytesMax = std::size_t{32} << 10U;
// Of damaged JSON, in all looks together.
constexpr std::size_t kSalvageBytesMax = std::size_t{16} << 20U;
// A quote of fewer letters may stand anywhere.
constexpr std::size_t kQuoteLettersMin = 6;

// The letters and digits of a text, lower case, single spaces between words, and where each was.
struct Plain {
  std::string text;
  std::vector<std::size_t> at;
};

Plain plain_of(std::string_view text) {
  Plain plain;
  bool gap = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool upper = byte >= 'A' && byte <= 'Z';
    const bool kept =
        upper || (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte >= 0x80;
    if (!kept) {
      gap = true;
      continue;
    }
    if (gap && !plain.text.empty()) {
      plain.text += ' ';
      plain.at.push_back(i);
    }
    gap = false;
    plain.text += static_cast<char>(upper ? byte | 0x20 : byte);
    plain.at.push_back(i);
  }
  return plain;
}

// The longest piece of a quote that leaves something out.
std::string_view longest_piece(std::string_view quote) {
  std::string_view longest;
  while (true) {
    const std::size_t dots = std::min(quote.find("..."), quote.find("\xE2\x80\xA6"));
    const std::string_view piece = quote.substr(0, dots);
    if (piece.size() > longest.size()) longest = piece;
    if (dots == std::string_view::npos) return longest;
    quote.remove_prefix(dots + 3);
  }
}

std::string text_of(const dialect::Value& value) {
  std::string text = value.text().utf8();
  if (text.size() > kClaimBytesMax) {
    text.resize(kClaimBytesMax);
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xc0U) == 0x80U) {
      text.pop_back();
    }
    if (!text.empty() && static_cast<unsigned char>(text.back()) >= 0xc0U) text.pop_back();
  }
  std::ranges::replace(text, '\n', ' ');
  return text;
}

Claim claim_of(const dialect::Value& item) {
  Claim claim;
  claim.text = text_of(item["claim"]);
  claim.quote = text_of(item["quote"]);
  return claim;
}

// Where the flat object that begins at `at` closes, or where it turns out to be none: at the next
// brace that opens, or at the bound.
struct Flat {
  std::size_t end = 0;
  bool closes = false;
};

Flat flat_object(std::string_view text, std::size_t at) {
  bool inside = false;  // a string
  const std::size_t last = std::min(text.size(), at + kObjectBytesMax);
  for (std::size_t i = at + 1; i < last; ++i) {
    const char c = text[i];
    if (inside) {
      if (c == '\\') ++i;
      inside = c != '"';
      continue;
    }
    if (c == '{' || c == '}') return {i, c == '}'};
    inside = c == '"';
  }
  return {last, false};
}

// The claims that are whole, each a flat object.
std::vector<Claim> whole_claims(std::string_view text) {
  std::vector<Claim> claims;
  std::size_t looked_at = 0;
  std::size_t at = text.find('{');
  while (at != std::string_view::npos && claims.size() < kClaimsMax) {
    const Flat flat = flat_object(text, at);
    looked_at += flat.end - at;
    if (looked_at > kSalvageBytesMax) break;
    dialect::Document document;
    Claim claim;
    if (flat.closes && document.parse(text.substr(at, flat.end + 1 - at))) {
      claim = claim_of(document.root());
    }
    const bool whole = !claim.text.empty();
    if (whole) claims.push_back(std::move(claim));
    at = text.find('{', whole ? flat.end : at + 1);
  }
  return claims;
}

}  // namespace

const std::string_view kClaimsSchema =
    R"({"type":"object","properties":{"claims":{"type":"array","items":{"type":"object",)"
    R"("properties":{"claim":{"type":"string"},"quote":{"type":"string"}},)"
    R"("required":["claim","quote"],"additionalProperties":false}}},)"
    R"("required":["claims"],"additionalProperties":false})";

std::optional<std::vector<Claim>> read_claims(std::string_view answer) {
  const std::size_t begin = answer.find('{');
  const std::size_t end = answer.rfind('}');
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) {
    return std::nullopt;
  }
  dialect::Document document;
  std::vector<Claim> claims;
  if (document.parse(answer.substr(begin, end + 1 - begin))) {
    const dialect::Value list = document.root()["claims"];
    for (dialect::Value item = list.first(); item && claims.size() < kClaimsMax;
         item = item.next()) {
      Claim claim = claim_of(item);
      if (!claim.text.empty()) claims.push_back(std::move(claim));
    }
    if (list.is_array()) return claims;
  }
  claims = whole_claims(answer);
  if (claims.empty()) return std::nullopt;
  return claims;
}

std::optional<std::size_t> find_quote(std::string_view text, std::string_view quote) {
  const std::string wanted = plain_of(longest_piece(quote)).text;
  if (wanted.size() < kQuoteLettersMin) return std::nullopt;
  const Plain plain = plain_of(text);
  std::size_t found = plain.text.find(wanted);
  if (found == std::string::npos && wanted.size() >= 40) {
    found = plain.text.find(wanted.substr(0, wanted.size() / 2));
  }
  if (found == std::string::npos) return std::nullopt;
  return plain.at[found];
}

void locate(std::vector<Claim>& claims, const documents::Document& document, std::size_t from,
            std::size_t to) {
  const std::string_view part = std::string_view(document.text).substr(from, to - from);
  for (Claim& claim : claims) {
    const auto at = find_quote(part, claim.quote);
    claim.found = at.has_value();
    claim.place = at ? place_at(document, from + *at) : place_of(document, from, to);
  }
}

}  // namespace nl::work
