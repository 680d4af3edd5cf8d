"""What Twilio's documentation and SignalWire's have differently, where their libraries and our tests see it."""
import os
import uuid

HEADER = {"twilio": "X-Twilio-Signature", "signalwire": "X-SignalWire-Signature"}
SID = {"twilio": r"FX[0-9a-f]{32}", "signalwire": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"}
RECEIVE = {"twilio": {"action", "method", "mediaType", "pageSize", "storeMedia"}, "signalwire": {"action", "method", "mediaType", "pageSize"}}
CREATED = {"twilio": 201, "signalwire": 200}
TOO_LATE = {"twilio": (400, 10000), "signalwire": (422, 10000)}
# Codes of wrong parameters of a fax.
WRONG = {"twilio": {"To": 21211, "From": 21212, "other From": 21212, "MediaUrl": 21620, "Quality": 20001, "Ttl": 20001},
         "signalwire": {"To": 21211, "From": 21212, "other From": 21210, "MediaUrl": 21620, "Quality": 10000, "Ttl": 10000}}


def new_sid(dialect):
    return "FX" + os.urandom(16).hex() if dialect == "twilio" else str(uuid.uuid4())


def places(dialect, base, account):
    """Where the library asks for faxes, and where answers say that they are."""
    if dialect == "twilio":
        return f"{base}/v1/Faxes", f"{base}/v1/Faxes"
    return f"{base}/2010-04-01/Accounts/{account}/Faxes", f"/api/laml/2010-04-01/Accounts/{account}/Faxes"
