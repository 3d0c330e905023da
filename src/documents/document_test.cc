#include "documents/document.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace nl::documents {
namespace {

namespace fs = std::filesystem;
using std::string_view_literals::operator""sv;

Document read(std::string name, std::string_view bytes) {
  auto document = read_document(std::move(name), std::string(bytes), ReadLimits());
  EXPECT_TRUE(document) << document.error().message;
  return document ? *document : Document();
}

Error refused(std::string name, std::string_view bytes, const ReadLimits& limits = ReadLimits()) {
  auto document = read_document(std::move(name), std::string(bytes), limits);
  EXPECT_FALSE(document);
  return document ? Error() : document.error();
}

TEST(Document, KindComesFromContentThenFromTheName) {
  EXPECT_EQ(read("a.txt", "words").kind, Kind::text);
  EXPECT_EQ(read("A.MD", "# words").kind, Kind::markdown);
  EXPECT_EQ(read("a.cc", "int a;").kind, Kind::source);
  EXPECT_EQ(read("run", "#!/bin/sh\necho\n").kind, Kind::source);
  EXPECT_EQ(read("a.tsv", "a\tb\n").kind, Kind::csv);
  EXPECT_EQ(read("picture.txt", "\x89PNG\r\n\x1A\n1234").kind, Kind::image);
  EXPECT_EQ(read("mail.txt", "From: a@b.c\nDate: x\nSubject: y\n\nz").kind, Kind::mail);
  EXPECT_EQ(read("memo.txt", "From: Ann\nTo: Bob\n\nwords").kind, Kind::text);
  EXPECT_EQ(read("notes.md", "A PDF begins with %PDF-1.7, and ID3 with music.").kind,
            Kind::markdown);
}

TEST(Document, ImagesKeepTheirBytes) {
  const std::pair<std::string_view, std::string_view> all[] = {
      {"image/png", "\x89PNG\r\n\x1A\n\0\0"sv},
      {"image/jpeg", "\xFF\xD8\xFF\xE0\0\0"sv},
      {"image/gif", "GIF89a\0\0"sv},
      {"image/webp", "RIFF\4\0\0\0WEBPVP8 "sv}};
  for (const auto& [type, bytes] : all) {
    const Document document = read("x", bytes);
    ASSERT_EQ(document.images.size(), 1U) << type;
    EXPECT_EQ(document.images[0].media_type, type);
    EXPECT_EQ(document.images[0].bytes, bytes);
    EXPECT_EQ(document.text, "");
  }
  ReadLimits limits;
  limits.image_bytes_max = 10;
  EXPECT_EQ(refused("x", "GIF89a too large", limits).code, ErrorCode::too_large);
}

TEST(Document, SaysWhatItDoesNotReadAndWhatToDo) {
  const Error office = refused("a.docx", "PK\x03\x04\0\0"sv);
  EXPECT_EQ(office.code, ErrorCode::unsupported);
  EXPECT_EQ(office.message, "a.docx is an Office file: save it as PDF, text or CSV");
  EXPECT_NE(refused("a",
                    "\x7F"
                    "ELF\1\1"sv)
                .message.find("a program"),
            std::string::npos);
  EXPECT_NE(refused("a.txt", "a\0\1\2\3\4\5\6\0\0\0\1"sv).message.find("neither"),
            std::string::npos);
}

TEST(Document, TextIsAlwaysValidAndBounded) {
  EXPECT_EQ(read("a.txt", "caf\xE9").text, "caf\xC3\xA9");
  EXPECT_EQ(read("a.txt", "caf\xE9").notes.size(), 1U);
  EXPECT_EQ(read("a.txt", "\xFF\xFEh\0i\0"sv).text, "hi");
  ReadLimits limits;
  limits.text_bytes_max = 4;
  const auto cut = read_document("a.txt", "abc\xC3\xA9", limits);
  ASSERT_TRUE(cut);
  EXPECT_EQ(cut->text, "abc");
  EXPECT_NE(cut->notes.at(0).find("only the first"), std::string::npos);
  limits.file_bytes_max = 3;
  EXPECT_EQ(refused("a.txt", "abcd", limits).code, ErrorCode::too_large);
}

TEST(Document, HtmlIsReadableText) {
  EXPECT_EQ(read("a.html", "<p>one<p>two").text, "one\n\ntwo\n");
  EXPECT_EQ(read("page", "<!DOCTYPE html><script>x</script><p>one").text, "one\n");
}

TEST(Document, NamesAreSafeToShow) {
  EXPECT_EQ(read("a\x1b[1m\n.txt", "x").name, "a\xEF\xBF\xBD[1m .txt");
}

TEST(Document, MailHasItsHeadersAndWords) {
  const Document one = read(
      "a.eml", "From: a@example.org\nDate: Tue, 3 Nov 2026 10:11:12 +0000\nSubject: s\n\nwords\n");
  EXPECT_EQ(one.text, "From: a@example.org\nDate: 2026-11-03T10:11:12Z\nSubject: s\n\nwords\n");
  const Document box = read("box",
                            "From a Tue Nov  3 10:11:12 2026\nFrom: a@example.org\n\none\n\n"
                            "From b Tue Nov  3 10:11:12 2026\nFrom: b@example.org\n\ntwo\n");
  EXPECT_EQ(box.kind, Kind::mail);
  EXPECT_NE(box.text.find("one\n"), std::string::npos);
  EXPECT_NE(box.text.find("From: b@example.org\n\ntwo\n"), std::string::npos);
  EXPECT_EQ(box.notes.size(), 2U);  // neither has a date
}

TEST(Document, PdfErrorsNameTheFile) {
  EXPECT_EQ(refused("a.pdf", "%PDF-1.7 no").message.find("a.pdf: "), 0U);
}

class FolderTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / fmt::format("documents_{}", getpid());
    fs::remove_all(folder_);
    for (const char* name : {"b.txt", "a/c.md", "a/.git/x.txt", ".hidden", "a/d.eml"}) {
      file(name, "From: words\n");
    }
  }
  void TearDown() override { fs::remove_all(folder_); }
  void file(const std::string& name, std::string_view bytes) {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
  }
  std::vector<std::string> listed() {
    std::vector<std::string> names;
    const auto files = list_documents(folder_, 100);
    EXPECT_TRUE(files) << files.error().message;
    if (!files) return names;
    left_out_.clear();
    for (const LeftOut& each : files->left_out) {
      left_out_.push_back(each.file.lexically_relative(folder_).string() + ": " + each.why);
    }
    for (const auto& each : files->files)
      names.push_back(each.lexically_relative(folder_).string());
    return names;
  }

  fs::path folder_;
  std::vector<std::string> left_out_;
};

