// What is read makes sense: a method that is known, an action and a type without surprises, or one of the two codes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

// The fuzzers are linked with the small modules only.
#include "sandbox/twiml.cc"  // NOLINT(bugprone-suspicious-include)

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto receive = sandbox::read_twiml({reinterpret_cast<const char*>(data), size});
  const bool sensible = receive ? (receive->method == "GET" || receive->method == "POST") && text::valid_utf8(receive->action)
                                : receive.error().field == "12100" || receive.error().field == "34106";
  if (!sensible) std::abort();
  return 0;
}
