// Every code and sentence that the providers document, written out: what the line makes of it, in each of the three
// places where it can come.
#include <doctest/doctest.h>

#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "fax/cause.h"
#include "fax/failures.h"

using namespace fax;

namespace {

struct Known {
  Family family;
  const char* codes;
  const char* sent;
  Pages pages;
  Next next;
  const char* refused = "refused_by_provider";
  const char* received = "reception_failed";
};

using enum Pages;
using enum Next;
using enum Family;

const Known kKnown[] = {
    {twilio, "34002", "busy", no, retry_later},
    {twilio, "34003", "no_answer", no, retry_later},
    {twilio, "34004", "transmission_error", unknown, ask_person},
    {twilio, "34005", "service_ended", no, give_up, "service_ended", "service_ended"},
    {twilio, "34106 12100", "provider_error", unknown, ask_person, "refused_by_provider", "answer_refused"},
    {twilio, "34108", "remote_incompatible", unknown, fix_first},
    {twilio, "20003", "account_refused", no, fix_first, "account_refused"},
    {twilio, "20404", "provider_error", unknown, ask_person, "account_unknown"},
    {twilio, "20429 21611", "rate_limited", no, retry_later, "rate_limited"},
    {twilio, "11200 11205 11210 11217", "media_not_fetched", no, retry_later, "media_address_unusable", "line_unreachable"},
    {twilio, "11215 11220 11251 11300", "media_address_unusable", no, fix_first, "media_address_unusable", "line_unreachable"},
    {twilio, "20422 21402 21456 21620", "media_address_unusable", no, fix_first, "media_address_unusable", "answer_refused"},
    {twilio, "11750", "document_too_large", no, fix_first, "document_too_large", "answer_refused"},
    {twilio, "21612 12300", "document_not_accepted", no, fix_first, "document_not_accepted", "answer_refused"},
    {twilio, "10000 20009 20504 20001", "provider_error", unknown, ask_person},
    {twilio, "10001 20010", "not_enabled", no, fix_first, "not_enabled"},
    {twilio, "4001 30002", "not_enough_funds", no, fix_first, "not_enough_funds"},
    {twilio, "21210 21212 21213 21601", "sender_refused", no, fix_first, "sender_refused"},
    {twilio, "21211 21217", "number_refused", no, fix_first, "number_refused"},
    {twilio, "21219", "number_not_verified", no, fix_first, "number_not_verified"},
    {twilio, "0", "failed_without_reason", unknown, ask_person},
    {twilio, "2 6 15 21", "transmission_error", unknown, ask_person},
    {twilio, "11", "remote_incompatible", unknown, fix_first},

    {telnyx, "user_busy", "busy", no, retry_later},
    {telnyx, "receiver_no_answer receiver_no_response", "no_answer", no, retry_later},
    {telnyx, "fax_initial_communication_timeout", "no_connection", no, retry_later},
    {telnyx, "receiver_call_dropped carrier_lost fax_signaling_error invalid_ecm_response_from_receiver receiver_communication_error sender_communication_error", "transmission_error", unknown,
     ask_person},
    {telnyx, "receiver_recovery_on_timer_expire", "transmission_error", unknown, ask_person},
    {telnyx, "sender_call_dropped", "transmission_error", unknown, ask_person, "refused_by_provider", "sender_hung_up"},
    {telnyx, "sender_canceled", "canceled_at_provider", unknown, ask_person, "refused_by_provider", "sender_hung_up"},
    {telnyx, "service_unavailable media_processing_exception", "provider_trouble", no, retry_later},
    {telnyx, "user_channel_limit_exceeded connection_channel_limit_exceeded outbound_profile_channel_limit_exceeded", "lines_in_use", no, retry_later},
    {telnyx, "file_download_failed", "media_address_unusable", no, fix_first, "media_address_unusable"},
    {telnyx, "file_format_invalid", "document_not_accepted", no, fix_first, "document_not_accepted"},
    {telnyx, "file_size_limit_exceeded", "document_too_large", no, fix_first, "document_too_large"},
    {telnyx, "page_count_limit_exceeded", "document_too_long", no, fix_first, "document_too_long"},
    {telnyx, "receiver_invalid_number_format destination_invalid", "number_refused", no, fix_first, "number_refused"},
    {telnyx, "receiver_unallocated_number destination_unreachable", "number_not_in_service", no, give_up, "number_not_in_service"},
    {telnyx, "receiver_decline", "call_rejected", no, give_up},
    {telnyx, "receiver_incompatible_destination", "not_a_fax_number", no, give_up},
    {telnyx, "destination_not_in_countries_whitelist destination_not_in_service_plan", "destination_not_allowed", no, fix_first, "destination_not_allowed"},
    {telnyx, "no_outbound_profile", "not_enabled", no, fix_first, "not_enabled"},
    {telnyx, "unverified_origination_number", "sender_refused", no, fix_first, "sender_refused"},
    {telnyx, "unverified_destination_not_allowed", "number_not_verified", no, fix_first, "number_not_verified"},
    {telnyx, "account_disabled", "account_disabled", no, fix_first, "account_disabled"},
    {telnyx, "outbound_profile_daily_spend_limit_exceeded", "spending_limit_reached", no, fix_first, "spending_limit_reached"},

    {sinch, "11", "transmission_error", unknown, ask_person, "refused_by_provider", "sender_hung_up"},
    {sinch, "15", "network_busy", no, retry_later},
    {sinch, "16 30", "no_answer", no, retry_later},
    {sinch, "17", "busy", no, retry_later},
    {sinch, "19 38 43", "no_connection", no, retry_later, "refused_by_provider", "sender_hung_up"},
    {sinch, "13 14", "no_connection", no, retry_later},
    {sinch, "88 100 110", "transmission_error", unknown, ask_person},
    {sinch, "6 8 10 12 18 20 21 22 26 28 29 40 41 44 48 53 60 63 77 80 82 84 117 131", "transmission_error", unknown, ask_person},
    {sinch, "7", "page_too_large", no, fix_first},
    {sinch, "25", "resolution_too_high", no, retry_later},
    {sinch, "31 68", "remote_incompatible", unknown, fix_first},
    {sinch, "46", "not_enough_funds", no, fix_first, "not_enough_funds"},
    {sinch, "54 113", "media_address_unusable", no, fix_first, "media_address_unusable"},
    {sinch, "4 55 57 69 128 129 130", "document_not_accepted", no, fix_first, "document_not_accepted"},
    {sinch, "133", "refused_by_provider", no, fix_first},
    {sinch, "32 132", "not_a_fax_number", no, give_up},
    {sinch, "34 49 52 73 115", "number_not_in_service", no, give_up, "number_not_in_service"},
    {sinch, "50", "call_rejected", no, give_up},
    {sinch, "75", "canceled_at_provider", unknown, ask_person},
    {sinch, "76", "provider_gave_up", unknown, ask_person},
    {sinch, "79", "provider_error", unknown, ask_person},
    {sinch, "119 121 122", "simulated", no, give_up, "simulated"},
};

const Known kHttp[] = {
    {any, "400 405 409 422 500 502 503 504 800", "provider_error", unknown, ask_person},
    {any, "401 403", "provider_error", unknown, ask_person, "account_refused"},
    {any, "402", "not_enough_funds", no, fix_first, "not_enough_funds"},
    {any, "404", "provider_error", unknown, ask_person, "account_unknown"},
    {any, "413", "document_too_large", no, fix_first, "document_too_large"},
    {any, "415", "document_not_accepted", no, fix_first, "document_not_accepted"},
    {any, "429", "provider_error", unknown, ask_person, "rate_limited"},
};

std::vector<std::string> split(const std::string& codes) {
  std::istringstream stream(codes);
  std::vector<std::string> all;
  for (std::string code; stream >> code;) all.push_back(code);
  return all;
}

void check(const Known& known, Family family) {
  for (const auto& code : split(known.codes)) {
    CAPTURE(code);
    const auto sent = cause_of_provider(ProviderStatus::failed, code, "", family);
    CHECK(sent.code == known.sent);
    CHECK(sent.pages == known.pages);
    CHECK(sent.next == known.next);
    CHECK(cause_of_refusal(code, "", family).code == known.refused);
    CHECK(cause_of_reception(code, "", family).code == known.received);
    CHECK(words_of_provider(code, "Sorry", family) == "Sorry");
  }
}

}  // namespace

