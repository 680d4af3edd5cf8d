#include "fcgi/serve.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <fcgiapp.h>
#include <limits>
#include <map>
#include <memory>
#include <pthread.h>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include "core/log.h"

namespace fcgi {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kBlockBytes = 64 * 1024;
constexpr std::size_t kStackBytes = 512 * 1024;
constexpr auto kDrain = 10s;

class StreamBody final : public web::Body {
 public:
  explicit StreamBody(FCGX_Stream* in) : in_(in) {}
  core::Result<std::size_t> read_some(std::span<std::byte> buffer) override {
    const int wanted = static_cast<int>(std::min<std::size_t>(buffer.size(), std::numeric_limits<int>::max()));
    const int count = FCGX_GetStr(static_cast<char*>(static_cast<void*>(buffer.data())), wanted, in_);
    return static_cast<std::size_t>(std::max(count, 0));
  }

 private:
  FCGX_Stream* in_;
};

web::Request request_of(FCGX_Request& raw) {
  std::map<std::string, std::string, std::less<>> parameters;
  for (char** entry = raw.envp; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view pair(*entry);
    const auto equals = pair.find('=');
    // The first of a name counts: nginx's own come before what a location adds twice.
    if (equals != std::string_view::npos) parameters.emplace(pair.substr(0, equals), pair.substr(equals + 1));
  }
  return web::Request(std::move(parameters), std::make_unique<StreamBody>(raw.in));
}

bool put(FCGX_Stream* out, std::string_view text) { return FCGX_PutStr(text.data(), static_cast<int>(text.size()), out) == static_cast<int>(text.size()); }

bool put_file(FCGX_Stream* out, const web::Response& response) {
  std::vector<char> block(kBlockBytes);
  std::int64_t left = response.file_bytes;
  off_t offset = response.file_offset;
  while (left > 0) {
    const ssize_t count = ::pread(response.file.get(), block.data(), static_cast<std::size_t>(std::min<std::int64_t>(left, kBlockBytes)), offset);
    if (count <= 0) return false;
    if (!put(out, std::string_view(block.data(), static_cast<std::size_t>(count)))) return false;
    left -= count;
    offset += count;
  }
  return true;
}

void write(FCGX_Request& raw, const web::Response& response, bool head) {
  std::string top = "Status: " + std::to_string(response.status) + "\r\n";
  for (const auto& [name, value] : response.headers) top += name + ": " + value + "\r\n";
  top += "\r\n";
  bool whole = put(raw.out, top);
  if (whole && !head) whole = response.file.valid() ? put_file(raw.out, response) : put(raw.out, response.body);
  // The other end may have left: that is its right.
  if (!whole) core::log(core::Level::debug, "answer not taken to its end");
}

// The path without what is secret in it.
std::string loggable(const web::Request& request) {
  const auto path = request.target().substr(0, request.target().find('?'));
  for (const std::string_view secret : {"/fax/callback/", "/fax/sending/"})
    if (path.compare(0, secret.size(), secret) == 0) return std::string(secret) + "…";
  return path;
}

struct Worker {
  const std::function<web::Response(web::Request&)>* answer;
  std::atomic<bool>* stop;
  std::atomic<bool> left = false;
  pthread_t thread{};
};

void serve_one(FCGX_Request& raw, const Worker& worker) {
  const auto begun = std::chrono::steady_clock::now();
  auto request = request_of(raw);
  const auto response = (*worker.answer)(request);
  write(raw, response, request.method() == "HEAD");
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
  if (request.path() != "/auth")
    core::log(core::Level::info, "request", {{"method", request.method()}, {"path", loggable(request)}, {"status", std::to_string(response.status)}, {"ms", std::to_string(took.count())}, {"request", request.id()}});
}

void* work(void* given) {
  auto& worker = *static_cast<Worker*>(given);
  FCGX_Request raw;
  FCGX_InitRequest(&raw, 0, FCGI_FAIL_ACCEPT_ON_INTR);
  while (!*worker.stop && FCGX_Accept_r(&raw) == 0) {
    serve_one(raw, worker);
    FCGX_Finish_r(&raw);
  }
  FCGX_Free(&raw, 1);
  worker.left = true;
  return nullptr;
}

void do_nothing(int) {}

void install_signals(sigset_t& ends) {
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  struct sigaction wake{};
  wake.sa_handler = do_nothing;  // without SA_RESTART: accept(2) comes back
  sigaction(SIGUSR2, &wake, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

// accept(2) of an idle thread is interrupted until each has seen the flag; one with a request finishes it first.
void drain(std::vector<std::unique_ptr<Worker>>& workers) {
  FCGX_ShutdownPending();
  const auto end = std::chrono::steady_clock::now() + kDrain;
  for (;;) {
    bool all = true;
    for (const auto& worker : workers) {
      if (worker->left) continue;
      all = false;
      pthread_kill(worker->thread, SIGUSR2);
    }
    if (all || std::chrono::steady_clock::now() > end) return;
    std::this_thread::sleep_for(50ms);
  }
}

}  // namespace

int serve(const std::function<web::Response(web::Request&)>& answer, const Options& options) {
  sigset_t ends;
  install_signals(ends);
  if (FCGX_Init() != 0 || FCGX_IsCGI()) {
    core::log(core::Level::error, "descriptor 0 is no FastCGI socket: start this program with spawn-fcgi");
    return 70;
  }
  std::atomic<bool> stop = false;
  std::vector<std::unique_ptr<Worker>> workers;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  for (int i = 0; i < options.threads; ++i) {
    auto worker = std::make_unique<Worker>();
    worker->answer = &answer;
    worker->stop = &stop;
    if (pthread_create(&worker->thread, &attributes, work, worker.get()) == 0) workers.push_back(std::move(worker));
  }
  pthread_attr_destroy(&attributes);
  core::log(core::Level::info, "ready", {{"threads", std::to_string(workers.size())}});
  int signal_number = 0;
  sigwait(&ends, &signal_number);
  stop = true;
  drain(workers);
  const bool all_left = std::all_of(workers.begin(), workers.end(), [](const auto& worker) { return worker->left.load(); });
  core::log(core::Level::info, "stopped", {{"drained", all_left ? "yes" : "no"}});
  // A thread that is still busy uses what would be destroyed: the kernel cleans up.
  if (!all_left) ::_exit(0);
  for (auto& worker : workers) pthread_join(worker->thread, nullptr);
  return 0;
}

}  // namespace fcgi
