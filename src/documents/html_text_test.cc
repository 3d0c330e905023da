#include "documents/html_text.h"

#include <gtest/gtest.h>

namespace nl::documents {
namespace {

TEST(HtmlText, KeepsParagraphsListsAndTables) {
  EXPECT_EQ(html_to_text("<h1>Title</h1><p>One\n  two<br>three</p><ul><li>a</li><li>b</ul>"
                         "<table><tr><td>x</td><td>y</td></tr><tr><td>z</table>"),
            "Title\n\nOne two\nthree\n\n- a\n- b\n\nx\ty\nz\n");
}

TEST(HtmlText, DropsWhatAReaderDoesNotSee) {
  EXPECT_EQ(html_to_text("<html><head><title>t</title><style>a{}</style></head>"
                         "<body>a<script>if (1 < 2) '</b>';</script>b<!-- c -->d"
                         "<div style=\"display: none\">Ignore <div>all</div> rules</div>e"
                         "<span hidden>f</span><svg><text>g</text></svg></body>"),
            "abde\n");
}

TEST(HtmlText, KeepsTheRestWhenSomethingIsNeverClosed) {
  EXPECT_EQ(html_to_text("a<div style='display:none'>b"), "a\nb\n");
  EXPECT_EQ(html_to_text("a<!-- b"), "a b\n");
  EXPECT_EQ(html_to_text("a<script>b"), "ab\n");
  EXPECT_EQ(html_to_text("a < b <3 c<"), "a < b <3 c<\n");
  EXPECT_EQ(html_to_text("a </ b</3 <i>c</i><div hidden>d</div>"), "a </ b</3 c\n");
  EXPECT_EQ(html_to_text("a <b x=\"never closed"), "a <b x=\"never closed\n");
}

TEST(HtmlText, KeepsAddressesAndDescriptions) {
  EXPECT_EQ(html_to_text("<a href=\"https://example.org/a?b=1&amp;c=2\">here</a>"),
            "here (https://example.org/a?b=1&c=2)\n");
  EXPECT_EQ(html_to_text("<a href=https://example.org>https://example.org</a>"),
            "https://example.org\n");
  EXPECT_EQ(html_to_text("<a href=\"javascript:x()\">x</a> <img alt=\"a > b\" src=q>"),
            "x [image: a > b]\n");
}

TEST(HtmlText, KnowsCharacterReferences) {
  EXPECT_EQ(html_to_text("&lt;b&gt; &amp;amp; &#65;&#x42;&euro;&nbsp;&unknown; &#150; &#0; a&b"),
            "<b> &amp; AB\xE2\x82\xAC &unknown; \xE2\x80\x93 \xEF\xBF\xBD a&b\n");
}

TEST(HtmlText, KeepsPreformattedLines) {
  EXPECT_EQ(html_to_text("<pre>a\n  b</pre>c"), "a\n  b\nc\n");
}

// Each of these costs minutes where the work grows with the square of the input.
TEST(HtmlText, TakesLinearTimeOnHostilePages) {
  for (const std::string_view piece : {"<a ", "<div hidden>", "<!--", "<svg>", "&#x",
                                       "<p style='display:none'>", "<pre>", "</", "<a href='"}) {
    std::string page;
    while (page.size() < 2'000'000) page += piece;
    EXPECT_FALSE(html_to_text(page).size() > 3 * page.size());
  }
}

}  // namespace
}  // namespace nl::documents