TEST_F(FolderTest, ListsWhatCanBeReadInOrder) {
  file("program",
       "\x7F"
       "ELF\1\1");
  file("empty.txt", "");
  fs::create_symlink("/etc/passwd", folder_ / "link.txt");
  fs::create_directory_symlink("/etc", folder_ / "linked");
  fs::create_directory_symlink(".", folder_ / "loop");
  EXPECT_EQ(listed(), (std::vector<std::string>{"a/c.md", "a/d.eml", "b.txt"}));
}

TEST_F(FolderTest, TellsWhatItLeavesOutAndKeepsWhatCannotBeOpened) {
  file("a/offer.docx", "PK\x03\x04 and so on");
  fs::create_symlink("b.txt", folder_ / "link.txt");
  file("locked.txt", "words");
  fs::permissions(folder_ / "locked.txt", fs::perms::none);
  const auto names = listed();
  EXPECT_NE(std::ranges::find(names, "locked.txt"), names.end());
  EXPECT_EQ(left_out_,
            (std::vector<std::string>{"a/offer.docx: an Office file: save it as PDF, text or CSV",
                                      "link.txt: a link, which is not followed"}));
}

TEST_F(FolderTest, RefusesTooManyAndNothing) {
  EXPECT_EQ(list_documents(folder_, 2).error().code, ErrorCode::too_large);
  EXPECT_EQ(list_documents(folder_ / "missing", 2).error().code, ErrorCode::io);
}

TEST_F(FolderTest, ReadsAFileByItsPathAndRefusesAFolder) {
  const auto document = read_document(folder_ / "b.txt", ReadLimits());
  ASSERT_TRUE(document);
  EXPECT_EQ(document->name, (folder_ / "b.txt").string());
  EXPECT_EQ(document->text, "From: words\n");
  EXPECT_EQ(read_document(folder_, ReadLimits()).error().code, ErrorCode::io);
  EXPECT_EQ(read_document(folder_ / "missing", ReadLimits()).error().code, ErrorCode::io);
}

}  // namespace
}  // namespace nl::documents
