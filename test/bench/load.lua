-- What wrk sends: BENCH_METHOD, BENCH_BODY and BENCH_SIGNATURE in the environment; one line at the end, for `bench`.
wrk.method = os.getenv("BENCH_METHOD") or "GET"
local body = os.getenv("BENCH_BODY")
if body then
  wrk.body = body
  wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
  wrk.headers["X-Twilio-Signature"] = os.getenv("BENCH_SIGNATURE")
end

done = function(summary)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format("bench requests=%d microseconds=%d failed=%d\n", summary.requests, summary.duration, failed))
end
