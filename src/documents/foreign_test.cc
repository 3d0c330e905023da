#include "documents/foreign.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace nl::documents {
namespace {

// A PDF of objects that are written one after the other; a small, correct one.
class PdfWriter {
 public:
  // One page whose content stream is `content`, with `entries` in the stream's dictionary.
  void page(const std::string& content, const std::string& entries = "") {
    const std::size_t stream = add(
        fmt::format("<</Length {} {}>>stream\n{}\nendstream", content.size(), entries, content));
    pages_.push_back(
        add(fmt::format("<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents {} "
                        "0 R/Resources<</Font<</F1 3 0 R>>>>>>",
                        stream)));
  }
  void words(const std::string& text) { page("BT /F1 12 Tf 50 700 Td (" + text + ") Tj ET"); }

  std::string take(const std::string& trailer = "") {
    std::string kids;
    for (const std::size_t each : pages_) kids += fmt::format("{} 0 R ", each);
    objects_[0] = "<</Type/Catalog/Pages 2 0 R>>";
    objects_[1] = fmt::format("<</Type/Pages/Count {}/Kids[{}]>>", pages_.size(), kids);
    objects_[2] = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>";
    std::string bytes = "%PDF-1.4\n";
    std::vector<std::size_t> places;
    for (std::size_t at = 0; at < objects_.size(); ++at) {
      places.push_back(bytes.size());
      bytes += fmt::format("{} 0 obj\n{}\nendobj\n", at + 1, objects_[at]);
    }
    const std::size_t table = bytes.size();
    bytes += fmt::format("xref\n0 {}\n0000000000 65535 f \n", objects_.size() + 1);
    for (const std::size_t place : places) bytes += fmt::format("{:010} 00000 n \n", place);
    return bytes + fmt::format("trailer\n<</Size {}/Root 1 0 R{}>>\nstartxref\n{}\n%%EOF\n",
                               objects_.size() + 1, trailer, table);
  }

 private:
  std::size_t add(std::string object) {
    objects_.push_back(std::move(object));
    return objects_.size();
  }

  std::vector<std::string> objects_ = std::vector<std::string>(3);
  std::vector<std::size_t> pages_;
};

// Deflate by hand: `start`, then `times` copies of 258 bytes from six bytes before.
class Deflated {
 public:
  std::string repeated(std::string_view start, std::size_t times) {
    bits("110", 0);
    for (const char each : start) code(0x30U + static_cast<unsigned char>(each), 8);
    for (std::size_t at = 0; at < times; ++at) {
      code(0xC5, 8);
      code(0x04, 5);
      bits("1", 0);
    }
    code(0, 7);
    if (filled_ > 0) bytes_ += static_cast<char>(now_);
    return "\x78\x01" + bytes_ + "\1\2\3\4";
  }

 private:
  void code(unsigned value, int size) {
    for (int at = size - 1; at >= 0; --at) bit((value >> at) & 1U);
  }
  void bits(std::string_view each, std::size_t at) {
    for (; at < each.size(); ++at) bit(each[at] == '1' ? 1U : 0U);
  }
  void bit(unsigned value) {
    now_ |= value << filled_;
    if (++filled_ < 8) return;
    bytes_ += static_cast<char>(now_);
    now_ = 0;
    filled_ = 0;
  }

