// A handler that keeps what the parser told it, notices calls out of order, and can refuse.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "form/multipart.h"

struct Part {
  form::PartHeader header;
  std::string data;
  bool ended = false;
};

class Recorder final : public form::PartHandler {
 public:
  core::Result<void> part_begin(const form::PartHeader& header) override {
    misused |= !parts.empty() && !parts.back().ended;
    parts.push_back({.header = header, .data = {}});
    return fail_at == "begin" ? refusal() : core::Result<void>();
  }
  core::Result<void> part_data(std::span<const std::byte> bytes) override {
    misused |= parts.empty() || parts.back().ended || bytes.empty();
    parts.back().data.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return fail_at == "data" ? refusal() : core::Result<void>();
  }
  core::Result<void> part_end() override {
    misused |= parts.empty() || parts.back().ended;
    parts.back().ended = true;
    return fail_at == "end" ? refusal() : core::Result<void>();
  }

  std::vector<Part> parts;
  bool misused = false;
  std::string fail_at;

 private:
  static core::Result<void> refusal() { return core::Error{.code = core::Code::no_space, .text = "refused"}; }
};