TEST_CASE("failures: every documented code has a cause, in words, with pages and the next step") {
  for (const auto& known : kKnown) check(known, known.family);
  for (const auto family : {twilio, telnyx, sinch})
    for (const auto& known : kHttp) check(known, family);
}

TEST_CASE("failures: no code in the table is missing in this list, none is there twice") {
  std::multiset<std::pair<int, std::string>> listed, rows;
  for (const auto& known : kKnown)
    for (const auto& code : split(known.codes)) listed.emplace(int(known.family), code);
  for (const auto& known : kHttp)
    for (const auto& code : split(known.codes)) listed.emplace(int(known.family), code);
  for (const auto& row : failure_rows())
    for (const auto& code : split(std::string(row.codes))) rows.emplace(int(row.family), code);
  CHECK(listed == rows);
  for (const auto& row : rows) CHECK_MESSAGE(rows.count(row) == 1, row.second);
}

TEST_CASE("failures: every cause that a row names is there, and a refusal has never sent a page") {
  const auto is_there = [](std::string_view code) { return find_cause(code).text != find_cause("no such code").text; };
  for (const auto& row : failure_rows()) {
    CAPTURE(row.codes);
    CHECK(is_there(row.sent));
    if (!row.received.empty()) CHECK(is_there(row.received));
    if (row.refused.empty()) continue;
    const auto refused = find_cause(row.refused);
    CHECK(is_there(row.refused));
    CHECK(refused.pages == no);
    CHECK((refused.next != retry_later || refused.code == "rate_limited"));
  }
  for (const auto& row : sentence_rows()) CHECK_MESSAGE(is_there(row.sent), row.part);
}

