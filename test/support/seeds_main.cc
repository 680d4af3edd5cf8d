// Runs a fuzzer's target once on each file of a folder: the seeds as an
// ordinary test. A finding ends the process by a signal.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int count, char** words) {
  int seeds = 0;
  if (count == 2)
    for (const auto& file : std::filesystem::directory_iterator(words[1])) {
      std::ifstream in(file.path(), std::ios::binary);
      const std::vector<char> bytes{std::istreambuf_iterator<char>(in), {}};
      LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
      ++seeds;
    }
  if (seeds == 0) return std::fprintf(stderr, "%s: no seeds\n", words[0]), 1;
  return std::printf("%s: %d seeds\n", words[0], seeds), 0;
}
