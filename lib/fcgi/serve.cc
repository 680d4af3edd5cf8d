#include "fcgi/serve.h"

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <exception>
#include <fcgiapp.h>
#include <fcntl.h>
#include <malloc.h>
#include <mutex>
#include <poll.h>
#include <pthread.h>
#include <string_view>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "core/fd.h"
#include "core/log.h"
#include "fcgi/exchange.h"
#include "web/problem.h"

namespace fcgi {

namespace {

// Pages that are never touched cost nothing, so this may be roomy; below 2 MB, so that no huge page is put there.
constexpr std::size_t kStackBytes = std::size_t{1} << 20;
constexpr std::chrono::seconds kTurnAway{1};

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

bool is_listening(int fd) {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &size) == 0 && value != 0;
}

class Server {
 public:
  Server(const Handler& handler, const Options& options) : handler_(handler), options_(options), stop_(::eventfd(0, EFD_CLOEXEC)) {}

  bool start();
  void wait_for_signal();
  bool wait_for_workers();  // false: some are still busy
  bool broken() const { return broken_; }

 private:
  static void* work(void* server);
  void loop();
  bool wait_for_request();
  bool survives(int error_number);

  const Handler& handler_;
  const Options& options_;
  core::UniqueFd stop_;
  std::atomic<bool> broken_ = false;
  std::vector<pthread_t> threads_;
  std::mutex waiting_;
  std::mutex mutex_;
  std::condition_variable left_;
  std::size_t running_ = 0;
};

// Waiting by poll(2) and accepting without blocking, in place of interrupting threads with signals: a signal would also
// cut short the reading of a request that has just arrived.
bool Server::wait_for_request() {
  const std::lock_guard turn(waiting_);  // one at a time: a request would wake all who wait
  pollfd waiting[] = {{options_.listen_fd, POLLIN, 0}, {stop_.get(), POLLIN, 0}};
  while (::poll(waiting, 2, -1) < 0)
    if (errno != EINTR) return false;
  return waiting[1].revents == 0;
}

// Whether accepting may go on after this error.
bool Server::survives(int error_number) {
  if (error_number == EBADF || error_number == EINVAL || error_number == ENOTSOCK || error_number == EOPNOTSUPP) {
    core::log(core::Level::error, "the listening socket broke", core::errno_error("accept", "the listening socket", error_number));
    broken_ = true;
    ::kill(::getpid(), SIGTERM);
    return false;
  }
  if (core::is_temporary(error_number) && error_number != EAGAIN && error_number != EINTR) {
    core::log(core::Level::warning, "no request can be accepted", core::errno_error("accept", "the listening socket", error_number));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return true;
}

void Server::loop() {
  FCGX_Request request;
  if (FCGX_InitRequest(&request, options_.listen_fd, FCGI_FAIL_ACCEPT_ON_INTR) != 0) return;
  while (wait_for_request()) {
    const int accepted = FCGX_Accept_r(&request);
    if (accepted < 0) {
      if (!survives(-accepted)) break;
      continue;
    }
    exchange(request, handler_);
    FCGX_Finish_r(&request);
    FCGX_Free(&request, 1);  // a connection that is kept would keep this thread
  }
}

void* Server::work(void* server) {
  Server& self = *static_cast<Server*>(server);
  self.loop();
  const std::lock_guard lock(self.mutex_);
  --self.running_;
  self.left_.notify_all();
  return nullptr;
}

bool Server::start() {
  if (!stop_.valid()) return false;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  for (int i = 0; i < options_.threads; ++i) {
    const std::lock_guard lock(mutex_);
    pthread_t thread{};
    if (const int problem = ::pthread_create(&thread, &attributes, work, this); problem != 0) {
      core::log(core::Level::error, "a thread could not be started", core::errno_error("pthread_create", "a worker", problem));
      broken_ = true;
      break;
    }
    threads_.push_back(thread);
    ++running_;
  }
  pthread_attr_destroy(&attributes);
  return !broken_;
}

void Server::wait_for_signal() {
  const sigset_t set = stop_signals();
  int number = 0;
  while (::sigwait(&set, &number) != 0) {}
}

bool Server::wait_for_workers() {
  const std::uint64_t one = 1;
  (void)!::write(stop_.get(), &one, sizeof one);
  std::unique_lock lock(mutex_);
  if (!left_.wait_for(lock, options_.drain, [this] { return running_ == 0; })) return false;
  lock.unlock();
  for (const pthread_t thread : threads_) ::pthread_join(thread, nullptr);
  return true;
}

// False: the socket cannot be used.
bool prepare(int listen_fd) {
  std::signal(SIGPIPE, SIG_IGN);
  const int flags = ::fcntl(listen_fd, F_GETFL);
  return flags >= 0 && ::fcntl(listen_fd, F_SETFL, flags | O_NONBLOCK) == 0 && FCGX_Init() == 0;
}

}  // namespace

void hold_signals() {
  const sigset_t set = stop_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

int serve(const web::Routes& routes, const Options& options) {
  return serve([&routes](web::Request& request) { return routes.answer(request); }, options);
}

int serve(const Handler& handler, const Options& options) {
  core::set_program(options.program);
  if (!is_listening(options.listen_fd)) {
    const std::string usage = options.program + ": standard input is no listening socket. Start it with: spawn-fcgi -n -s SOCKET -- " + options.program + "\n";
    (void)!::write(STDERR_FILENO, usage.data(), usage.size());
    return EX_USAGE;
  }
  hold_signals();
  ::mallopt(M_ARENA_MAX, 1);  // one for each thread would be memory that nobody uses
  if (!prepare(options.listen_fd)) return EX_OSERR;

  Server server(handler, options);
  const bool started = server.start();
  if (started) server.wait_for_signal();
  if (!server.wait_for_workers()) {
    core::log(core::Level::warning, "stopped with requests unfinished");
    ::_exit(1);
  }
  return started && !server.broken() ? EX_OK : EX_OSERR;
}

void turn_away(const core::Error& why) {
  constexpr int kSocket = 0;
  FCGX_Request raw;
  if (!is_listening(kSocket) || !prepare(kSocket) || FCGX_InitRequest(&raw, kSocket, FCGI_FAIL_ACCEPT_ON_INTR) != 0) return;
  const bool for_everybody = (why.code == core::Code::no_space || why.code == core::Code::unavailable) && !why.hint.empty();
  const core::Error told{core::Code::unavailable, "no start", for_everybody ? why.hint : "This part of the fax line cannot start; its log says why. Try again in a moment."};
  const auto end = std::chrono::steady_clock::now() + kTurnAway;
  pollfd waiting{kSocket, POLLIN, 0};
  while (std::chrono::steady_clock::now() < end && ::poll(&waiting, 1, 0) > 0 && FCGX_Accept_r(&raw) >= 0) {
    exchange(raw, [&](web::Request& request) { return web::problem(told, request.id()); });
    FCGX_Finish_r(&raw);
    FCGX_Free(&raw, 1);
  }
}

}  // namespace fcgi
