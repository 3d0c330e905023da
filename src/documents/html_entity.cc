#include "documents/html_entity.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <optional>

#include "documents/text_encoding.h"

namespace nl::documents {
namespace {

struct Entity {
  std::string_view name;
  char32_t code;
};

constexpr std::array kEntities = {
    Entity{"AElig", 0xC6},    Entity{"Aacute", 0xC1},   Entity{"Acirc", 0xC2},
    Entity{"Agrave", 0xC0},   Entity{"Aring", 0xC5},    Entity{"Atilde", 0xC3},
    Entity{"Auml", 0xC4},     Entity{"Ccedil", 0xC7},   Entity{"Eacute", 0xC9},
    Entity{"Ecirc", 0xCA},    Entity{"Egrave", 0xC8},   Entity{"Euml", 0xCB},
    Entity{"Iacute", 0xCD},   Entity{"Ntilde", 0xD1},   Entity{"Oacute", 0xD3},
    Entity{"Oslash", 0xD8},   Entity{"Ouml", 0xD6},     Entity{"Uacute", 0xDA},
    Entity{"Uuml", 0xDC},     Entity{"aacute", 0xE1},   Entity{"acirc", 0xE2},
    Entity{"aelig", 0xE6},    Entity{"agrave", 0xE0},   Entity{"amp", '&'},
    Entity{"apos", '\''},     Entity{"aring", 0xE5},    Entity{"asymp", 0x2248},
    Entity{"atilde", 0xE3},   Entity{"auml", 0xE4},     Entity{"bdquo", 0x201E},
    Entity{"bull", 0x2022},   Entity{"ccedil", 0xE7},   Entity{"cent", 0xA2},
    Entity{"check", 0x2713},  Entity{"copy", 0xA9},     Entity{"darr", 0x2193},
    Entity{"deg", 0xB0},      Entity{"divide", 0xF7},   Entity{"eacute", 0xE9},
    Entity{"ecirc", 0xEA},    Entity{"egrave", 0xE8},   Entity{"emsp", ' '},
    Entity{"ensp", ' '},      Entity{"euml", 0xEB},     Entity{"euro", 0x20AC},
    Entity{"frac12", 0xBD},   Entity{"frac14", 0xBC},   Entity{"frac34", 0xBE},
    Entity{"ge", 0x2265},     Entity{"gt", '>'},        Entity{"hellip", 0x2026},
    Entity{"iacute", 0xED},   Entity{"icirc", 0xEE},    Entity{"iexcl", 0xA1},
    Entity{"igrave", 0xEC},   Entity{"iquest", 0xBF},   Entity{"iuml", 0xEF},
    Entity{"laquo", 0xAB},    Entity{"larr", 0x2190},   Entity{"ldquo", 0x201C},
    Entity{"le", 0x2264},     Entity{"lsaquo", 0x2039}, Entity{"lsquo", 0x2018},
    Entity{"lt", '<'},        Entity{"mdash", 0x2014},  Entity{"middot", 0xB7},
    Entity{"minus", 0x2212},  Entity{"nbsp", ' '},      Entity{"ndash", 0x2013},
    Entity{"ne", 0x2260},     Entity{"ntilde", 0xF1},   Entity{"oacute", 0xF3},
    Entity{"ocirc", 0xF4},    Entity{"oelig", 0x153},   Entity{"ograve", 0xF2},
    Entity{"ordm", 0xBA},     Entity{"oslash", 0xF8},   Entity{"otilde", 0xF5},
    Entity{"ouml", 0xF6},     Entity{"para", 0xB6},     Entity{"plusmn", 0xB1},
    Entity{"pound", 0xA3},    Entity{"quot", '"'},      Entity{"raquo", 0xBB},
    Entity{"rarr", 0x2192},   Entity{"rdquo", 0x201D},  Entity{"reg", 0xAE},
    Entity{"rsaquo", 0x203A}, Entity{"rsquo", 0x2019},  Entity{"sbquo", 0x201A},
    Entity{"sect", 0xA7},     Entity{"sup2", 0xB2},     Entity{"sup3", 0xB3},
    Entity{"szlig", 0xDF},    Entity{"thinsp", ' '},    Entity{"times", 0xD7},
    Entity{"trade", 0x2122},  Entity{"uacute", 0xFA},   Entity{"uarr", 0x2191},
    Entity{"ucirc", 0xFB},    Entity{"ugrave", 0xF9},   Entity{"uuml", 0xFC},
    Entity{"yen", 0xA5},      Entity{"zwj", 0x200D},    Entity{"zwnj", 0x200C},
};
static_assert(std::ranges::is_sorted(kEntities, {}, &Entity::name));

constexpr std::size_t kNameBytesMax = 12;

std::optional<char32_t> numeric(std::string_view digits) {
  int base = 10;
  if (digits.starts_with('x') || digits.starts_with('X')) {
    base = 16;
    digits.remove_prefix(1);
  }
  unsigned long code = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), code, base);
  if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size()) {
    return std::nullopt;
  }
  return code == 0 || code > 0x10FFFF ? U'\xFFFD' : static_cast<char32_t>(code);
}

// What the reference `name`, without '&' and ';', stands for.
std::optional<std::string> meaning(std::string_view name) {
  std::string text;
  if (name.starts_with('#')) {
    const std::optional<char32_t> code = numeric(name.substr(1));
    if (!code) return std::nullopt;
    // Pages that say &#150; mean the dash of Windows.
    if (*code >= 0x80 && *code <= 0x9F) {
      return from_windows_1252(std::string(1, static_cast<char>(*code)));
    }
    append_utf8(text, *code);
    return text;
  }
  const auto found = std::ranges::lower_bound(kEntities, name, {}, &Entity::name);
  if (found == kEntities.end() || found->name != name) return std::nullopt;
  append_utf8(text, found->code);
  return text;
}

}  // namespace

std::string without_entities(std::string_view text) {
  std::string made;
  made.reserve(text.size());
  while (!text.empty()) {
    const std::size_t start = text.find('&');
    made += text.substr(0, start);
    if (start == std::string_view::npos) break;
    text.remove_prefix(start);
    const std::size_t end = text.substr(0, kNameBytesMax).find(';');
    const auto meant =
        end == std::string_view::npos ? std::nullopt : meaning(text.substr(1, end - 1));
    made += meant ? std::string_view(*meant) : text.substr(0, 1);
    text.remove_prefix(meant ? end + 1 : 1);
  }
  return made;
}

}  // namespace nl::documents
