"""Documents as people fax them, made by real programs when the tests run."""
import os
import subprocess

LETTER = """<!doctype html><html><head><meta charset="utf-8"><title>Letter</title></head><body style="font-family: 'Liberation Serif'">
<p>Dr. Ünal Özçelik<br>12 High Street<br>Springfield</p><p>To whom it may concern</p><h2>Referral</h2>
<p>%s</p><table border="1"><tr><td>Haemoglobin</td><td>13.9 g/dl</td></tr><tr><td>Glucose</td><td>92 mg/dl</td></tr></table>
<p>Kind regards,</p></body></html>"""
SENTENCE = "Thank you for seeing this patient, whose history and findings are set out below, at your earliest convenience. "
FORM = """<!doctype html><html><body><h1>Consent</h1><form action="x">Name <input type="text" name="n" value="Jane Roe"><br>
<input type="checkbox" name="c" checked> I agree<br><select name="s"><option>One</option><option>Two</option></select>
<textarea name="t">Some words</textarea></form></body></html>"""


def run(*words, cwd=None):
    subprocess.run(words, check=True, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=180)


def office(folder, name, text, kind="html"):
    source = os.path.join(folder, f"{name}.{kind}")
    with open(source, "w", encoding="utf-8") as file:
        file.write(text)
    filters = ["--infilter=HTML (StarWriter)"] if kind == "html" else ["--infilter=Text (encoded):UTF8,LF,,,"]
    run("soffice", "--headless", "--norestore", f"-env:UserInstallation=file://{folder}/profile", *filters, "--convert-to", "pdf:writer_pdf_Export", "--outdir", folder, source)
    return os.path.join(folder, f"{name}.pdf")


def make(folder):
    """Name → path of each kind; all are PDFs but the last ones, which are what they say."""
    made = {"letter": office(folder, "letter", LETTER % (SENTENCE * 12))}
    made["text50"] = office(folder, "text50", "".join(f"Line {i}: the quick brown fox jumps over the lazy dog.\n" for i in range(3150)), "txt")
    made["form"] = office(folder, "form", FORM)
    run("pdftoppm", "-jpeg", "-r", "150", "-gray", "-f", "1", "-l", "1", made["letter"], os.path.join(folder, "scan"))
    picture = next(os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.startswith("scan") and name.endswith(".jpg"))
    made["scan"] = os.path.join(folder, "scanned.pdf")
    run("img2pdf", picture, "--pagesize", "A4", "-o", made["scan"])
    wide = os.path.join(folder, "wide.pdf")
    run("img2pdf", picture, "--pagesize", "A3^T", "-o", wide)
    made["mixed"] = os.path.join(folder, "mixed.pdf")
    run("qpdf", "--empty", "--pages", made["letter"], wide, made["text50"], "1-2", "--", "--rotate=+90:2", made["mixed"])
    made["encrypted"] = os.path.join(folder, "encrypted.pdf")
    run("qpdf", "--encrypt", "secret", "owner", "256", "--", made["letter"], made["encrypted"])
    with open(made["letter"], "rb") as file:
        whole = file.read()
    made["damaged"] = os.path.join(folder, "damaged.pdf")
    with open(made["damaged"], "wb") as file:
        file.write(whole[:200] + b"\0" * 400)
    made["empty"] = os.path.join(folder, "empty.pdf")
    open(made["empty"], "wb").close()
    made["page"] = os.path.join(folder, "page.html")
    with open(made["page"], "w", encoding="utf-8") as file:
        file.write("<!doctype html><script>alert(1)</script>")
    return made


def pages(path):
    return int(subprocess.run(["qpdf", "--show-npages", path], check=True, capture_output=True, text=True).stdout)
