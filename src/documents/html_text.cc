#include "documents/html_text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <set>
#include <vector>

#include "documents/html_entity.h"
#include "documents/text_encoding.h"

namespace nl::documents {
namespace {

constexpr std::size_t kTagBytesMax = std::size_t{64} << 10U;
constexpr std::size_t kAddressBytesMax = 160;
// Kinds of elements that turned out to have no end, after which no more are looked for.
constexpr std::size_t kEndlessMax = 64;

// Their contents are for a browser, not for a reader.
constexpr std::array<std::string_view, 8> kDropped = {"iframe", "object", "script",   "style",
                                                      "svg",    "title",  "template", "head"};
constexpr std::array<std::string_view, 20> kParagraphs = {
    "article", "aside", "blockquote", "dl", "footer", "form", "h1", "h2", "h3",    "h4",
    "h5",      "h6",    "header",     "hr", "main",   "ol",   "p",  "ul", "table", "section"};
constexpr std::array<std::string_view, 14> kLines = {
    "address",    "br", "dd",  "div",    "dt",  "fieldset", "figure",
    "figcaption", "li", "nav", "option", "pre", "tr",       "summary"};

template <std::size_t size>
bool in(const std::array<std::string_view, size>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + ('a' - 'A')) : letter;
}

std::string lower(std::string_view text) {
  std::string made(text);
  std::ranges::transform(made, made.begin(), [](char letter) { return lower(letter); });
  return made;
}

bool letter(char each) {
  return lower(each) >= 'a' && lower(each) <= 'z';
}

bool space(char each) {
  return each == ' ' || each == '\t' || each == '\n' || each == '\r' || each == '\f';
}

// The text as it grows: white space collapses, at most one empty line stands in a row.
class Page {
 public:
  void words(std::string_view text) {
    for (const char each : text) {
      if (space(each)) {
        gap_ = true;
        continue;
      }
      begin_word();
      text_ += each;
    }
  }
  void preformatted(std::string_view text) {
    for (const char each : text) {
      if (each == '\n') {
        lines(1);
      } else {
        begin_word();
        text_ += each;
      }
    }
  }
  // At least `count` line ends stand before what comes next.
  void lines(int count) {
    breaks_ = std::max(breaks_, count);
    gap_ = false;
  }
  void cell() {
    if (breaks_ == 0 && !text_.empty() && text_.back() != '\n') text_ += '\t';
    gap_ = false;
  }
  std::size_t size() const { return text_.size(); }
  std::string_view since(std::size_t start) const {
    return std::string_view(text_).substr(std::min(start, text_.size()));
  }
  std::string take() {
    if (!text_.empty() && text_.back() != '\n') text_ += '\n';
    return std::move(text_);
  }

 private:
  void begin_word() {
    if (breaks_ > 0) {
      while (!text_.empty() && (text_.back() == ' ' || text_.back() == '\t')) text_.pop_back();
      if (!text_.empty()) text_.append(static_cast<std::size_t>(breaks_), '\n');
    } else if (gap_ && !text_.empty() && !space(text_.back())) {
      text_ += ' ';
    }
    breaks_ = 0;
    gap_ = false;
  }

  std::string text_;
  bool gap_ = false;
  int breaks_ = 0;
};

struct Tag {
  std::string name;  // in small letters
  bool closes = false;
  std::size_t end = 0;  // behind its '>'
  std::vector<std::pair<std::string, std::string>> attributes;

