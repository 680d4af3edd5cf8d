#include "fax/cause.h"

#include <doctest/doctest.h>

#include <string>

using namespace fax;

TEST_CASE("cause: every code has a sentence, an advice, and is safe to retry only where nothing can have arrived") {
  for (const char* code : {"busy", "no_answer", "no_connection", "transmission_error", "failed_without_reason", "remote_incompatible", "pages_missing", "media_not_fetched",
                           "provider_trouble", "number_refused", "sender_refused", "not_enabled", "not_enough_funds", "service_ended", "refused_by_provider",
                           "wrong_credentials", "rate_limited", "provider_unreachable", "unknown_outcome", "canceled_by_user", "canceled_at_provider", "deadline_passed",
                           "restored_from_backup", "document_encrypted", "document_damaged", "document_empty", "document_too_complex", "document_too_long",
                           "document_unsupported", "document_gone", "reception_failed", "line_unreachable", "answer_refused", "not_kept", "too_large", "document_unreadable"}) {
    const Cause cause = find_cause(code);
    CHECK(cause.code == code);
    CHECK_MESSAGE(cause.text != find_cause("no such code").text, code);
    CHECK(cause.text.ends_with('.'));
    CHECK(cause.advice.ends_with('.'));
    if (cause.retry) CHECK_MESSAGE(cause.pages == PagesMayHaveArrived::no, code);
  }
}

TEST_CASE("cause: an unknown code keeps itself and is never retried") {
  const Cause cause = find_cause("from_the_future");
  CHECK(cause.code == "from_the_future");
  CHECK_FALSE(cause.text.empty());
  CHECK_FALSE(cause.retry);
  CHECK(cause.pages == PagesMayHaveArrived::maybe);
  CHECK_FALSE(find_cause("").text.empty());
}

TEST_CASE("cause: what the provider's end means") {
  const auto code = [](ProviderStatus status, std::string_view error, std::string_view message) { return cause_of_provider(status, error, message).code; };
  using enum ProviderStatus;
  CHECK(code(busy, "", "") == "busy");
  CHECK(code(no_answer, "", "") == "no_answer");
  CHECK(code(canceled, "", "") == "canceled_at_provider");
  CHECK(code(failed, "34002", "") == "busy");
  CHECK(code(failed, "34003", "") == "no_answer");
  CHECK(code(failed, "34004", "") == "transmission_error");
  CHECK(code(failed, "34005", "") == "service_ended");
  CHECK(code(failed, "34108", "") == "remote_incompatible");
  CHECK(code(failed, "11200", "") == "media_not_fetched");
  CHECK(code(failed, "11220", "") == "media_not_fetched");
  CHECK(code(failed, "4001", "") == "not_enough_funds");
  CHECK(code(failed, "", "") == "failed_without_reason");
  CHECK(code(failed, "99999", "") == "transmission_error");
  CHECK(code(failed, "", "something new") == "transmission_error");
  CHECK(code(failed, "34106", "") == "transmission_error");  // of receptions only
  CHECK(code(delivered, "", "") == "unknown_outcome");
  CHECK(code(unknown, "", "") == "unknown_outcome");
}

TEST_CASE("cause: SignalWire's sentences; what can come after a page is not retried") {
  const auto cause = [](std::string_view message) { return cause_of_provider(ProviderStatus::failed, "", message); };
  for (const char* message : {"Connection Failed", "Fax transmission not established", "Timed out waiting for initial communication", "Document loading error"})
    CHECK_MESSAGE(cause(message).retry, message);
  CHECK(cause("Far end cannot receive at the resolution of the image").code == "remote_incompatible");
  for (const char* message : {"Failed to train with any of the compatible modems", "Unexpected message received", "No response after sending a page",
                              "Received a DCN from remote after sending a page", "The call dropped prematurely", "Invalid ECM response received from receiver",
                              "The HDLC carrier did not stop in a timely manner", "Disconnected after permitted retries"}) {
    CHECK_MESSAGE(cause(message).code == "transmission_error", message);
    CHECK_FALSE(cause(message).retry);
    CHECK(cause(message).pages == PagesMayHaveArrived::maybe);
  }
}

TEST_CASE("cause: a refused call sent nothing") {
  const auto code = [](std::string_view error) { return cause_of_refusal(error, "words").code; };
  CHECK(code("21211") == "number_refused");
  CHECK(code("21210") == "sender_refused");
  CHECK(code("30002") == "not_enough_funds");
  CHECK(code("34005") == "service_ended");
  CHECK(code("20010") == "not_enabled");
  CHECK(code("20429") == "rate_limited");
  for (const char* error : {"", "10000", "34004", "34002", "11200", "21620", "20003", "99999"}) {
    CHECK_MESSAGE(code(error) == "refused_by_provider", error);
    CHECK(cause_of_refusal(error, "").pages == PagesMayHaveArrived::no);
  }
}

TEST_CASE("cause: a failed reception") {
  CHECK(cause_of_reception("", "").code == "reception_failed");
  CHECK(cause_of_reception("34004", "").code == "reception_failed");
  CHECK(cause_of_reception("34106", "").code == "answer_refused");
  CHECK(cause_of_reception("12100", "").code == "answer_refused");
  CHECK(cause_of_reception("11200", "").code == "line_unreachable");
}
