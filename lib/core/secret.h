// A secret in memory: never logged, never copied by accident, wiped at the end.
#pragma once

#include <string>
#include <string_view>

namespace core {

class SecretString {
 public:
  SecretString() = default;
  explicit SecretString(std::string text) : text_(std::move(text)) {}
  SecretString(SecretString&& other) noexcept : text_(std::move(other.text_)) { other.wipe(); }
  SecretString& operator=(SecretString&& other) noexcept {
    wipe();
    text_ = std::move(other.text_);
    other.wipe();
    return *this;
  }
  SecretString(const SecretString&) = delete;
  SecretString& operator=(const SecretString&) = delete;
  ~SecretString() { wipe(); }

  bool empty() const { return text_.empty(); }
  // The secret itself; valid as long as this object.
  std::string_view reveal() const { return text_; }
  // A second owner, said aloud.
  SecretString duplicate() const { return SecretString(text_); }

 private:
  void wipe();
  std::string text_;
};

}  // namespace core