  std::string attribute(std::string_view wanted) const {
    for (const auto& [key, value] : attributes) {
      if (key == wanted) return value;
    }
    return "";
  }
  bool has(std::string_view wanted) const {
    return std::ranges::any_of(attributes, [&](const auto& each) { return each.first == wanted; });
  }
};

// Where the tag that starts at `at` ends, quotes respected; nothing if it does not within the
// bound.
std::optional<std::size_t> end_of_tag(std::string_view html, std::size_t at) {
  char quote = '\0';
  bool value = false;  // a quote counts only where a value may begin
  const std::size_t last = std::min(html.size(), at + kTagBytesMax);
  for (std::size_t now = at; now < last; ++now) {
    const char each = html[now];
    if (quote != '\0') {
      if (each == quote) quote = '\0';
    } else if (each == '>') {
      return now + 1;
    } else if (value && (each == '"' || each == '\'')) {
      quote = each;
    }
    if (!space(each)) value = each == '=';
  }
  return std::nullopt;
}

void read_attributes(std::string_view inside, Tag& tag) {
  std::size_t at = 0;
  const auto skip = [&](auto&& wanted) {
    while (at < inside.size() && wanted(inside[at])) ++at;
  };
  while (at < inside.size() && tag.attributes.size() < 64) {
    skip([](char each) { return space(each) || each == '/' || each == '='; });
    const std::size_t start = at;
    skip([](char each) { return !space(each) && each != '=' && each != '/'; });
    if (at == start) break;
    std::string key = lower(inside.substr(start, at - start));
    skip(space);
    std::string value;
    if (at < inside.size() && inside[at] == '=') {
      ++at;
      skip(space);
      const char quote = at < inside.size() ? inside[at] : '\0';
      if (quote == '"' || quote == '\'') {
        const std::size_t end = std::min(inside.find(quote, at + 1), inside.size());
        value = inside.substr(at + 1, end - at - 1);
        at = std::min(end + 1, inside.size());
      } else {
        const std::size_t from = at;
        skip([](char each) { return !space(each); });
        value = inside.substr(from, at - from);
      }
    }
    tag.attributes.emplace_back(std::move(key), without_entities(value));
  }
}

// The tag at `at`, which is a '<'; nothing when it is only a '<'.
std::optional<Tag> tag_at(std::string_view html, std::size_t at) {
  Tag tag;
  std::size_t now = at + 1;
  tag.closes = now < html.size() && html[now] == '/';
  if (tag.closes) ++now;
  const std::size_t start = now;
  while (now < html.size() && (letter(html[now]) || (html[now] >= '0' && html[now] <= '9'))) ++now;
  if (now == start || !letter(html[start])) return std::nullopt;
  const std::optional<std::size_t> end = end_of_tag(html, now);
  if (!end) return std::nullopt;
  tag.name = lower(html.substr(start, now - start));
  tag.end = *end;
  if (!tag.closes) read_attributes(html.substr(now, *end - 1 - now), tag);
  return tag;
}

bool hidden(const Tag& tag) {
  if (tag.has("hidden")) return true;
  std::string style = lower(tag.attribute("style"));
  std::erase_if(style, space);
  style += ';';
  return style.find("display:none") != std::string::npos ||
         style.find("visibility:hidden") != std::string::npos ||
         style.find("mso-hide:all") != std::string::npos ||
         style.find("font-size:0;") != std::string::npos ||
         style.find("font-size:0px") != std::string::npos;
}

class Reader {
 public:
  explicit Reader(std::string_view html) : html_(html) {}

  std::string read() {
    while (at_ < html_.size()) {
      const std::size_t next = std::min(html_.find('<', at_), html_.size());
      text(html_.substr(at_, next - at_));
      at_ = next;
      if (at_ < html_.size()) markup();
    }
    return page_.take();
  }

 private:
  void text(std::string_view piece) {
    if (piece.empty()) return;
    const std::string plain = without_entities(piece);
    if (preformatted_ > 0) {
      page_.preformatted(plain);
    } else {
      page_.words(plain);
    }
  }

  void markup() {
    if (html_.substr(at_).starts_with("<!--")) {
      skip_to("-->", 4);
      return;
    }
    if (at_ + 1 < html_.size() && (html_[at_ + 1] == '!' || html_[at_ + 1] == '?')) {
      skip_to(">", 2);
      return;
    }
    const std::optional<Tag> tag = tag_at(html_, at_);
    if (!tag) {
      literal();
      return;
    }
    at_ = tag->end;
    if (tag->closes) {
      close(*tag);
    } else {
      open(*tag);
    }
  }

