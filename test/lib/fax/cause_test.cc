#include "fax/cause.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "fax/failures.h"

using namespace fax;

TEST_CASE("cause: every code has a sentence, an advice, and is tried again only where nothing can have arrived") {
  std::set<std::string> codes;
  for (const auto& row : cause_rows()) {
    CAPTURE(row.code);
    const Cause cause = find_cause(row.code);
    CHECK(cause.code == row.code);
    CHECK(codes.insert(cause.code).second);
    CHECK(cause.text.size() > 10);
    CHECK(cause.text.ends_with('.'));
    CHECK(cause.text != find_cause("no such code").text);
    CHECK(cause.advice.size() > 10);
    CHECK(cause.advice.ends_with('.'));
    if (cause.next == Next::retry_later) CHECK(cause.pages == Pages::no);
    // What a page can be lost or doubled by is a person's to decide, or to be done otherwise.
    if (cause.pages != Pages::no) CHECK((cause.next == Next::ask_person || cause.code == "remote_incompatible"));
  }
}

TEST_CASE("cause: no stored code is ever taken away") {
  for (const char* code : {"busy", "no_answer", "no_connection", "transmission_error", "failed_without_reason", "remote_incompatible", "pages_missing", "media_not_fetched",
                           "provider_trouble", "number_refused", "sender_refused", "not_enabled", "not_enough_funds", "service_ended", "refused_by_provider",
                           "wrong_credentials", "rate_limited", "provider_unreachable", "unknown_outcome", "canceled_by_user", "canceled_at_provider", "deadline_passed", "never_submitted",
                           "restored_from_backup", "document_encrypted", "document_damaged", "document_empty", "document_too_complex", "document_too_long",
                           "document_unsupported", "document_gone", "reception_failed", "line_unreachable", "answer_refused", "not_kept", "too_large", "document_unreadable",
                           "network_busy", "lines_in_use", "resolution_too_high", "page_too_large", "not_a_fax_number", "number_not_in_service", "call_rejected",
                           "unknown_reason", "provider_error", "provider_gave_up", "simulated", "media_address_unusable", "document_not_accepted", "document_too_large",
                           "number_not_verified", "destination_not_allowed", "account_refused", "account_unknown", "account_disabled", "spending_limit_reached",
                           "sender_hung_up", "media_host_not_allowed", "webhook_unsigned", "webhook_other_url", "webhook_other_key", "webhook_signature_wrong", "webhook_too_late",
                           "certificate_ends", "certificate_ended", "practice_over", "other_provider", "no_document", "behind_another_fax", "being_looked_for", "never_fetched"})
    CHECK_MESSAGE(find_cause(code).text != find_cause("no such code").text, code);
}

TEST_CASE("cause: an unknown code keeps itself, says that it is unknown, and is never tried again") {
  const Cause cause = find_cause("from_the_future");
  CHECK(cause.code == "from_the_future");
  CHECK(cause.text.find("does not know") != std::string::npos);
  CHECK(cause.next == Next::ask_person);
  CHECK(cause.pages == Pages::unknown);
  CHECK_FALSE(find_cause("").text.empty());
}

TEST_CASE("cause: pages that certainly arrived are told from those that may have") {
  CHECK(find_cause("pages_missing").pages == Pages::yes);
  CHECK(find_cause("transmission_error").pages == Pages::unknown);
  CHECK(find_cause("canceled_at_provider").pages == Pages::unknown);
}

TEST_CASE("cause: what the provider's end means") {
  const auto code = [](ProviderStatus status, std::string_view error, std::string_view message) { return cause_of_provider(status, error, message).code; };
  using enum ProviderStatus;
  CHECK(code(busy, "", "") == "busy");
  CHECK(code(no_answer, "", "") == "no_answer");
  CHECK(code(canceled, "", "") == "canceled_at_provider");
  CHECK(code(failed, "34004", "") == "transmission_error");
  CHECK(code(failed, "", "") == "failed_without_reason");
  CHECK(code(failed, "99999", "") == "unknown_reason");
  CHECK(code(failed, "", "something new") == "unknown_reason");
  CHECK(code(delivered, "", "") == "unknown_outcome");
  CHECK(code(unknown, "", "") == "unknown_outcome");
}

TEST_CASE("cause: a code that is in no table is shown as it came") {
  CHECK(words_of_provider("99999", "Something new") == "error 99999: Something new");
  CHECK(words_of_provider("99999", "") == "error 99999");
  CHECK(words_of_provider("", "Something new") == "Something new");
  CHECK(words_of_provider("34002", "Busy") == "Busy");
  CHECK(words_of_provider("34002", "Busy", Family::telnyx) == "error 34002: Busy");
  CHECK(words_of_provider("", "").empty());
}

TEST_CASE("cause: a refused call sent nothing") {
  const auto code = [](std::string_view error) { return cause_of_refusal(error, "words").code; };
  CHECK(code("21211") == "number_refused");
  CHECK(code("21219") == "number_not_verified");
  CHECK(code("34005") == "service_ended");
  CHECK(code("20429") == "rate_limited");
  CHECK(code("21620") == "media_address_unusable");
  for (const char* error : {"", "10000", "34004", "34002", "99999"}) CHECK_MESSAGE(code(error) == "refused_by_provider", error);
}

TEST_CASE("cause: a failed reception") {
  CHECK(cause_of_reception("", "").code == "reception_failed");
  CHECK(cause_of_reception("34004", "").code == "reception_failed");
  CHECK(cause_of_reception("34106", "").code == "answer_refused");
  CHECK(cause_of_reception("11200", "").code == "line_unreachable");
  CHECK(cause_of_reception("", "The call dropped prematurely").code == "sender_hung_up");
  CHECK(cause_of_reception("99999", "The call dropped prematurely").code == "sender_hung_up");
}

TEST_CASE("cause: a fax whose document was fetched is none that ended for want of it") {
  const auto never = [](std::string_view error) { return was_never_fetched(cause_of_provider(ProviderStatus::failed, error, "")); };
  CHECK(never("11200"));
  CHECK(never("11220"));
  CHECK_FALSE(never("34002"));
  CHECK_FALSE(never("12300"));
}
