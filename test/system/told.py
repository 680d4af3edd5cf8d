"""Whom a short line tells besides its mailbox: a mail server, a webhook and a command of the tests' own."""
import base64
import json
import os
import shutil
import tempfile

from mail_server import Hook, MailServer
from short_line import certificate


class Told:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="faxline-told-")
        certificate(self.folder)
        self.mail = MailServer(f"{self.folder}/tls.pem", f"{self.folder}/tls.key")
        key = "whsec_" + base64.b64encode(os.urandom(32)).decode()
        self.hook = Hook(key)
        command = f"{self.folder}/told"
        with open(command, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\nexec cat >> {self.folder}/said\n")
        os.chmod(command, 0o755)
        self.settings = {
            "SMTP_URL": f"smtp://127.0.0.1:{self.mail.port}", "NOTICE_FROM": "fax@house.test", "NOTICE_TO": "anna@house.test",
            "NOTICE_WEBHOOK_URL": self.hook.url, "NOTICE_WEBHOOK_KEY": key, "NOTICE_COMMAND": command,
        }  # fmt: skip

    def of(self, fax_id):
        """Way -> ids of the notices of this fax that came by it, each as often as it came."""
        mails = [message for _, _, message, _, _ in list(self.mail.mails) if fax_id in message.get_body().get_content()]
        said = []
        if os.path.exists(f"{self.folder}/said"):
            with open(f"{self.folder}/said", encoding="utf-8") as file:
                said = [json.loads(line)["data"] for line in file]
        posted = [words["data"] for _, words in list(self.hook.got)]
        return {
            "smtp": [message["Message-ID"].split(".")[1].split("@")[0] for message in mails],
            "webhook": [data["id"] for data in posted if data["fax"] == fax_id], "command": [data["id"] for data in said if data["fax"] == fax_id],
        }  # fmt: skip

    def close(self):
        self.mail.close()
        self.hook.close()
        shutil.rmtree(self.folder, ignore_errors=True)