  // Behind the next `mark`; what has no end is text, and its like is not looked for again.
  void skip_to(std::string_view mark, std::size_t opening) {
    const std::size_t found =
        endless_.contains(mark) ? std::string_view::npos : html_.find(mark, at_ + opening);
    if (found == std::string_view::npos) {
      endless_.emplace(mark);
      at_ += opening;
    } else {
      at_ = found + mark.size();
    }
  }

  // A '<' that begins no tag. Where a tag has no end, all that was looked at is text.
  void literal() {
    std::size_t end = at_ + 1;
    const std::size_t name = end < html_.size() && html_[end] == '/' ? end + 1 : end;
    if (name < html_.size() && letter(html_[name])) {
      end = std::min(html_.size(), at_ + kTagBytesMax);
      if (end < html_.size()) end = at_ + cut_utf8(html_.substr(at_), end - at_).size();
      end = std::max(end, at_ + 1);
    }
    text(html_.substr(at_, end - at_));
    at_ = end;
  }

  void open(const Tag& tag) {
    const bool dropped = in(kDropped, tag.name) || (hidden(tag) && !empty_element(tag));
    if (dropped && drop(tag.name)) return;
    layout(tag);
    if (tag.name == "li") page_.words("- ");
    if (tag.name == "pre") ++preformatted_;
    if (tag.name == "td" || tag.name == "th") page_.cell();
    if (tag.name == "img" && !tag.attribute("alt").empty()) {
      page_.words(" [image: " + tag.attribute("alt") + "] ");
    }
    if (tag.name == "a") {
      address_ = tag.attribute("href");
      link_start_ = page_.size();
    }
  }

  void close(const Tag& tag) {
    if (tag.name == "a") end_link();
    if (tag.name == "pre" && preformatted_ > 0) --preformatted_;
    layout(tag);
  }

  void layout(const Tag& tag) {
    if (in(kParagraphs, tag.name)) page_.lines(2);
    if (in(kLines, tag.name)) page_.lines(1);
  }

  void end_link() {
    const bool web = address_.starts_with("http://") || address_.starts_with("https://");
    if (web && page_.since(link_start_).find(address_) == std::string_view::npos) {
      page_.words(" (" + one_line(address_, kAddressBytesMax) + ")");
    }
    address_.clear();
  }

  static bool empty_element(const Tag& tag) {
    return tag.name == "img" || tag.name == "br" || tag.name == "hr" || tag.name == "input" ||
           tag.name == "meta" || tag.name == "link" || tag.name == "body" || tag.name == "html";
  }

  // Passes over the element that has just been opened, if it has an end: else the rest of the page
  // would go with it, and its like is not tried again.
  bool drop(const std::string& name) {
    if (endless_.contains(name) || endless_.size() > kEndlessMax) return false;
    const bool raw = name == "script" || name == "style" || name == "title";
    int depth = 1;
    std::size_t now = at_;
    while ((now = html_.find('<', now)) != std::string_view::npos) {
      const bool closes = now + 1 < html_.size() && html_[now + 1] == '/';
      const std::size_t start = now + (closes ? 2 : 1);
      ++now;
      if (!same_name(start, name)) continue;
      if (!closes && !raw && name != "p" && name != "head") ++depth;
      if (closes && --depth == 0) {
        at_ = std::min(html_.find('>', start), html_.size() - 1) + 1;
        return true;
      }
    }
    endless_.insert(name);
    return false;
  }

  bool same_name(std::size_t start, std::string_view name) const {
    const std::string_view there = html_.substr(std::min(start, html_.size()), name.size() + 1);
    if (there.size() < name.size() || lower(there.substr(0, name.size())) != name) return false;
    const char next = there.size() == name.size() ? '>' : there.back();
    return space(next) || next == '>' || next == '/';
  }

  std::string_view html_;
  std::size_t at_ = 0;
  Page page_;
  int preformatted_ = 0;
  std::string address_;
  std::size_t link_start_ = 0;
  std::set<std::string, std::less<>> endless_;
};

}  // namespace

std::string html_to_text(std::string_view html) {
  return Reader(html).read();
}

}  // namespace nl::documents
