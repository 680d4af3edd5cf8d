// Result<T>: a value, or the Error that prevented it. A subset of
// std::expected, which g++ 12 does not have in C++20 mode.
//
//   Result<File> open(...);
//   Result<void> copy() {
//     CORE_TRY(file, open("a"));        // declares `file`, or returns its Error
//     CORE_CHECK(file.sync());          // for results without a value
//     return {};
//   }
#pragma once

#include <cstdlib>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "core/error.h"

namespace core {

template <typename T = void>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor): so that `return value;` works
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor): so that `return error;` works

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  // The value; calling it on an error is a bug and ends the process.
  T& value() & { return require<0>(state_); }
  const T& value() const& { return require<0>(state_); }
  T value() && { return std::move(require<0>(state_)); }  // by value: `for (x : f().value())` must not dangle
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T value_or(T otherwise) const { return has_value() ? value() : std::move(otherwise); }

  Error& error() & { return require<1>(state_); }
  const Error& error() const& { return require<1>(state_); }
  Error&& error() && { return std::move(require<1>(state_)); }

 private:
  template <std::size_t I, typename State>
  static auto& require(State& state) {
    if (state.index() != I) std::abort();
    return std::get<I>(state);
  }
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor): so that `return error;` works

  bool has_value() const { return !error_; }
  explicit operator bool() const { return has_value(); }
  void value() const { if (error_) std::abort(); }
  Error& error() & { if (!error_) std::abort(); return *error_; }
  const Error& error() const& { if (!error_) std::abort(); return *error_; }
  Error&& error() && { if (!error_) std::abort(); return std::move(*error_); }

 private:
  std::optional<Error> error_;
};

}  // namespace core

#define CORE_JOIN_(a, b) a##b
#define CORE_JOIN(a, b) CORE_JOIN_(a, b)

// Declares `name` with the value of `expression`, or returns its Error.
#define CORE_TRY(name, expression)                                                     \
  auto CORE_JOIN(name, _result_) = (expression);                                       \
  if (!CORE_JOIN(name, _result_)) return std::move(CORE_JOIN(name, _result_)).error(); \
  auto name = std::move(CORE_JOIN(name, _result_)).value()

// Returns the Error of `expression`, if it has one; its value is not wanted.
#define CORE_CHECK(expression)                                      \
  do {                                                              \
    if (auto core_check_result_ = (expression); !core_check_result_) \
      return std::move(core_check_result_).error();                 \
  } while (false)