TEST_CASE("failures: the same number means another thing with another provider") {
  const auto code = [](std::string_view error, Family family) { return cause_of_provider(ProviderStatus::failed, error, "", family).code; };
  CHECK(code("17", sinch) == "busy");
  CHECK(code("17", twilio) == "unknown_reason");
  CHECK(code("11", sinch) == "transmission_error");
  CHECK(code("34002", telnyx) == "unknown_reason");
  CHECK(code("user_busy", twilio) == "unknown_reason");
}

TEST_CASE("failures: SignalWire's sentences; what can come after a page is not tried again, whatever the vendor advises") {
  struct Said {
    const char* message;
    const char* cause;
    Pages pages;
    Next next;
  };
  for (const auto& said : {Said{"Connection Failed", "no_connection", no, retry_later},
                           Said{"Fax transmission not established", "no_connection", no, retry_later},
                           Said{"Timed out waiting for initial communication", "no_connection", no, retry_later},
                           Said{"Document generation error", "provider_trouble", no, retry_later},
                           Said{"Document loading error", "provider_trouble", no, retry_later},
                           Said{"Far end cannot receive at the resolution of the image", "resolution_too_high", no, retry_later},
                           Said{"Far end cannot receive at the size of image", "page_too_large", no, fix_first},
                           Said{"Disconnected after permitted retries", "transmission_error", unknown, ask_person},
                           Said{"Failed to train with any of the compatible modems", "transmission_error", unknown, ask_person},
                           Said{"Invalid ECM response received from receiver", "transmission_error", unknown, ask_person},
                           Said{"Log entry lost", "transmission_error", unknown, ask_person},
                           Said{"No response after sending a page", "transmission_error", unknown, ask_person},
                           Said{"Received a DCN from remote after sending a page", "transmission_error", unknown, ask_person},
                           Said{"Received no response to DCS or TCF", "transmission_error", unknown, ask_person},
                           Said{"The call dropped prematurely", "transmission_error", unknown, ask_person},
                           Said{"The HDLC carrier did not stop in a timely manner", "transmission_error", unknown, ask_person},
                           Said{"Unexpected DCM after EOM or MPS sequence", "transmission_error", unknown, ask_person},
                           Said{"Unexpected DCN after EOM or MPS sequence", "transmission_error", unknown, ask_person},
                           Said{"Unexpected DCN while waiting for DCS or DIS", "transmission_error", unknown, ask_person},
                           Said{"Unexpected message received", "transmission_error", unknown, ask_person}}) {
    CAPTURE(said.message);
    for (const std::string code : {"", "99999"}) {
      const auto cause = cause_of_provider(ProviderStatus::failed, code, said.message);
      CHECK(cause.code == said.cause);
      CHECK(cause.pages == said.pages);
      CHECK(cause.next == said.next);
    }
  }
}

TEST_CASE("failures: where code and sentence disagree, the careful one counts") {
  const auto code = [](std::string_view error, std::string_view message) { return cause_of_provider(ProviderStatus::failed, error, message).code; };
  CHECK(code("34002", "No response after sending a page") == "transmission_error");
  CHECK(code("34004", "Connection Failed") == "transmission_error");
  CHECK(code("34002", "Connection Failed") == "busy");
  // The engine's number says less than its sentence.
  CHECK(code("11", "Far end cannot receive at the resolution of the image") == "resolution_too_high");
  CHECK(code("2", "Timed out waiting for initial communication") == "no_connection");
}
