#include "dialect/json_number.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

namespace nl::dialect {
namespace {

constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

TEST(JsonInteger, ReadsWholeNumbersExactly) {
  EXPECT_EQ(json_integer("0"), 0);
  EXPECT_EQ(json_integer("-0"), 0);
  EXPECT_EQ(json_integer("12"), 12);
  EXPECT_EQ(json_integer("-12"), -12);
  EXPECT_EQ(json_integer("9223372036854775807"), kMax);
  EXPECT_EQ(json_integer("-9223372036854775808"), kMin);
  EXPECT_EQ(json_integer("9007199254740993"), 9007199254740993);
}

TEST(JsonInteger, ReadsFractionsAndExponentsThatAreWhole) {
  EXPECT_EQ(json_integer("5.0"), 5);
  EXPECT_EQ(json_integer("-5.000"), -5);
  EXPECT_EQ(json_integer("-0.0"), 0);
  EXPECT_EQ(json_integer("1e3"), 1000);
  EXPECT_EQ(json_integer("1E+3"), 1000);
  EXPECT_EQ(json_integer("1.5e1"), 15);
  EXPECT_EQ(json_integer("120e-1"), 12);
  EXPECT_EQ(json_integer("0.00012e5"), 12);
  EXPECT_EQ(json_integer("0e999999999999999999999"), 0);
  EXPECT_EQ(json_integer("0.0e-999999999999999999999"), 0);
  EXPECT_EQ(json_integer("922337203685477580.7e1"), kMax);
  EXPECT_EQ(json_integer("-9223372036854775808.0"), kMin);
  EXPECT_EQ(json_integer("1" + std::string(400, '0') + "e-400"), 1);
}

TEST(JsonInteger, RefusesTheRest) {
  EXPECT_EQ(json_integer("1.5"), std::nullopt);
  EXPECT_EQ(json_integer("15e-1"), std::nullopt);
  EXPECT_EQ(json_integer("1e-1"), std::nullopt);
  EXPECT_EQ(json_integer("1e-99999999999999999999"), std::nullopt);
  EXPECT_EQ(json_integer("9223372036854775808"), std::nullopt);
  EXPECT_EQ(json_integer("-9223372036854775809"), std::nullopt);
  EXPECT_EQ(json_integer("9223372036854775808.0"), std::nullopt);
  EXPECT_EQ(json_integer("1e19"), std::nullopt);
  EXPECT_EQ(json_integer("1e300"), std::nullopt);
  EXPECT_EQ(json_integer("1e99999999999999999999"), std::nullopt);
}

TEST(JsonDouble, ReadsTheNearest) {
  EXPECT_EQ(json_double("0.7"), 0.7);
  EXPECT_EQ(json_double("-2.5e3"), -2500.0);
  EXPECT_EQ(json_double("1"), 1.0);
  EXPECT_EQ(json_double("1.7976931348623157e308"), std::numeric_limits<double>::max());
}

TEST(JsonDouble, TooLargeIsNothingAndTooSmallIsZero) {
  EXPECT_EQ(json_double("1e400"), std::nullopt);
  EXPECT_EQ(json_double("-1e400"), std::nullopt);
  EXPECT_EQ(json_double("1" + std::string(400, '0')), std::nullopt);
  EXPECT_EQ(json_double("1e99999999999999999999"), std::nullopt);
  EXPECT_EQ(json_double("1e-400"), 0.0);
  EXPECT_EQ(json_double("0." + std::string(400, '0') + "1"), 0.0);
  EXPECT_EQ(json_double("1e-99999999999999999999"), 0.0);
  const auto small = json_double("-1e-400");
  ASSERT_TRUE(small);
  EXPECT_TRUE(*small == 0.0 && std::signbit(*small));
  EXPECT_EQ(json_double("0e400"), 0.0);
}

}  // namespace
}  // namespace nl::dialect
