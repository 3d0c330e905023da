#include "dialect/json_escapes.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "dialect/json.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace nl::dialect {
namespace {

constexpr std::size_t kBlock = 64;
constexpr std::uint64_t kEvenBits = 0x5555555555555555;

#ifdef __SSE2__

// One bit a byte of a block: backslashes, the letter u, and what may follow a backslash. SSE2 is
// the baseline of x86-64: no dispatch at run time is needed.
__m128i load(const char* p) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}

__m128i equal(__m128i bytes, char wanted) {
  return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(wanted));
}

std::uint64_t bits(__m128i hits) {
  return static_cast<std::uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(hits)));
}

// `find` of each quarter of the block at `p`, as one bit a byte. Written out: GCC does not unroll
// such a loop at -O2.
template <typename Find>
std::uint64_t block_bits(const char* p, Find find) {
  return bits(find(load(p))) | bits(find(load(p + 16))) << 16 | bits(find(load(p + 32))) << 32 |
         bits(find(load(p + 48))) << 48;
}

std::uint64_t backslash_bits(const char* p) {
  return block_bits(p, [](__m128i bytes) { return equal(bytes, '\\'); });
}

std::uint64_t unicode_bits(const char* p) {
  return block_bits(p, [](__m128i bytes) { return equal(bytes, 'u'); });
}

std::uint64_t allowed_bits(const char* p) {
  return block_bits(p, [](__m128i bytes) {
    const __m128i b_or_f = equal(_mm_or_si128(bytes, _mm_set1_epi8('b' ^ 'f')), 'f');
    const __m128i t_or_u = equal(_mm_or_si128(bytes, _mm_set1_epi8('t' ^ 'u')), 'u');
    const __m128i n_or_r = _mm_or_si128(equal(bytes, 'n'), equal(bytes, 'r'));
    const __m128i quote_or_slash = _mm_or_si128(equal(bytes, '"'), equal(bytes, '/'));
    const __m128i letters = _mm_or_si128(_mm_or_si128(b_or_f, t_or_u), n_or_r);
    return _mm_or_si128(letters, _mm_or_si128(quote_or_slash, equal(bytes, '\\')));
  });
}

std::uint64_t surrogate_bits(const char* p) {
  const auto here = [](const char* at) {
    const __m128i d = equal(_mm_or_si128(load(at + 2), _mm_set1_epi8('d' ^ 'D')), 'd');
    return bits(_mm_and_si128(_mm_and_si128(equal(load(at), '\\'), equal(load(at + 1), 'u')), d));
  };
  return here(p) | here(p + 16) | here(p + 32) | here(p + 48);
}

#else

template <typename Find>
std::uint64_t block_bits(const char* p, Find find) {
  std::uint64_t out = 0;
  for (unsigned i = 0; i < kBlock; ++i) out |= std::uint64_t{find(p[i])} << i;
  return out;
}

std::uint64_t backslash_bits(const char* p) {
  return block_bits(p, [](char c) { return c == '\\'; });
}

std::uint64_t unicode_bits(const char* p) {
  return block_bits(p, [](char c) { return c == 'u'; });
}

std::uint64_t allowed_bits(const char* p) {
  return block_bits(p, [](char c) { return std::string_view("\"\\/bfnrtu").contains(c); });
}

std::uint64_t surrogate_bits(const char* p) {
  for (unsigned i = 0; i < kBlock; ++i) {
    if (p[i] == '\\' && p[i + 1] == 'u' && (p[i + 2] | 0x20) == 'd') return 1;
  }
  return 0;
}

#endif

// The bytes that a backslash escapes, out of the backslashes of one block; `carry` is 1 when the
// block before ended in a backslash that escapes this one's first byte. Runs that begin on an odd
// bit are told from those on an even bit by the carry of one addition.
std::uint64_t escaped_bits(std::uint64_t backslashes, std::uint64_t& carry) {
  backslashes &= ~carry;
  const std::uint64_t follows = backslashes << 1 | carry;
  const std::uint64_t odd_starts = backslashes & ~kEvenBits & ~follows;
  std::uint64_t even_runs = 0;
  carry = __builtin_add_overflow(odd_starts, backslashes, &even_runs) ? 1 : 0;
  return (kEvenBits ^ even_runs << 1) & follows;
}

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// Checks the escaped bytes of the block at `block`, a copy of `text` from `at` on.
std::optional<JsonFault> check_block(std::string_view text, std::size_t at, const char* block,
                                     std::uint64_t escaped) {
  const auto fault = [at](std::uint64_t mask) {
    return JsonFault{"invalid escape", at + static_cast<std::size_t>(std::countr_zero(mask)) - 1};
  };
  const std::uint64_t unknown = escaped & ~allowed_bits(block);
  if (unknown != 0) return fault(unknown);
  for (std::uint64_t left = escaped & unicode_bits(block); left != 0; left &= left - 1) {
    const std::size_t digits = at + static_cast<std::size_t>(std::countr_zero(left)) + 1;
    if (text.size() - digits < 4 || !std::ranges::all_of(text.substr(digits, 4), is_hex)) {
      return fault(left);
    }
  }
  return std::nullopt;
}

}  // namespace

bool may_hold_surrogate(std::string_view json) {
  const char* p = json.data();
  std::size_t left = json.size();
  // Three loads, one and two bytes apart, put the three characters of one place side by side.
  while (left >= kBlock + 2) {
    if (surrogate_bits(p) != 0) return true;
    p += kBlock;
    left -= kBlock;
  }
  for (; left >= 3; ++p, --left) {
    if (p[0] == '\\' && p[1] == 'u' && (p[2] == 'd' || p[2] == 'D')) return true;
  }
  return false;
}

std::optional<JsonFault> JsonEscapes::run(std::string_view text) {
  const std::size_t whole = text.size() / kBlock;
  backslashes_.resize(whole + 1);
  // The zeros behind the end are no valid escape, so that a last backslash is refused.
  std::array<char, kBlock> rest{};
  std::memcpy(rest.data(), text.data() + whole * kBlock, text.size() % kBlock);
  std::uint64_t carry = 0;
  std::uint64_t* out = backslashes_.data();
  for (std::size_t at = 0; at <= text.size(); at += kBlock) {
    const char* block = text.size() - at < kBlock ? rest.data() : text.data() + at;
    const std::uint64_t found = backslash_bits(block);
    *out++ = found;
    if ((found | carry) == 0) continue;
    if (const auto fault = check_block(text, at, block, escaped_bits(found, carry))) return fault;
  }
  return std::nullopt;
}

bool JsonEscapes::any(std::size_t begin, std::size_t end) const {
  if (begin >= end) return false;
  std::size_t word = begin / kBlock;
  const std::size_t last = (end - 1) / kBlock;
  std::uint64_t bits = backslashes_[word] & ~std::uint64_t{0} << begin % kBlock;
  while (bits == 0 && word < last) bits = backslashes_[++word];
  if (word == last) bits &= ~std::uint64_t{0} >> (kBlock - 1 - (end - 1) % kBlock);
  return bits != 0;
}

void JsonEscapes::trim() {
  if (backslashes_.capacity() * sizeof(std::uint64_t) <= kJsonKeptBytesMax) return;
  backslashes_ = {};
}

}  // namespace nl::dialect