  std::string bytes_;
  unsigned now_ = 0;
  int filled_ = 0;
};

bool mentions(const std::vector<std::string>& notes, std::string_view words) {
  return std::ranges::any_of(
      notes, [&](const auto& note) { return note.find(words) != std::string::npos; });
}

PdfText read_pdf(const std::string& bytes, const ForeignLimits& limits = ForeignLimits()) {
  auto text = pdf_text(bytes, limits);
  EXPECT_TRUE(text) << text.error().message;
  return text ? *text : PdfText();
}

std::string refusal(const std::string& bytes) {
  const auto text = pdf_text(bytes, ForeignLimits());
  EXPECT_FALSE(text);
  if (text) return "";
  EXPECT_EQ(text.error().code, ErrorCode::unsupported);
  return text.error().message;
}

TEST(PdfText, HasThePagesInOrder) {
  PdfWriter writer;
  writer.words("The first page, caf\\351.");
  writer.words("The second one.");
  const PdfText text = read_pdf(writer.take());
  EXPECT_EQ(text.text, "The first page, caf\xC3\xA9.\n\fThe second one.");
  EXPECT_TRUE(text.notes.empty());
}

TEST(PdfText, SaysThatPagesHaveNoText) {
  PdfWriter some;
  some.words("Here.");
  some.page("0 0 100 100 re f");
  EXPECT_TRUE(mentions(read_pdf(some.take()).notes, "1 of 2 pages have no text"));
  PdfWriter none;
  none.page("0 0 100 100 re f");
  const PdfText scanned = read_pdf(none.take());
  EXPECT_EQ(scanned.text, "");
  EXPECT_TRUE(mentions(scanned.notes, "no text layer"));
}

TEST(PdfText, ReadsNoMorePagesThanAllowed) {
  PdfWriter writer;
  for (int page = 1; page <= 5; ++page) writer.words(fmt::format("page {}", page));
  ForeignLimits limits;
  limits.read.pages_max = 2;
  const PdfText text = read_pdf(writer.take(), limits);
  EXPECT_EQ(text.text, "page 1\n\fpage 2");
  EXPECT_TRUE(mentions(text.notes, "only the first 2 of 5 pages"));
}

TEST(PdfText, RefusesWhatIsBehindAPassword) {
  PdfWriter writer;
  writer.words("secret");
  const std::string key(64, 'a');
  EXPECT_NE(refusal(writer.take("/ID[<00><00>]/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<" + key +
                                ">/U<" + key + ">>>"))
                .find("password"),
            std::string::npos);
}

TEST(PdfText, ReadsADamagedOneAsFarAsItGoes) {
  EXPECT_NE(refusal("%PDF-1.7\nnothing of the kind").find("damaged"), std::string::npos);
  PdfWriter writer;
  writer.words("Still here.");
  std::string bytes = writer.take();
  bytes.replace(bytes.find("xref"), 6, "??????");  // the table of objects cannot be found
  EXPECT_EQ(read_pdf(bytes).text, "Still here.");
}

TEST(PdfText, SurvivesABombAndKeepsThePagesBeforeIt) {
  PdfWriter writer;
  writer.words("Before it.");
  const std::size_t copies = 1'000'000;  // 258 MB of instructions in 1.8 MB
  writer.page(Deflated().repeated("BT /F1 12 Tf 10 10 Td (A)Tj ", copies), "/Filter/FlateDecode");
  ForeignLimits limits;
  limits.time_max = std::chrono::seconds(2);
  const PdfText text = read_pdf(writer.take(), limits);
  EXPECT_EQ(text.text, "Before it.");
  EXPECT_TRUE(mentions(text.notes, "reading stopped after page 1 of 2"));
}

TEST(PdfText, CutsTextAtItsBound) {
  PdfWriter writer;
  for (int page = 0; page < 4; ++page) writer.words(std::string(60, 'w'));
  ForeignLimits limits;
  limits.read.text_bytes_max = 100;
  const PdfText text = read_pdf(writer.take(), limits);
  EXPECT_LE(text.text.size(), 110U);
  EXPECT_FALSE(text.notes.empty());
}

Mail read_mail(const std::string& bytes) {
  return take_mail_apart(bytes, ForeignLimits());
}

TEST(MailParts, DecodesHeadersOfAllKinds) {
  const Mail mail = read_mail(
      "From: =?utf-8?B?Sm9zw6k=?= <jose@example.org>\r\n"
      "To: \"Smith, A\" <a@example.org>, b@example.org\r\n"
      "Date: Tue, 3 Nov 2026 10:11:12 +0200\r\nMessage-ID: <one@example.org>\r\n"
      "Subject: =?klingon?Q?=E4?= =?iso-8859-1?Q?=FCber?= caf\xE9\r\n\r\nhello\r\n");
  EXPECT_EQ(mail.from, "Jos\xC3\xA9 <jose@example.org>");
  EXPECT_EQ(mail.to, "\"Smith, A\" <a@example.org>, b@example.org");
  EXPECT_EQ(mail.date, "2026-11-03T08:11:12Z");
  EXPECT_EQ(mail.id, "one@example.org");
  EXPECT_EQ(mail.subject,
            "\xC3\xA4\xC3\xBC"
            "ber caf\xC3\xA9");
  EXPECT_EQ(mail.text, "hello\n");
}

TEST(MailParts, LetsNoHeaderSteerATerminal) {
  const Mail mail = read_mail(
      "From: \"\x1b[31mred\" <a@example.org>\nSubject: a\x07=?utf-8?B?4oCuYmFjaw==?= \x1b]0;t\x07\n"
      "Date: Tue, 3 Nov 2026 10:11:12 +0000\n\nbody \x1b[2J \x08\n");
  for (const std::string& field : {mail.from, mail.subject, mail.text}) {
    for (const char each : field) EXPECT_TRUE(each == '\n' || each < 0 || each >= ' ') << field;
  }
  EXPECT_EQ(mail.subject.find("\xE2\x80\xAE"), std::string::npos);
  EXPECT_NE(mail.subject.find("back"), std::string::npos);
}

TEST(MailParts, BoundsHugeHeaders) {
  const Mail mail = read_mail("From: a@example.org\nSubject: " + std::string(1'000'000, 's') +
                              "\nX-Many: " + std::string(1'000'000, 'x') + "\n\nbody\n");
  EXPECT_LE(mail.subject.size(), 1000U);
  EXPECT_TRUE(mail.subject.ends_with("..."));
  EXPECT_EQ(mail.text, "body\n");
}

std::string of_parts(std::string_view kind, const std::vector<std::string>& parts) {
  std::string mail = fmt::format(
      "From: a@example.org\nDate: Tue, 3 Nov 2026 10:11:12 +0000\nSubject: parts\n"
      "MIME-Version: 1.0\nContent-Type: multipart/{}; boundary=cut\n\n",
      kind);
  for (const std::string& part : parts) mail += "--cut\n" + part + "\n";
  return mail + "--cut--\n";
}

TEST(MailParts, ReadsHtmlAsAReaderSeesIt) {
  const Mail mail = read_mail(
      "From: a@example.org\nDate: Tue, 3 Nov 2026 10:11:12 +0000\nContent-Type: text/html\n\n"
      "<html><head><meta charset=\"iso-8859-1\"><style>p{}</style></head><body><p>Caf\xE9 "
      "<b>now</b></p><script>steal()</script><img src=\"http://track.example/1.png\"></body>");
  EXPECT_EQ(mail.text, "Caf\xC3\xA9 now\n");
  EXPECT_TRUE(mail.notes.empty());
}

TEST(MailParts, TakesThePlainOneOfAlternativesUnlessItSaysNothing) {
  const std::string html = "Content-Type: text/html\n\n<p>" + std::string(300, 'h') + "</p>";
  const Mail plain = read_mail(
      of_parts("alternative", {"Content-Type: text/plain\n\n" + std::string(250, 'p'), html}));
  EXPECT_EQ(plain.text.find('h'), std::string::npos);
  EXPECT_EQ(plain.text.find(std::string(250, 'p')), 0U);
  const Mail stub =
      read_mail(of_parts("alternative", {"Content-Type: text/plain\n\nPlease see HTML", html}));
  EXPECT_EQ(stub.text.find(std::string(300, 'h')), 0U);
}

TEST(MailParts, ListsWhatHangsOnIt) {
  const Mail mail = read_mail(of_parts(
      "mixed",
      {"Content-Type: text/plain; charset=utf-8\n\nhello",
       "Content-Type: text/csv; name*=utf-8''t%C3%A4ble.csv\nContent-Disposition: attachment\n"
       "Content-Transfer-Encoding: base64\n\nYSxiCjEsMgo=",
       "Content-Type: application/octet-stream\n"
       "Content-Disposition: attachment; filename=\"../../etc/\x1b[1mpasswd\"\n\nxyz",
       "Content-Type: message/rfc822\n\nFrom: inner@example.org\nSubject: inside\n\ninner words"}));
  EXPECT_EQ(mail.text, "hello");
  ASSERT_EQ(mail.attachments.size(), 3U);
  EXPECT_EQ(mail.attachments[0].name,
            "t\xC3\xA4"
            "ble.csv");
  EXPECT_EQ(mail.attachments[0].text, "a,b\n1,2\n");
  EXPECT_EQ(mail.attachments[0].bytes, 8U);
  EXPECT_EQ(mail.attachments[1].media_type, "application/octet-stream");
  EXPECT_EQ(mail.attachments[1].name.find('\x1b'), std::string::npos);
  EXPECT_EQ(mail.attachments[2].name, "inside");
  EXPECT_EQ(mail.attachments[2].text.find("From: inner@example.org\nSubject: inside\n\ninner"), 0U);
}

TEST(MailParts, ReadsWrongAndUnknownCharsetsWithANote) {
  const auto with = [](std::string_view charset, std::string_view body) {
    return read_mail(
        fmt::format("From: a@example.org\nDate: Tue, 3 Nov 2026 10:11:12 +0000\n"
                    "Content-Type: text/plain; charset=\"{}\"\n\n{}",
                    charset, body));
  };
  EXPECT_EQ(with("klingon", "caf\xC3\xA9").text, "caf\xC3\xA9");
  EXPECT_TRUE(mentions(with("klingon", "caf\xC3\xA9").notes, "klingon"));
  EXPECT_EQ(with("../../../evil", "caf\xE9").text, "caf\xC3\xA9");
  EXPECT_EQ(with("utf-8", "caf\xE9").text, "caf\xC3\xA9");
  EXPECT_FALSE(with("utf-8", "caf\xE9").notes.empty());
  EXPECT_EQ(with("koi8-r", "\xC4\xC1").text, "\xD0\xB4\xD0\xB0");
  EXPECT_EQ(with("us-ascii", "caf\xE9").text, "caf\xC3\xA9");
  EXPECT_TRUE(mentions(with("iso-2022-jp", "a\xFFz").notes, "replaced"));
}

TEST(MailParts, ReturnsDamagedOnesWithANote) {
  const Mail nothing = read_mail("no header at all, only words\n");
  EXPECT_NE(nothing.text.find("only words"), std::string::npos);
  EXPECT_FALSE(nothing.notes.empty());

  const Mail no_boundary = read_mail(
      "From: a@example.org\nDate: Tue, 3 Nov 2026 10:11:12 +0000\n"
      "Content-Type: multipart/mixed\n\nthe words that must stay\n");
  EXPECT_NE(no_boundary.text.find("must stay"), std::string::npos);
  EXPECT_FALSE(no_boundary.notes.empty());

  const Mail open_end = read_mail(
      "From: a@example.org\nDate: never\nContent-Type: multipart/mixed; "
      "boundary=x\n\n--x\n\nwords");
  EXPECT_NE(open_end.text.find("words"), std::string::npos);
  EXPECT_TRUE(mentions(open_end.notes, "date"));
  EXPECT_EQ(open_end.date, "");
}

TEST(MailParts, SaysThatAMailIsEncrypted) {
  const Mail mail = read_mail(of_parts(
      "encrypted", {"Content-Type: application/pgp-encrypted\n\nVersion: 1",
                    "Content-Type: application/octet-stream\n\n-----BEGIN PGP MESSAGE-----"}));
  EXPECT_TRUE(mentions(mail.notes, "encrypted"));
  EXPECT_EQ(mail.subject, "parts");
}

TEST(MailParts, SurvivesDeepNesting) {
  std::string mail = "From: a@example.org\nSubject: deep\n";
  for (int depth = 0; depth < 1500; ++depth) {
    mail += fmt::format("Content-Type: multipart/mixed; boundary=b{0}\n\n--b{0}\n", depth);
  }
  const Mail taken = read_mail(mail + "Content-Type: text/plain\n\ncore\n");
  EXPECT_EQ(taken.subject, "deep");
  EXPECT_TRUE(mentions(taken.notes, "too deeply"));
}

TEST(MailParts, CutsTextAtItsBound) {
  ForeignLimits limits;
  limits.read.text_bytes_max = 1000;
  const Mail mail = take_mail_apart(
      "From: a@example.org\nDate: Tue, 3 Nov 2026 10:11:12 +0000\n\n" + std::string(5000, 'w'),
      limits);
  EXPECT_EQ(mail.text.size(), 1000U);
  EXPECT_TRUE(mentions(mail.notes, "cut"));
}

}  // namespace
}  // namespace nl::documents
