#include "http/inflate.h"

#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>

#include <string>

#include "http/head.h"

namespace nl::http {
namespace {

constexpr std::size_t kStep = 64 * 1024;
constexpr std::size_t kRatioFree = 1u << 20;
constexpr std::size_t kRatioMax = 200;

// Counts both sides, so that every decoder refuses a bomb the same way.
class Budget {
 public:
  bool add(std::size_t in, std::size_t out) {
    in_ += in;
    out_ += out;
    if (out_ > kInflatedBytesMax) return false;
    return out_ <= kRatioFree || out_ / kRatioMax <= in_;
  }

 private:
  std::size_t in_ = 0;
  std::size_t out_ = 0;
};

std::unexpected<Error> bomb() {
  return fail(ErrorCode::protocol, "compressed answer grows beyond its limit");
}
std::unexpected<Error> broken(const char* coding) {
  return fail(ErrorCode::protocol, std::string("broken ") + coding + " content coding");
}

class ZlibInflater final : public Inflater {
 public:
  // 15 + 32: zlib and gzip wrappers are told apart by their first bytes.
  ZlibInflater() { ok_ = inflateInit2(&stream_, 15 + 32) == Z_OK; }
  ~ZlibInflater() override {
    if (ok_) inflateEnd(&stream_);
  }
  ZlibInflater(const ZlibInflater&) = delete;
  ZlibInflater& operator=(const ZlibInflater&) = delete;

  Result<std::string_view> feed(std::string_view piece) override {
    out_.clear();
    if (!ok_) return broken("gzip");
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
    stream_.avail_in = static_cast<uInt>(piece.size());
    while (!done_) {
      const std::size_t before = out_.size();
      out_.resize(before + kStep);
      stream_.next_out = reinterpret_cast<Bytef*>(out_.data() + before);
      stream_.avail_out = static_cast<uInt>(kStep);
      const int code = inflate(&stream_, Z_SYNC_FLUSH);
      const std::size_t made = kStep - stream_.avail_out;
      out_.resize(before + made);
      if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) return broken("gzip");
      if (!budget_.add(before == 0 ? piece.size() : 0, made)) return bomb();
      done_ = code == Z_STREAM_END;
      if (made < kStep) break;
    }
    return std::string_view(out_);
  }
  bool complete() const override { return done_; }

 private:
  z_stream stream_{};
  std::string out_;
  Budget budget_;
  bool ok_ = false;
  bool done_ = false;
};

class BrotliInflater final : public Inflater {
 public:
  BrotliInflater() : state_(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr)) {}
  ~BrotliInflater() override { BrotliDecoderDestroyInstance(state_); }
  BrotliInflater(const BrotliInflater&) = delete;
  BrotliInflater& operator=(const BrotliInflater&) = delete;

  Result<std::string_view> feed(std::string_view piece) override {
    out_.clear();
    const auto* in = reinterpret_cast<const std::uint8_t*>(piece.data());
    std::size_t in_left = piece.size();
    bool first = true;
    for (;;) {
      const std::size_t before = out_.size();
      out_.resize(before + kStep);
      auto* out = reinterpret_cast<std::uint8_t*>(out_.data() + before);
      std::size_t out_left = kStep;
      const auto code =
          BrotliDecoderDecompressStream(state_, &in_left, &in, &out_left, &out, nullptr);
      out_.resize(before + kStep - out_left);
      if (code == BROTLI_DECODER_RESULT_ERROR) return broken("br");
      if (!budget_.add(first ? piece.size() : 0, kStep - out_left)) return bomb();
      first = false;
      if (code != BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT) break;
    }
    return std::string_view(out_);
  }
  bool complete() const override { return BrotliDecoderIsFinished(state_) != 0; }

 private:
  BrotliDecoderState* state_;
  std::string out_;
  Budget budget_;
};

class ZstdInflater final : public Inflater {
 public:
  ZstdInflater() : stream_(ZSTD_createDStream()) {
    // 8 MiB is the window HTTP allows (RFC 9659).
    ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, 23);
  }
  ~ZstdInflater() override { ZSTD_freeDStream(stream_); }
  ZstdInflater(const ZstdInflater&) = delete;
  ZstdInflater& operator=(const ZstdInflater&) = delete;

  Result<std::string_view> feed(std::string_view piece) override {
    out_.clear();
    ZSTD_inBuffer in{piece.data(), piece.size(), 0};
    bool first = true;
    for (;;) {
      const std::size_t before = out_.size();
      out_.resize(before + kStep);
      ZSTD_outBuffer out{out_.data() + before, kStep, 0};
      const std::size_t code = ZSTD_decompressStream(stream_, &out, &in);
      out_.resize(before + out.pos);
      if (ZSTD_isError(code) != 0) return broken("zstd");
      if (!budget_.add(first ? piece.size() : 0, out.pos)) return bomb();
      first = false;
      done_ = code == 0;
      if (in.pos == in.size && out.pos < kStep) break;
    }
    return std::string_view(out_);
  }
  bool complete() const override { return done_; }

 private:
  ZSTD_DStream* stream_;
  std::string out_;
  Budget budget_;
  bool done_ = false;
};

}  // namespace

Result<std::unique_ptr<Inflater>> make_inflater(std::string_view content_encoding) {
  if (content_encoding.empty() || same_name(content_encoding, "identity")) {
    return std::unique_ptr<Inflater>();
  }
  if (same_name(content_encoding, "gzip") || same_name(content_encoding, "x-gzip") ||
      same_name(content_encoding, "deflate")) {
    return std::make_unique<ZlibInflater>();
  }
  if (same_name(content_encoding, "br")) return std::make_unique<BrotliInflater>();
  if (same_name(content_encoding, "zstd")) return std::make_unique<ZstdInflater>();
  return fail(ErrorCode::protocol, "unknown content coding");
}

}  // namespace nl::http
