#include "http/certificate.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "http/test_certificates.h"

namespace nl::http {
namespace {

TEST(CertificateEnd, IsReadFromTheFile) {
  const auto path =
      std::filesystem::temp_directory_path() / ("certificate-" + std::to_string(::getpid()));
  TestAuthority().write_pem(path.string());
  const auto end = certificate_end(path.string());
  ASSERT_TRUE(end) << end.error().message;
  const auto left = *end - std::chrono::system_clock::now();
  EXPECT_GT(left, std::chrono::hours(23));
  EXPECT_LE(left, std::chrono::hours(24));
  std::ofstream(path) << "no certificate";
  const auto junk = certificate_end(path.string());
  ASSERT_FALSE(junk);
  EXPECT_EQ(junk.error().code, ErrorCode::config);
  std::filesystem::remove(path);
  EXPECT_FALSE(certificate_end(path.string()));
}

}  // namespace
}  // namespace nl::http
